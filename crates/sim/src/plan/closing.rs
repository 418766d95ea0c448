//! What must be so at the end of every scenario, whatever it was about.

use super::scene::{Scene, Told};
use super::told::Step;

impl Scene {
    /// Looks at everything once more, as the last step. Gives all steps.
    pub(super) async fn close(mut self) -> Told<Vec<Step>> {
        while self.world.engine(0).seal(&self.world.organization).await? {}
        self.step("At the end everything is looked at once more", &[]).await?;
        self.expect_sealed().await?;
        self.expect_explained().await?;
        let leak = self.world.outside.leak();
        self.expect("no personal data was sent to Stripe", None, leak);
        let books = self.world.books().await?;
        self.expect("the books sum to zero", 0, books.values().sum::<i64>());
        let ours = books.get("gw:stripe").copied().unwrap_or(0);
        let theirs = self.at_stripe();
        self.expect("our books and Stripe agree to the cent", theirs, ours);
        let asked = self.asked().await?;
        let expected = self.questions.clone();
        self.expect("people are asked about exactly what needs them", expected, asked);
        Ok(self.steps)
    }

    async fn expect_sealed(&mut self) -> Told<()> {
        let verdict = self.world.engine(0).verify_audit(&self.world.organization).await?;
        self.expect(
            "the audit trail gives the same states and books",
            None,
            verdict.broken.map(|why| why.to_string()),
        );
        self.expect("the audit trail is sealed to its end", 0, verdict.unsealed);
        Ok(())
    }

    /// Every movement of money names patient, visit, payment and reason (I5).
    async fn expect_explained(&mut self) -> Told<()> {
        let (looked_at, lacking) = self.world.engine(0).lint_money(&self.world.organization).await?;
        let lacking: Vec<String> =
            lacking.iter().map(|found| format!("{}: {:?}", found.event.entry.kind, found.missing)).collect();
        self.expect("every movement of money is explained", Vec::new(), lacking);
        let moved = self.world.moved("charge").len() + self.world.moved("refund").len();
        let looked_at = usize::try_from(looked_at).unwrap_or(usize::MAX);
        self.expect("and none was left out", true, looked_at >= moved);
        Ok(())
    }

    /// What Stripe itself says that it holds for us, before its fees.
    fn at_stripe(&self) -> i64 {
        let sum = |motion: &str| -> i64 {
            self.world.moved(motion).iter().filter_map(|movement| movement["amount"].as_i64()).sum()
        };
        let came = sum("charge") + sum("refund_failure") + sum("transfer_reversal");
        came - sum("refund") - sum("transfer")
    }
}
