//! Runs: a seed becomes a schedule, the schedule is played, the judge watches, and a violation is shortened.

use std::collections::BTreeSet;
use std::fmt;
use std::future::Future;
use std::sync::OnceLock;
use std::time::Duration;

use suture_engine::Billing;

use crate::judge::{Watch, at_rest, billing_at_rest, facts_are_stored, visits_at_rest, visits_hold};
use crate::sabotage::meddle;
use crate::schedule::{Kind, Move, Player, a_refund_whose_answer_is_lost, kind_of, schedule};
use crate::world::{Content, Home, Setup, World};

/// What is broken on purpose, from outside of the engine, to see that the judge notices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sabotage {
    /// Nothing.
    #[default]
    None,
    /// A request that is sent again carries a fresh Idempotency-Key.
    FreshKeyPerResend,
    /// A request for a refund that is sent again carries a fresh Idempotency-Key.
    FreshKeyPerRefund,
    /// Made-up webhooks arrive under the right signature, and the guard against them, the fetch, is switched off.
    SpoofedEvidence,
    /// Made-up webhooks arrive under the right signature, and the guard is on.
    SpoofedEvidenceGuarded,
    /// Nobody ends the holds of slots.
    ForgottenHoldEnd,
    /// Refunds are decided and never sent.
    ForgottenRefund,
    /// A cancelled appointment keeps its slot.
    ForgottenSlot,
    /// A booking is confirmed without money.
    UnprovenBooking,
}

/// How a run goes.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// The database: `sqlite` in memory, or `postgres`.
    pub store: &'static str,
    /// How many engines share it.
    pub nodes: usize,
    /// How many moves a schedule has.
    pub moves: usize,
    /// What is broken on purpose.
    pub sabotage: Sabotage,
    /// How often a violating schedule is played again to shorten it.
    pub shrinks_max: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { store: "sqlite", nodes: 2, moves: 40, sabotage: Sabotage::None, shrinks_max: 150 }
    }
}

/// A broken invariant with the moves that lead to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// What is broken.
    pub what: String,
    /// After which move, counted from 1; one more than the moves: at rest.
    pub at: usize,
    /// The moves, as few as were found.
    pub moves: Vec<Move>,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The seed.
    pub seed: u64,
    /// How many moves its schedule has.
    pub moves: usize,
    /// The kinds of events that happened in it, when every invariant holds.
    pub reached: BTreeSet<String>,
    /// What was broken, if anything was.
    pub violation: Option<Violation>,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(violation) = &self.violation else {
            return write!(f, "seed {}: {} moves, every invariant holds", self.seed, self.moves);
        };
        let when = if violation.at > violation.moves.len() {
            "at rest".to_owned()
        } else {
            format!("after move {}", violation.at)
        };
        writeln!(f, "seed {}: {when}: {}", self.seed, violation.what)?;
        for (index, step) in violation.moves.iter().enumerate() {
            writeln!(f, "  {:>3}. {step}", index + 1)?;
        }
        write!(f, "  replay with: suture simulate --seeds 1 --start-seed {}", self.seed)
    }
}

/// Plays the schedule of a seed.
///
/// # Errors
/// A sentence when the world could not be set up.
pub async fn run(seed: u64, options: Options) -> Result<Outcome, String> {
    let mut moves = schedule(seed, options.moves);
    if matches!(options.sabotage, Sabotage::SpoofedEvidence | Sabotage::SpoofedEvidenceGuarded) {
        moves.insert(moves.len() / 2, Move::StolenSecret);
    }
    if options.sabotage == Sabotage::FreshKeyPerRefund {
        moves.splice(0..0, a_refund_whose_answer_is_lost());
    }
    let count = moves.len();
    let (reached, violation) = match play(seed, &moves, options).await? {
        Ok(reached) => (reached, None),
        Err(found) => (BTreeSet::new(), Some(shorten(seed, found, options).await?)),
    };
    Ok(Outcome { seed, moves: count, reached, violation })
}

/// Plays the schedule of a seed as the command and the tests do.
///
/// # Errors
/// A sentence when the world could not be set up.
pub async fn replay(seed: u64) -> Result<Outcome, String> {
    run(seed, Options::default()).await
}

/// Plays `seeds` schedules from `start_seed` on and prints what it finds. Says whether every invariant held.
pub fn simulate(seeds: u64, start_seed: u64, mut print: impl FnMut(&str)) -> bool {
    let mut broken = 0_u64;
    for seed in start_seed..start_seed.saturating_add(seeds) {
        match apart(move || replay(seed)) {
            Ok(outcome) if outcome.violation.is_none() => {}
            Ok(outcome) => {
                broken += 1;
                print(&outcome.to_string());
            }
            Err(problem) => {
                broken += 1;
                print(&format!("seed {seed}: the world could not be set up: {problem}"));
            }
        }
        let done = seed - start_seed + 1;
        if done.is_multiple_of(500) {
            print(&format!("{done} schedules played, {broken} broken"));
        }
    }
    print(&format!("{seeds} schedules played from seed {start_seed}, {broken} broken"));
    broken == 0
}

/// Runs on a thread and a runtime of its own, so that callers inside of a runtime may call it too.
pub(crate) fn apart<F, T>(work: impl FnOnce() -> F + Send) -> Result<T, String>
where
    F: Future<Output = Result<T, String>>,
    T: Send,
{
    std::thread::scope(|scope| {
        let running = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
            runtime.map_err(|error| error.to_string())?.block_on(work())
        });
        running.join().unwrap_or_else(|_| Err("the run panicked".to_owned()))
    })
}

/// The kinds of events that happened, or the first violation.
type Played = Result<BTreeSet<String>, Violation>;

async fn play(seed: u64, moves: &[Move], options: Options) -> Result<Played, String> {
    let world = open(seed, options).await?;
    let mut player = Player::open(world, (kind_of(seed), seed.is_multiple_of(2))).await?;
    let mut watch = Watch::default();
    let found = |what: String, at: usize| Err(Violation { what, at, moves: moves.to_vec() });
    for (index, step) in moves.iter().enumerate() {
        if let Err(what) = player.play(*step).await {
            return Ok(found(what, index + 1));
        }
        meddle(&player.world, options.sabotage).await?;
        if let Err(what) = observe(&player, &mut watch).await {
            return Ok(found(what, index + 1));
        }
    }
    let after = moves.len() + 1;
    if let Err(what) = end(seed, &mut player, &mut watch).await {
        return Ok(found(what, after));
    }
    Ok(Ok(watch.kinds().clone()))
}

/// The world comes to rest; with billing it also grows old, so that what was planned happens and what was reserved lapses.
async fn end(seed: u64, player: &mut Player, watch: &mut Watch) -> Result<(), String> {
    const OLD_AGE_MS: i64 = 40 * 86_400_000;
    if player.front().is_some() {
        facts_are_stored(&player.world).await?;
    }
    player.rest().await?;
    judge(player, watch).await?;
    if kind_of(seed) != Kind::Payments {
        player.world.pass(OLD_AGE_MS).await?;
        judge(player, watch).await?;
    }
    Ok(())
}

/// What must hold after every move.
async fn observe(player: &Player, watch: &mut Watch) -> Result<(), String> {
    watch.check(&player.world).await?;
    match player.front() {
        Some(front) => visits_hold(&player.world, front, watch).await,
        None => Ok(()),
    }
}

async fn judge(player: &Player, watch: &mut Watch) -> Result<(), String> {
    observe(player, watch).await?;
    at_rest(&player.world).await?;
    if let Some(front) = player.front() {
        visits_at_rest(&player.world, front, watch).await?;
    }
    billing_at_rest(&player.world, watch).await
}

async fn open(seed: u64, options: Options) -> Result<World, String> {
    let guarded = options.sabotage != Sabotage::SpoofedEvidence;
    let home = match options.store {
        "sqlite" if guarded => Home::copy_of(template()?)?,
        "sqlite" => Home::in_memory()?,
        engine => Home::on(engine),
    };
    let fetch = if guarded { "always" } else { "when_stale" };
    // Some clinics charge what is left by themselves after a notice.
    let collect_after = seed.is_multiple_of(3).then_some(Duration::from_secs(3_600));
    let billing = Billing { collect_after, ..Billing::default() };
    let world = World::open(Setup { seed, nodes: options.nodes, fetch, billing, ..Setup::at(home) }).await?;
    match options.sabotage {
        Sabotage::FreshKeyPerResend => world.outside.resend_with_fresh_keys("/"),
        Sabotage::FreshKeyPerRefund => world.outside.resend_with_fresh_keys("/v1/refunds"),
        _ => {}
    }
    Ok(world)
}

/// The content of a database that is furnished, made on first use.
pub(crate) fn template() -> Result<&'static Content, String> {
    static TEMPLATE: OnceLock<Result<Content, String>> = OnceLock::new();
    let make = || async {
        let world = World::open(Setup::at(Home::in_memory()?)).await?;
        world.home().content()
    };
    TEMPLATE.get_or_init(|| apart(make)).as_ref().map_err(Clone::clone)
}

/// Drops moves, in halves, quarters and so on, as long as something stays broken.
async fn shorten(seed: u64, found: Violation, options: Options) -> Result<Violation, String> {
    let mut best = found;
    let mut plays = 0;
    let mut chunk = (best.moves.len() / 2).max(1);
    loop {
        let mut at = 0;
        let mut shorter = false;
        while at < best.moves.len() && plays < options.shrinks_max {
            let end = (at + chunk).min(best.moves.len());
            let rest: Vec<Move> = [&best.moves[..at], &best.moves[end..]].concat();
            plays += 1;
            match play(seed, &rest, options).await? {
                Err(found) => {
                    best = found;
                    shorter = true;
                }
                Ok(_) => at = end,
            }
        }
        if plays >= options.shrinks_max || (chunk == 1 && !shorter) {
            return Ok(best);
        }
        chunk = (chunk / 2).max(1);
    }
}
