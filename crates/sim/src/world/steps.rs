//! Steps: one unit of work at a time, on a chosen engine, whole or interrupted.

use std::future::Future;
use std::pin::Pin;

use suture_core::time::Timestamp;
use suture_engine::Error;
use suture_store::statement::Statement;

use super::crash::{Crashed, Mortal};
use super::outside::Pause;
use super::stage::World;

/// The first moment after now at which something becomes due. Behind a busy lane an effect may be overdue for long, so the
/// first of all is no help.
const NEXT: Statement =
    Statement::new("next due after", "select min(due_at) from effects where state = 'ready' and due_at > $1");
/// More steps than any story needs: a world that goes on longer does not come to rest.
const STEPS_MAX: usize = 5_000;

/// A step whose request stands still.
pub(super) type Standing = Pin<Box<dyn Future<Output = Result<Result<bool, Error>, Crashed>> + Send>>;

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stepped {
    /// Nothing was due.
    Idle,
    /// One unit of work was done.
    Worked,
    /// Its request stands still; see [`World::go_on`].
    Standing,
    /// The process died; a new one took its place.
    Crashed,
}

/// Whether a step stands still at an engine.
pub type Paused = bool;

impl World {
    /// Does one unit of work. Says whether there was one.
    ///
    /// # Errors
    /// The store's.
    pub async fn step(&mut self, node: usize) -> Result<bool, String> {
        Ok(!matches!(self.begin(node, None, 0).await?, Stepped::Idle))
    }

    /// Does one unit of work until its first request stands still, before it leaves or after it was executed.
    ///
    /// # Errors
    /// The store's.
    pub async fn step_until(&mut self, node: usize, pause: Pause) -> Result<Stepped, String> {
        if self.is_standing(node) {
            return Ok(Stepped::Standing);
        }
        self.begin(node, Some(pause), 0).await
    }

    /// Does one unit of work and lets the process die at the clock look of this number.
    ///
    /// # Errors
    /// The store's.
    pub async fn step_and_die(&mut self, node: usize, looks: u32) -> Result<Stepped, String> {
        self.begin(node, None, looks).await
    }

    /// Lets somebody ask an engine for something and the process die at the clock look of this number. Says whether it died
    /// before it answered.
    ///
    /// # Errors
    /// The answer's, or a sentence when the new process does not start.
    pub async fn ask_and_die<T: Send + 'static>(
        &mut self,
        number: usize,
        looks: u32,
        asked: impl Future<Output = Result<T, Error>> + Send,
    ) -> Result<bool, String> {
        let number = number % self.nodes.len();
        self.nodes[number].clock.light(looks);
        let ended = Mortal::new(asked).await;
        self.nodes[number].clock.light(0);
        match ended {
            Ok(answer) => answer.map(|_| false).map_err(|error| error.to_string()),
            Err(Crashed) => self.crash(number).await.map(|()| true),
        }
    }

    /// Whether a step stands still at an engine.
    #[must_use]
    pub fn is_standing(&self, node: usize) -> Paused {
        self.nodes[node % self.nodes.len()].standing.is_some()
    }

    async fn begin(&mut self, number: usize, pause: Option<Pause>, looks: u32) -> Result<Stepped, String> {
        let number = number % self.nodes.len();
        let now = self.clock.now();
        let node = &mut self.nodes[number];
        let engine = node.engine.clone();
        let step: Standing = Box::pin(Mortal::new(async move { engine.step(now).await }));
        node.line.pause(pause);
        node.clock.light(looks);
        let stepped = self.drive(number, step).await;
        let node = &mut self.nodes[number];
        node.line.pause(None);
        node.clock.light(0);
        stepped
    }

    /// Lets a standing request go on, until the step ends.
    ///
    /// # Errors
    /// The store's.
    pub async fn go_on(&mut self, number: usize) -> Result<Stepped, String> {
        let number = number % self.nodes.len();
        let node = &mut self.nodes[number];
        let Some(step) = node.standing.take() else { return Ok(Stepped::Idle) };
        node.line.go_on.notify_one();
        self.drive(number, step).await
    }

    async fn drive(&mut self, number: usize, mut step: Standing) -> Result<Stepped, String> {
        let line = self.nodes[number].line.clone();
        let ended = tokio::select! {
            biased;
            ended = &mut step => Some(ended),
            () = line.standing.notified() => None,
        };
        match ended {
            None => {
                self.nodes[number].standing = Some(step);
                Ok(Stepped::Standing)
            }
            Some(Ok(Ok(true))) => Ok(Stepped::Worked),
            Some(Ok(Ok(false))) => Ok(Stepped::Idle),
            Some(Ok(Err(error))) => Err(error.to_string()),
            Some(Err(Crashed)) => {
                drop(step);
                self.crash(number).await?;
                Ok(Stepped::Crashed)
            }
        }
    }

    /// Ends a process: everything that its engine had in memory is gone, and a new one starts.
    ///
    /// # Errors
    /// A sentence when the new one does not start.
    pub async fn crash(&mut self, number: usize) -> Result<(), String> {
        let number = number % self.nodes.len();
        self.nodes[number].standing = None;
        self.nodes[number] = self.make_node().await?;
        Ok(())
    }

    /// Delivers and works until nothing more is due at this moment.
    ///
    /// # Errors
    /// A sentence when the world does not come to rest.
    pub async fn settle(&mut self) -> Result<usize, String> {
        let mut steps = 0;
        loop {
            let mut worked = self.deliver_all().await? > 0;
            worked |= self.deliver_erp().await > 0;
            for node in 0..self.nodes.len() {
                while self.step(node).await? {
                    worked = true;
                    steps += 1;
                    if steps > STEPS_MAX {
                        return Err(format!("after {STEPS_MAX} steps there is still work to do"));
                    }
                }
            }
            if !worked {
                return Ok(steps);
            }
        }
    }

    /// Works without delivering anything, until nothing more is due at this moment.
    ///
    /// # Errors
    /// A sentence when the world does not come to rest.
    pub async fn work(&mut self) -> Result<(), String> {
        for _ in 0..STEPS_MAX {
            let mut worked = false;
            for node in 0..self.nodes.len() {
                worked |= self.step(node).await?;
            }
            if !worked {
                return Ok(());
            }
        }
        Err(format!("after {STEPS_MAX} rounds there is still work to do"))
    }

    /// Lets time pass from one due moment to the next, delivering and working.
    ///
    /// # Errors
    /// A sentence when the world does not come to rest.
    pub async fn pass(&mut self, millis: i64) -> Result<(), String> {
        let end = self.clock.millis() + millis;
        for _ in 0..STEPS_MAX {
            self.settle().await?;
            match self.next_due().await?.filter(|next| *next <= end) {
                Some(next) => self.clock.reach(next),
                None => {
                    self.clock.reach(end);
                    self.settle().await?;
                    return Ok(());
                }
            }
        }
        Err("time does not pass: something becomes due again and again".to_owned())
    }

    /// The next moment at which anything happens by itself.
    ///
    /// # Errors
    /// The store's.
    pub async fn next_due(&self) -> Result<Option<i64>, String> {
        let now = self.clock.millis();
        let ours = self.store.read(move |tx| {
            let row = tx.query_optional(&NEXT, &[now.into()])?;
            row.map_or(Ok(None), |row| row.optional_int(0))
        });
        let ours = ours.await.map_err(|error: suture_store::Error| error.to_string())?;
        let theirs = self.outside.stripe().next_due_ms().filter(|due| *due > now);
        Ok([ours, theirs].into_iter().flatten().min())
    }

    /// The present moment.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }
}
