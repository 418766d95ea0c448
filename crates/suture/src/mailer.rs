//! E-mails over SMTP: one connection for one mail, and an exact border between not sent and unknown.
//!
//! What must stay true: only when the text itself may have been taken is an outcome lost; everything before the server's
//! word about it proves that nothing was sent (RFC 5321 §4.5.3.2, §6.1). Nothing but codes of the server is given back.

use std::time::Duration;

use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail as MailFrom, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use suture_core::redact::Secret;
use suture_engine::{Mail, Mailer, Mailing, Unmailed};

/// How the connection to the mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protection {
    /// TLS from the first byte (usually port 465).
    Tls,
    /// TLS after the greeting, or nothing is sent (usually port 587).
    StartTls,
    /// None: a mail catcher on this machine.
    None,
}

/// The way to a mail server. Printed without the password.
#[derive(Debug, Clone)]
pub(crate) struct Smtp {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) protection: Protection,
    pub(crate) user: Option<(String, Secret<String>)>,
    /// The sender of every mail.
    pub(crate) from: Mailbox,
}

/// `List-Unsubscribe` and its one click (RFC 8058).
#[derive(Clone)]
struct Unsubscribe(String);
#[derive(Clone)]
struct OneClick;
/// Whoever answers by machine must not answer this (RFC 3834).
#[derive(Clone)]
struct AutoSubmitted;

macro_rules! headers {
    ($($kind:ty, $name:literal, $this:ident => $value:expr;)*) => {$(
        impl Header for $kind {
            fn name() -> HeaderName {
                HeaderName::new_from_ascii_str($name)
            }
            fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
                Err("this header is only written".into())
            }
            fn display(&self) -> HeaderValue {
                let $this = self;
                HeaderValue::new(Self::name(), $value)
            }
        }
    )*};
}

headers! {
    Unsubscribe, "List-Unsubscribe", this => format!("<{}>", this.0);
    OneClick, "List-Unsubscribe-Post", _this => "List-Unsubscribe=One-Click".to_owned();
    AutoSubmitted, "Auto-Submitted", _this => "auto-generated".to_owned();
}

impl Mailer for Smtp {
    fn mail(&self, mail: Mail, limit: Duration) -> Mailing<'_> {
        Box::pin(self.exchange(mail, limit))
    }
}

impl Smtp {
    async fn exchange(&self, mail: Mail, limit: Duration) -> Result<String, Unmailed> {
        let message = self.message(&mail)?;
        let slow = |_| Unmailed::NotSent("no_answer_in_time".to_owned());
        let mut connection =
            tokio::time::timeout(limit * 2 / 5, self.open(&message)).await.map_err(slow)??;
        let text = message.formatted();
        let answer = tokio::time::timeout(limit * 3 / 5, connection.message(&text)).await;
        match answer {
            Err(_) => Err(Unmailed::Lost("answer_lost".to_owned())),
            Ok(Err(error)) => Err(after(&error)),
            Ok(Ok(taken)) => {
                // It is taken; how the server says goodbye is not interesting.
                drop(connection);
                Ok(taken.code().to_string())
            }
        }
    }

    fn message(&self, mail: &Mail) -> Result<Message, Unmailed> {
        let refused = |code: &str| Unmailed::Refused(code.to_owned());
        let to: Mailbox = mail.to.expose().parse().map_err(|_| refused("address_invalid"))?;
        let mut building = Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(mail.subject.expose())
            .message_id(Some(format!("<{}>", mail.message_id)))
            .header(AutoSubmitted)
            .header(ContentType::TEXT_PLAIN);
        if let Some(link) = &mail.unsubscribe {
            building = building.header(Unsubscribe(link.clone())).header(OneClick);
        }
        building.body(mail.text.expose().clone()).map_err(|_| refused("message_invalid"))
    }

    /// Connects, says who we are, and names sender and recipient: everything before the text.
    async fn open(&self, message: &Message) -> Result<AsyncSmtpConnection, Unmailed> {
        let tls = || TlsParameters::new(self.host.clone()).map_err(|error| before(&error));
        let hello = ClientId::default();
        let first = if self.protection == Protection::Tls { Some(tls()?) } else { None };
        let server = (self.host.as_str(), self.port);
        let connected = AsyncSmtpConnection::connect_tokio1(server, None, &hello, first, None).await;
        let mut connection = connected.map_err(|error| before(&error))?;
        if self.protection == Protection::StartTls {
            connection.starttls(tls()?, &hello).await.map_err(|error| before(&error))?;
        }
        if let Some((user, password)) = &self.user {
            let credentials = Credentials::new(user.clone(), password.expose().clone());
            let login = connection.auth(&[Mechanism::Plain, Mechanism::Login], &credentials).await;
            login.map_err(|error| before(&error))?;
        }
        let envelope = message.envelope();
        let from = MailFrom::new(envelope.from().cloned(), Vec::new());
        connection.command(from).await.map_err(|error| before(&error))?;
        for to in envelope.to() {
            let named = connection.command(Rcpt::new(to.clone(), Vec::new())).await;
            // Only here a no for ever is about the mailbox, and not about us.
            named.map_err(|error| if error.is_permanent() { after(&error) } else { before(&error) })?;
        }
        connection.command(Data).await.map_err(|error| before(&error))?;
        Ok(connection)
    }
}

/// A failure before the text left.
fn before(error: &SmtpError) -> Unmailed {
    Unmailed::NotSent(code(error))
}

/// The server's word about the mailbox or the text, or none.
fn after(error: &SmtpError) -> Unmailed {
    match (error.is_permanent(), error.is_transient()) {
        (true, _) => Unmailed::Refused(code(error)),
        (_, true) => Unmailed::NotSent(code(error)),
        _ => Unmailed::Lost("answer_lost".to_owned()),
    }
}

/// The server's code. Its words may repeat the address.
fn code(error: &SmtpError) -> String {
    match error.status() {
        Some(code) => code.to_string(),
        None if error.is_tls() => "tls".to_owned(),
        None => "no_connection".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use suture_core::redact::Phi;
    use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
    use tokio::net::TcpListener;

    use super::*;

    /// A mail server on this machine that says its lines, one after each line that it hears; inside a text it waits for the
    /// end. Without more lines it hangs up. It gives back what it heard.
    async fn server(lines: &'static [&'static str]) -> (Smtp, tokio::task::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let mut stream = BufReader::new(stream);
            let (mut heard, mut in_text) = (String::new(), false);
            for line in lines {
                stream.write_all(format!("{line}\r\n").as_bytes()).await.unwrap();
                in_text |= line.starts_with("354");
                loop {
                    let mut said = String::new();
                    if stream.read_line(&mut said).await.unwrap_or(0) == 0 {
                        return heard;
                    }
                    heard.push_str(&said);
                    if !in_text || said == ".\r\n" {
                        in_text = false;
                        break;
                    }
                }
            }
            heard
        });
        let smtp = Smtp {
            host: "127.0.0.1".to_owned(),
            port,
            protection: Protection::None,
            user: None,
            from: "Elm Clinic <noreply@elm.example>".parse().unwrap(),
        };
        (smtp, heard)
    }

    fn mail() -> Mail {
        Mail {
            to: Phi::new("ann@example.org".to_owned()),
            subject: Phi::new("Your visit: Tue".to_owned()),
            text: Phi::new("Grüße\n.\nfrom us".to_owned()),
            message_id: "ntc_1@notices.suture".to_owned(),
            unsubscribe: Some("https://care.example/opt-out/tok".to_owned()),
        }
    }

    const LIMIT: Duration = Duration::from_secs(20);

    #[tokio::test]
    async fn a_mail_is_taken_with_the_headers_that_mailboxes_ask_for() {
        let (smtp, heard) =
            server(&["220 hi", "250 hi", "250 ok", "250 ok", "354 go", "250 2.0.0 queued as A1"]).await;
        assert_eq!(smtp.mail(mail(), LIMIT).await, Ok("250".to_owned()));
        let heard = heard.await.unwrap();
        for line in [
            "MAIL FROM:<noreply@elm.example>",
            "RCPT TO:<ann@example.org>",
            "Message-ID: <ntc_1@notices.suture>",
            "List-Unsubscribe: <https://care.example/opt-out/tok>",
            "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
            "Auto-Submitted: auto-generated",
            "Subject: Your visit: Tue",
        ] {
            assert!(heard.contains(&format!("{line}\r\n")), "{line} is missing in\n{heard}");
        }
    }

    #[tokio::test]
    async fn only_after_the_text_left_an_outcome_is_unknown() {
        let not_sent = |code: &str| Err(Unmailed::NotSent(code.to_owned()));
        let refused = |code: &str| Err(Unmailed::Refused(code.to_owned()));
        let lost = || Err(Unmailed::Lost("answer_lost".to_owned()));
        let cases: [(&'static [&'static str], Result<String, Unmailed>); 8] = [
            (&[], not_sent("no_connection")),
            (&["421 busy"], not_sent("421")),
            (&["220 hi", "250 hi", "550 not you"], not_sent("550")),
            (&["220 hi", "250 hi", "250 ok", "450 later"], not_sent("450")),
            (&["220 hi", "250 hi", "250 ok", "550 no such user ann@example.org"], refused("550")),
            (&["220 hi", "250 hi", "250 ok", "250 ok"], not_sent("no_connection")),
            (&["220 hi", "250 hi", "250 ok", "250 ok", "354 go"], lost()),
            (&["220 hi", "250 hi", "250 ok", "250 ok", "354 go", "451 later"], not_sent("451")),
        ];
        for (lines, expected) in cases {
            let (smtp, _heard) = server(lines).await;
            assert_eq!(smtp.mail(mail(), LIMIT).await, expected, "{lines:?}");
        }
    }

    #[tokio::test]
    async fn without_tls_nothing_is_sent_when_tls_is_asked_for() {
        let (smtp, heard) = server(&["220 hi", "250 hi", "500 what"]).await;
        let smtp = Smtp {
            protection: Protection::StartTls,
            user: Some(("clinic".to_owned(), Secret::new("hunter2".to_owned()))),
            ..smtp
        };
        assert!(matches!(smtp.mail(mail(), LIMIT).await, Err(Unmailed::NotSent(_))));
        assert!(!heard.await.unwrap().contains("AUTH"));
        assert!(!format!("{smtp:?}").contains("hunter2"));
    }
}
