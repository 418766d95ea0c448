//! Webhooks on their way: taken from Stripe when due, delivered, lost, doubled, shuffled or late.

use suture_engine::{Delivery as Received, Error};
use suture_sandbox::stripe::Delivery;

use super::build::WEBHOOK_SECRET;
use super::crash::Mortal;
use super::stage::World;

/// What happens to the webhooks that are on their way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// They arrive.
    Arrive,
    /// They arrive, the latest first.
    Backwards,
    /// They arrive twice.
    Twice,
    /// The first is lost for good; the others arrive.
    FirstLost,
    /// The first is not taken, and Stripe tries again later; the others arrive.
    FirstRefused,
    /// All are lost for good.
    Lost,
    /// They stay on their way.
    Stay,
}

impl World {
    /// Collects what Stripe sends now.
    fn collect(&mut self) {
        let now_ms = self.clock.millis();
        let due = self.outside.stripe().due_deliveries(now_ms);
        self.mail.extend(due);
    }

    /// How many webhooks are on their way.
    pub fn on_their_way(&mut self) -> usize {
        self.collect();
        self.mail.len()
    }

    /// Delivers everything that is on its way. Says how many.
    ///
    /// # Errors
    /// The store's.
    pub async fn deliver_all(&mut self) -> Result<usize, String> {
        self.deliver(Fate::Arrive, 0).await
    }

    /// Lets the webhooks on their way meet their fate at an engine. Says how many were delivered.
    ///
    /// # Errors
    /// The store's.
    pub async fn deliver(&mut self, fate: Fate, node: usize) -> Result<usize, String> {
        self.collect();
        let mut mail = match fate {
            Fate::Stay => return Ok(0),
            _ => std::mem::take(&mut self.mail),
        };
        match fate {
            Fate::Lost => return Ok(0),
            Fate::Backwards => mail.reverse(),
            Fate::FirstLost if !mail.is_empty() => {
                mail.remove(0);
            }
            Fate::FirstRefused if !mail.is_empty() => {
                let first = mail.remove(0);
                self.report(&first, &Err("connection refused".to_owned()));
            }
            _ => {}
        }
        for delivery in &mail {
            self.hand_in(delivery, node).await?;
            if fate == Fate::Twice {
                self.hand_in(delivery, node).await?;
            }
        }
        Ok(mail.len())
    }

    /// Delivers the first webhook on its way to an engine that dies at the clock look of this number.
    ///
    /// # Errors
    /// The store's.
    pub async fn deliver_and_die(&mut self, number: usize, looks: u32) -> Result<(), String> {
        self.collect();
        if self.mail.is_empty() {
            return Ok(());
        }
        let first = self.mail.remove(0);
        let number = number % self.nodes.len();
        let engine = self.nodes[number].engine.clone();
        let (connection, delivery) = (self.stripe.clone(), first.clone());
        self.nodes[number].clock.light(looks);
        let outcome = Mortal::new(async move { take(&engine, &connection, &delivery).await }).await;
        self.nodes[number].clock.light(0);
        match outcome {
            Ok(received) => self.report(&first, &status(&received)),
            Err(super::Crashed) => {
                self.report(&first, &Err("the connection was cut".to_owned()));
                self.crash(number).await?;
            }
        }
        Ok(())
    }

    async fn hand_in(&mut self, delivery: &Delivery, node: usize) -> Result<(), String> {
        let received = take(self.engine(node), &self.stripe, delivery).await;
        self.report(delivery, &status(&received));
        Ok(())
    }

    fn report(&self, delivery: &Delivery, outcome: &Result<u16, String>) {
        self.outside.stripe().delivered(delivery.id, self.clock.millis(), outcome);
    }

    /// Delivers a body under a signature that this secret makes. `None`: the right secret.
    ///
    /// # Errors
    /// The engine's.
    pub async fn forge(&self, secret: Option<&str>, body: &[u8]) -> Result<Received, Error> {
        let signed = self.sign(secret, body);
        let header = |name: &str| (name == "stripe-signature").then(|| signed.clone());
        self.engine(0).receive_webhook(&self.stripe, header, body).await
    }

    /// The signature header of a body now.
    #[must_use]
    pub fn sign(&self, secret: Option<&str>, body: &[u8]) -> String {
        let seconds = self.clock.now().seconds();
        suture_sandbox::stripe::sign(secret.unwrap_or(WEBHOOK_SECRET), seconds, body)
    }

    /// The webhooks on their way, for stories that deliver by hand.
    pub fn take_mail(&mut self) -> Vec<Delivery> {
        self.collect();
        std::mem::take(&mut self.mail)
    }

    /// Delivers one webhook as it is.
    ///
    /// # Errors
    /// The engine's.
    pub async fn hand_over(&self, delivery: &Delivery) -> Result<Received, Error> {
        let received = take(self.engine(0), &self.stripe, delivery).await;
        self.report(delivery, &status(&received));
        received
    }
}

async fn take(
    engine: &suture_engine::Engine,
    connection: &str,
    delivery: &Delivery,
) -> Result<Received, Error> {
    let header = |name: &str| {
        let found = delivery.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.clone())
    };
    engine.receive_webhook(connection, header, &delivery.body).await
}

fn status(received: &Result<Received, Error>) -> Result<u16, String> {
    match received {
        Ok(Received::Accepted { .. } | Received::Duplicate { .. }) => Ok(200),
        Ok(Received::Refused { .. }) => Ok(400),
        Err(_) => Ok(500),
    }
}
