//! The real program as a process of its own, started on a configuration and killed without a warning.

use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::wire::Connection;

/// How to start the program: its configuration, written once.
pub(crate) struct Program {
    pub(crate) address: SocketAddr,
    folder: PathBuf,
}

/// A running server. Dropping it kills it.
pub(crate) struct Server(Child);

impl Program {
    /// Writes a configuration into a folder.
    pub(crate) fn configure(folder: &Path, database: &str, encryption_key: u8, sealing_key: u8) -> Self {
        let address = quiet_address();
        let write = |name: &str, text: &str| {
            let path = folder.join(name);
            std::fs::write(&path, text).expect("the folder can be written");
            path.display().to_string()
        };
        let encryption = write("encryption.key", &format!("{encryption_key:02x}").repeat(32));
        let sealing = write("sealing.key", &format!("{sealing_key:02x}").repeat(32));
        let text = format!(
            "database = \"{database}\"\nencryption_keys = [\"k1 = file:{encryption}\"]\n\
             sealing_key = \"file:{sealing}\"\nlisten = \"{address}\"\nlog_level = \"warn\"\n"
        );
        write("suture.toml", &text);
        Self { address, folder: folder.to_owned() }
    }

    /// Starts a server; it is not ready yet. Its log goes on in the folder.
    pub(crate) fn start(&self) -> Server {
        let log = File::options().create(true).append(true).open(self.folder.join("log"));
        let child = Command::new(env!("CARGO_BIN_EXE_suture"))
            .env_clear()
            .args(["serve", "--config"])
            .arg(self.folder.join("suture.toml"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log.expect("the folder can be written"))
            .spawn();
        Server(child.expect("the binary starts"))
    }

    /// Waits until a started server says that it is ready.
    pub(crate) fn wait_until_ready(&self, server: &mut Server) {
        let begun = now();
        while !self.is_ready() {
            let ended = server.0.try_wait().expect("it can be asked");
            assert!(ended.is_none(), "the server ended with {ended:?}; see {}", self.folder.display());
            assert!(begun.elapsed() < Duration::from_secs(20), "the server was not ready in time");
            std::thread::park_timeout(Duration::from_millis(2));
        }
    }

    fn is_ready(&self) -> bool {
        let request = b"GET /ready HTTP/1.1\r\nhost: suture\r\n\r\n";
        Connection::open(self.address)
            .and_then(|mut connection| connection.exchange(request))
            .is_ok_and(|answer| answer.status() == 200)
    }
}

impl Server {
    /// Lets a moment pass, then kills the server with SIGKILL and sees it gone.
    pub(crate) fn kill_after(self, moment: Duration) {
        let begun = now();
        while let Some(rest) = moment.checked_sub(begun.elapsed()).filter(|rest| !rest.is_zero()) {
            std::thread::park_timeout(rest);
        }
        drop(self);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // One that ended by itself cannot be killed any more, and that is fine.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// An address that no outgoing connection can take while the server is down: below the range that systems use for them.
fn quiet_address() -> SocketAddr {
    let from = u16::try_from(std::process::id() % 8_000).unwrap_or(0) + 20_000;
    let mut free = (from..from + 4_000).map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
    free.find(|address| TcpListener::bind(address).is_ok()).expect("a port is free")
}

/// The time that measures how long something takes.
#[expect(clippy::disallowed_methods, reason = "a real process is waited for in real time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}
