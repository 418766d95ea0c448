//! A server process of its own: time from start to ready on an existing database, and resident memory, idle.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::program::now;
use super::wire::percentile;

/// Prints cold start (median of seven) and idle memory.
pub(super) fn measure(url: &str) -> Result<(), String> {
    let folder = std::env::temp_dir().join(format!("suture-bench-process-{}", std::process::id()));
    std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    // A port that was free a moment ago may be taken by an outgoing connection; another one will do.
    let mut measured = measure_in(&folder, url);
    for _ in 0..3 {
        if measured.is_err() {
            measured = measure_in(&folder, url);
        }
    }
    // Left-overs in the temporary folder do no harm.
    let _ = std::fs::remove_dir_all(&folder);
    measured
}

fn measure_in(folder: &Path, url: &str) -> Result<(), String> {
    let address = free_address()?;
    let config = folder.join("suture.toml");
    let key = |name: &str, byte: u8| -> Result<String, String> {
        let path = folder.join(name);
        let digits = format!("{byte:02x}").repeat(32);
        std::fs::write(&path, digits).map_err(|error| error.to_string())?;
        Ok(format!("file:{}", path.display()))
    };
    let text = format!(
        "database = \"{url}\"\nencryption_keys = [\"bench = {}\"]\nsealing_key = \"{}\"\nlisten = \"{address}\"\n\
         log_level = \"warn\"\n",
        key("encryption.key", 7)?,
        key("sealing.key", 9)?
    );
    std::fs::write(&config, text).map_err(|error| error.to_string())?;
    let mut starts = Vec::new();
    let mut memory = 0;
    for round in 0..8 {
        let begun = now();
        let mut server = start(&config)?;
        let ready = wait_until_ready(address, &mut server);
        let took = begun.elapsed();
        if ready.is_ok() && round == 7 {
            std::thread::park_timeout(Duration::from_secs(2));
            memory = resident_kilobytes(server.id());
        }
        let _ = server.kill();
        let _ = server.wait();
        ready?;
        // The first start makes the schema.
        if round > 0 {
            starts.push(took);
        }
    }
    starts.sort();
    println!(
        "cold start to ready: {:?} (median of {}); idle memory {memory} kB",
        percentile(&starts, 50),
        starts.len()
    );
    Ok(())
}

fn start(config: &Path) -> Result<Child, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut command = Command::new(program);
    command.args(["serve", "--config"]).arg(config).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().map_err(|error| error.to_string())
}

fn free_address() -> Result<SocketAddr, String> {
    TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .map_err(|error| error.to_string())
}

fn wait_until_ready(address: SocketAddr, server: &mut Child) -> Result<(), String> {
    let begun = now();
    while begun.elapsed() < Duration::from_secs(20) {
        if is_ready(address) {
            return Ok(());
        }
        if let Ok(Some(status)) = server.try_wait() {
            return Err(format!("the server ended with {status} before it was ready"));
        }
        std::thread::park_timeout(Duration::from_millis(1));
    }
    Err("the server was not ready after 20 s".to_owned())
}

fn is_ready(address: SocketAddr) -> bool {
    let Ok(mut stream) = TcpStream::connect(address) else { return false };
    let asked = stream.write_all(b"GET /ready HTTP/1.1\r\nhost: bench\r\nconnection: close\r\n\r\n");
    let mut answer = String::new();
    asked.is_ok() && stream.read_to_string(&mut answer).is_ok() && answer.starts_with("HTTP/1.1 200")
}

fn resident_kilobytes(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).unwrap_or(0)
}
