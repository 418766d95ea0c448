//! The clock, the random bits and the runtime of a real process: the only file that reads the system clock.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ring::rand::{SecureRandom, SystemRandom};
use suture_core::id::Random;
use suture_core::time::Timestamp;
use suture_engine::Clock;
use tokio::runtime::Runtime;

use crate::failure::Failure;

/// The clock of this machine.
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock that everything else gets its time from"
    )]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

/// The random bits of this machine.
#[derive(Clone)]
pub(crate) struct MachineRandom(SystemRandom);

impl MachineRandom {
    pub(crate) fn new() -> Self {
        Self(SystemRandom::new())
    }

    /// Fresh bytes, for keys.
    ///
    /// # Errors
    /// When the machine gives none.
    pub(crate) fn bytes<const N: usize>(&self) -> Result<[u8; N], Failure> {
        let mut bytes = [0; N];
        self.0.fill(&mut bytes).map_err(|_| Failure::new("this machine gives no random bytes"))?;
        Ok(bytes)
    }
}

impl Random for MachineRandom {
    fn ten_bytes(&self) -> [u8; 10] {
        // Ids that repeat would mix two payments up; a machine without random bits must not go on.
        self.bytes().expect("the machine gave random bytes when the process started")
    }
}

/// The runtime of a server: two workers are enough for one writer, and keep an idle process small.
///
/// # Errors
/// When threads cannot be started.
pub(crate) fn runtime() -> Result<Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(16)
        .thread_keep_alive(Duration::from_secs(5))
        .thread_stack_size(2 * 1024 * 1024)
        .enable_all()
        .build()
        .map_err(|error| Failure::of("the runtime cannot be started", &error))
}
