//! The world outside: an Epic that takes payments and never takes one twice, and a Stripe that knows its charges.
//!
//! Epic is honest about duplicates: a reference that it has is refused with its own number, and counted, because the
//! promise is that nobody even tries. Now and then it acts and hangs up without an answer.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::chance::Chance;
use crate::wire::{Connection, Message};

/// Everything that happened outside.
pub(crate) struct Outside {
    books: Mutex<Books>,
    changed: Condvar,
}

/// What the two systems know.
pub(crate) struct Books {
    /// Accepted transactions by reference.
    pub(crate) accepted: BTreeMap<String, Transaction>,
    /// References that were sent again after they had been accepted.
    pub(crate) second_posts: Vec<String>,
    /// How often a reference was looked up.
    pub(crate) look_ups: u64,
    /// How often Epic acted or read and hung up.
    pub(crate) hung_up: u64,
    /// How often Stripe was asked for a charge.
    pub(crate) fetches: u64,
    charges: BTreeMap<String, String>,
    chance: Chance,
}

/// A transaction as Epic keeps it.
pub(crate) struct Transaction {
    /// The amount exactly as written in the request.
    pub(crate) amount: String,
    receipt: usize,
}

#[derive(Deserialize)]
struct Sent {
    #[serde(rename = "TransactionID")]
    reference: String,
    #[serde(rename = "Amount")]
    amount: Option<Box<RawValue>>,
}

impl Outside {
    /// Starts both systems on one address.
    pub(crate) fn start(chance: Chance) -> (Arc<Self>, SocketAddr) {
        let books = Books {
            accepted: BTreeMap::new(),
            second_posts: Vec::new(),
            look_ups: 0,
            hung_up: 0,
            fetches: 0,
            charges: BTreeMap::new(),
            chance,
        };
        let outside = Arc::new(Self { books: Mutex::new(books), changed: Condvar::new() });
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        let served = outside.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let served = served.clone();
                std::thread::spawn(move || served.serve(Connection::over(stream)?));
            }
        });
        (outside, address)
    }

    /// What the systems know now.
    pub(crate) fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().expect("no answer panicked")
    }

    /// Stripe has a charge from now on.
    pub(crate) fn charge(&self, id: &str, charge: &Value) {
        self.books().charges.insert(id.to_owned(), charge.to_string());
    }

    /// Waits until Epic accepted so many transactions.
    pub(crate) fn wait_until_accepted(&self, count: usize) {
        let limit = Duration::from_secs(20);
        let waited =
            self.changed.wait_timeout_while(self.books(), limit, |books| books.accepted.len() < count);
        let (books, _) = waited.expect("no answer panicked");
        assert!(books.accepted.len() >= count, "{} of {count} were accepted in time", books.accepted.len());
    }

    fn serve(&self, mut connection: Connection) -> std::io::Result<()> {
        loop {
            let request = connection.read()?;
            let answer = self.books().answer(&request);
            self.changed.notify_all();
            // Dropping the connection is the hanging up.
            let Some((status, body)) = answer else { return Ok(()) };
            let head = format!(
                "HTTP/1.1 {status} Told\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
                body.len()
            );
            connection.write(&[head.as_bytes(), body.as_bytes()].concat())?;
        }
    }
}

impl Books {
    /// Acts on a request; `None` hangs up.
    fn answer(&mut self, request: &Message) -> Option<(u16, String)> {
        let target = request.target().split('?').next().unwrap_or_default();
        if target.ends_with("/token") {
            let token = r#"{"access_token":"kills","token_type":"bearer","expires_in":3600,"scope":""}"#;
            return Some((200, token.to_owned()));
        }
        if let Some(id) = target.strip_prefix("/v1/charges/") {
            self.fetches += 1;
            return Some(self.charges.get(id).map_or((404, "{}".to_owned()), |charge| (200, charge.clone())));
        }
        let sent: Sent = serde_json::from_slice(&request.body).expect("Suture writes JSON with a reference");
        let answer = match target.rsplit('/').next() {
            Some("PostTransactionResult") => self.post(sent),
            Some("GetPaymentSessionData") => self.look_up(&sent.reference),
            _ => panic!("Suture asked for {target}, which is not part of this story"),
        };
        let hangs_up = self.chance.one_in(12);
        self.hung_up += u64::from(hangs_up);
        (!hangs_up).then_some(answer)
    }

    fn post(&mut self, sent: Sent) -> (u16, String) {
        let reference = sent.reference;
        if self.accepted.contains_key(&reference) {
            self.second_posts.push(reference);
            return (400, r#"{"ErrorCode":59141,"Status":"Rejected"}"#.to_owned());
        }
        let amount = sent.amount.expect("a payment has an amount").get().to_owned();
        let receipt = self.accepted.len() + 1;
        // Without a receipt number the proof is a read-back, which is one more request to be killed in.
        let proof = match self.chance.one_in(3) {
            true => String::new(),
            false => format!(r#","ReceiptNumber":"R{receipt}""#),
        };
        let answer = format!(
            r#"{{"Status":"Accepted","TransactionID":"{reference}","TransactionType":"Payment","Amount":{amount},"Currency":"USD"{proof}}}"#
        );
        self.accepted.insert(reference, Transaction { amount, receipt });
        (200, answer)
    }

    fn look_up(&mut self, reference: &str) -> (u16, String) {
        self.look_ups += 1;
        let Some(Transaction { amount, receipt }) = self.accepted.get(reference) else {
            return (200, r#"{"Transactions":[]}"#.to_owned());
        };
        let found = format!(
            r#"{{"Transactions":[{{"TransactionID":"{reference}","ReceiptNumber":"R{receipt}","Amount":{amount},"Currency":"USD","TransactionType":"Payment","Status":"Posted"}}]}}"#
        );
        (200, found)
    }
}
