//! The file as written. Unknown keys are refused, so that a misspelled setting is not silently without effect.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::Deserialize;

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LogFormat {
    /// Lines for people.
    #[default]
    Human,
    /// One JSON object per line.
    Json,
}

/// Every setting. `suture.example.toml` explains them.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct File {
    pub(super) database: String,
    pub(super) database_writers: usize,
    pub(super) database_readers: usize,
    pub(super) encryption_keys: Vec<String>,
    pub(super) sealing_key: String,
    pub(super) listen: SocketAddr,
    pub(super) flows: Option<PathBuf>,
    pub(super) jobs: usize,
    pub(super) slots: usize,
    pub(super) node: String,
    pub(super) ehr: Option<String>,
    pub(super) seal_every_seconds: u64,
    pub(super) request_limit_seconds: u64,
    pub(super) requests_per_second_per_key: u32,
    pub(super) metrics_token: Option<String>,
    pub(super) log: LogFormat,
    pub(super) log_level: String,
    pub(super) billing: Billing,
    pub(super) notices: Notices,
}

/// How balances are settled.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Billing {
    pub(super) invoices: bool,
    pub(super) collect_after_days: Option<u16>,
    pub(super) small_balance_minor: i64,
}

/// How messages reach people.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Notices {
    pub(super) public_url: Option<String>,
    pub(super) sender: Option<String>,
    pub(super) quiet_from: Option<String>,
    pub(super) quiet_until: Option<String>,
    pub(super) quiet_zone: Option<String>,
    pub(super) quiet_channels: Option<Vec<String>>,
    pub(super) ask_before_texts: bool,
    pub(super) sandbox_sends: bool,
    pub(super) video_rooms: Option<String>,
    pub(super) smtp: Option<SmtpServer>,
    pub(super) sms: Option<SmsProvider>,
}

/// A mail server.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SmtpServer {
    pub(super) host: String,
    pub(super) port: Option<u16>,
    /// `starttls`, `tls` or `none`.
    pub(super) protection: Option<String>,
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
    pub(super) from: String,
}

/// A provider of texts.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SmsProvider {
    /// `twilio` or `json`.
    pub(super) style: String,
    pub(super) url: Option<String>,
    pub(super) from: String,
    pub(super) secret: String,
    /// Twilio's account.
    pub(super) account: Option<String>,
    /// The JSON body, as text.
    pub(super) body: Option<String>,
    /// Where the answer names the message.
    pub(super) reference: Option<String>,
    #[serde(default)]
    pub(super) takes_key: bool,
}

impl Default for Billing {
    fn default() -> Self {
        let engine = suture_engine::Billing::default();
        Self {
            invoices: engine.invoices,
            collect_after_days: None,
            small_balance_minor: engine.small_balance_minor,
        }
    }
}

impl Default for File {
    fn default() -> Self {
        Self {
            database: "sqlite:suture.db".to_owned(),
            database_writers: 4,
            database_readers: 3,
            encryption_keys: Vec::new(),
            sealing_key: String::new(),
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            flows: None,
            jobs: 128,
            slots: 4096,
            node: "suture".to_owned(),
            ehr: None,
            seal_every_seconds: 60,
            request_limit_seconds: 25,
            requests_per_second_per_key: 100,
            metrics_token: None,
            log: LogFormat::Human,
            log_level: "info".to_owned(),
            billing: Billing::default(),
            notices: Notices::default(),
        }
    }
}
