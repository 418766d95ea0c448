//! Writes synthetic 835 files that balance, of any size, and files in which exactly one amount is wrong.

use proptest::prelude::{Strategy, any, prop};

/// A remittance to write. What is paid follows from charges and adjustments, so that it balances.
#[derive(Debug, Clone)]
pub(crate) struct Remittance {
    pub(crate) claims: Vec<Claim>,
    /// Provider adjustments in cents; positive is withheld.
    pub(crate) provider: Vec<i64>,
}

#[derive(Debug, Clone)]
pub(crate) struct Claim {
    pub(crate) reversal: bool,
    pub(crate) adjustments: Vec<Adjustment>,
    pub(crate) lines: Vec<Line>,
    /// The charge of a claim that has no lines.
    pub(crate) charge: i64,
}

#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) charge: i64,
    pub(crate) adjustments: Vec<Adjustment>,
}

#[derive(Debug, Clone)]
pub(crate) struct Adjustment {
    pub(crate) group: &'static str,
    pub(crate) reason: &'static str,
    pub(crate) amount: i64,
    pub(crate) quantity: bool,
}

/// One amount to falsify: the number of the amount as written, and by how many cents.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Falsify {
    pub(crate) amount: usize,
    pub(crate) by: i64,
}

/// A written file.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) text: String,
    /// How many amounts take part in a balance.
    pub(crate) amounts: usize,
    /// The claim in which the amount was falsified; `None` outside of claims.
    pub(crate) falsified_claim: Option<u64>,
}

struct Pen {
    text: String,
    segments: usize,
    amounts: usize,
    claim: Option<u64>,
    falsify: Option<Falsify>,
    falsified_claim: Option<u64>,
}

impl Pen {
    fn segment(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push_str("~\n");
        self.segments += 1;
    }

    fn amount(&mut self, cents: i64) -> String {
        let falsify = self.falsify.filter(|falsify| falsify.amount == self.amounts);
        self.amounts += 1;
        if falsify.is_some() {
            self.falsified_claim = self.claim;
        }
        decimal(cents + falsify.map_or(0, |falsify| falsify.by))
    }

    fn adjustments(&mut self, adjustments: &[Adjustment], sign: i64) {
        for same_group in adjustments.chunk_by(|left, right| left.group == right.group) {
            for six in same_group.chunks(6) {
                let mut text = format!("CAS*{}", six[0].group);
                for adjustment in six {
                    let quantity = if adjustment.quantity { "2" } else { "" };
                    let amount = self.amount(adjustment.amount * sign);
                    text.push_str(&format!("*{}*{amount}*{quantity}", adjustment.reason));
                }
                self.segment(text.trim_end_matches('*'));
            }
        }
    }

    fn claim(&mut self, claim: &Claim, position: u64) {
        self.claim = Some(position);
        let sign = if claim.reversal { -1 } else { 1 };
        let (charge, paid) = (claim.charged() * sign, claim.paid() * sign);
        let status = if claim.reversal { 22 } else { 1 };
        let (charge, paid) = (self.amount(charge), self.amount(paid));
        self.segment(&format!("CLP*CLM-{position}*{status}*{charge}*{paid}**12*ICN-{position}*11*1"));
        self.adjustments(&claim.adjustments, sign);
        self.segment("NM1*QC*1*SAMPLE*PAT****MI*M-0001");
        self.segment("DTM*232*20261005");
        for (index, line) in claim.lines.iter().enumerate() {
            let (charge, paid) = (self.amount(line.charge * sign), self.amount(line.paid() * sign));
            self.segment(&format!("SVC*HC:99213:25*{charge}*{paid}**1"));
            self.segment("DTM*472*20261005");
            self.adjustments(&line.adjustments, sign);
            self.segment(&format!("REF*6R*L{index}"));
        }
        self.claim = None;
    }
}

impl Line {
    fn paid(&self) -> i64 {
        self.charge - self.adjustments.iter().map(|adjustment| adjustment.amount).sum::<i64>()
    }
}

impl Claim {
    fn charged(&self) -> i64 {
        let lines: i64 = self.lines.iter().map(|line| line.charge).sum();
        if self.lines.is_empty() { self.charge } else { lines }
    }

    pub(crate) fn paid(&self) -> i64 {
        let by_line =
            if self.lines.is_empty() { self.charge } else { self.lines.iter().map(Line::paid).sum() };
        by_line - self.adjustments.iter().map(|adjustment| adjustment.amount).sum::<i64>()
    }

    /// The sum of a group over claim and lines, with the sign of a reversal.
    pub(crate) fn of_group(&self, group: &str) -> i64 {
        let all = self.adjustments.iter().chain(self.lines.iter().flat_map(|line| &line.adjustments));
        let sum: i64 = all.filter(|one| one.group == group).map(|one| one.amount).sum();
        if self.reversal { -sum } else { sum }
    }
}

/// Writes the file, with one amount falsified if asked.
pub(crate) fn write(remittance: &Remittance, falsify: Option<Falsify>) -> Written {
    let mut pen =
        Pen { text: String::new(), segments: 0, amounts: 0, claim: None, falsify, falsified_claim: None };
    let signed = |claim: &Claim| if claim.reversal { -claim.paid() } else { claim.paid() };
    let total = remittance.claims.iter().map(signed).sum::<i64>() - remittance.provider.iter().sum::<i64>();
    pen.segment("ST*835*0001");
    let total = pen.amount(total);
    pen.segment(&format!("BPR*I*{total}*C*ACH************20261103"));
    for text in
        ["TRN*1*EFT-1*1777777777", "N1*PR*HARBOR HEALTH PLAN", "N1*PE*EXAMPLE CLINIC*XX*1234567893", "LX*1"]
    {
        pen.segment(text);
    }
    for (claim, position) in remittance.claims.iter().zip(1..) {
        pen.claim(claim, position);
    }
    for cents in &remittance.provider {
        let amount = pen.amount(*cents);
        pen.segment(&format!("PLB*1234567893*20261231*WO:OLD-1*{amount}"));
    }
    pen.segment(&format!("SE*{}*0001", pen.segments + 1));
    let isa = "ISA*00*          *00*          *ZZ*HARBORPLAN     *ZZ*EXAMPLECLINIC  *261102*0815*^*00501*000000001*0*P*:";
    let gs = "GS*HP*HARBORPLAN*EXAMPLECLINIC*20261102*0815*1*X*005010X221A1";
    let text = format!("{isa}~\n{gs}~\n{}GE*1*1~\nIEA*1*000000001~\n", pen.text);
    Written { text, amounts: pen.amounts, falsified_claim: pen.falsified_claim }
}

/// X12 writes decimals only when needed, and no zero before the point.
fn decimal(cents: i64) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    let (whole, fraction) = (cents.unsigned_abs() / 100, cents.unsigned_abs() % 100);
    match (whole, fraction) {
        (whole, 0) => format!("{sign}{whole}"),
        (0, fraction) => format!("{sign}.{fraction:02}"),
        (whole, fraction) => format!("{sign}{whole}.{fraction:02}"),
    }
}

/// Any remittance that balances.
pub(crate) fn any_remittance() -> impl Strategy<Value = Remittance> {
    let adjustment = (
        prop::sample::select(vec!["PR", "CO", "OA", "PI", "CR"]),
        prop::sample::select(vec!["1", "2", "3", "45", "96", "A2"]),
        -50_000..50_000_i64,
        any::<bool>(),
    )
        .prop_map(|(group, reason, amount, quantity)| Adjustment { group, reason, amount, quantity });
    let some = move || prop::collection::vec(adjustment.clone(), 0..9);
    let line = (0..1_000_000_i64, some()).prop_map(|(charge, adjustments)| Line { charge, adjustments });
    let claim = (any::<bool>(), some(), prop::collection::vec(line, 0..4), 0..1_000_000_i64)
        .prop_map(|(reversal, adjustments, lines, charge)| Claim { reversal, adjustments, lines, charge });
    let provider = prop::collection::vec(-10_000..10_000_i64, 0..3);
    (prop::collection::vec(claim, 0..6), provider)
        .prop_map(|(claims, provider)| Remittance { claims, provider })
}

/// A plain remittance of `claims` claims with two lines each.
pub(crate) fn plain(claims: usize) -> Remittance {
    let adjustment = |group, reason, amount| Adjustment { group, reason, amount, quantity: false };
    let line = Line {
        charge: 20_000,
        adjustments: vec![adjustment("CO", "45", 4_000), adjustment("PR", "1", 5_000)],
    };
    let claim =
        Claim { reversal: false, adjustments: Vec::new(), lines: vec![line.clone(), line], charge: 0 };
    Remittance { claims: vec![claim; claims], provider: vec![1_000] }
}
