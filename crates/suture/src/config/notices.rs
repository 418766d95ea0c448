//! The table `[notices]`: from settings as written to ways that can be used. Secrets by reference only.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use suture_connect::notices::sms::{SmsRoute, Style};
use suture_core::notice::{Channel, Quiet, Rules, lint};
use suture_core::redact::Secret;
use suture_engine::Mailer;
use suture_engine::notices::{Notices, OwnRooms, TemplateRooms, VisitRooms};

use super::environment::Environment;
use super::file::{Notices as Written, SmsProvider, SmtpServer};
use super::reference::Reference;
use crate::failure::Failure;
use crate::mailer::{Protection, Smtp};

/// Twilio's address for messages of an account.
const TWILIO: &str = "https://api.twilio.com/2010-04-01/Accounts";

/// Checks the table and reads its secrets.
///
/// # Errors
/// A sentence about the first thing that is wrong, without any secret.
pub(super) fn resolve(
    written: Written,
    listen: SocketAddr,
    folder: &Path,
    environment: &Environment,
) -> Result<Notices, Failure> {
    let secret =
        |setting: &str, text: &str| Reference::parse(setting, text)?.read(setting, folder, environment);
    let rules = Rules { quiet: quiet(&written)?, ask_first: written.ask_before_texts };
    let leaves = written.smtp.is_some() || written.sms.is_some();
    let public_url = match written.public_url {
        Some(url) => public_url(&url)?,
        None if leaves => {
            return Err(Failure::new(
                "notices.public_url is missing: messages that leave the house hold links, and must say where this \
                 server is found, for example https://care.example.org",
            ));
        }
        None => format!("http://{listen}"),
    };
    if let Some(found) = written.sender.as_deref().and_then(|sender| lint(sender).into_iter().next()) {
        return Err(Failure::new(format!("notices.sender: {found}")));
    }
    let rooms: Arc<dyn VisitRooms> = match &written.video_rooms {
        None => Arc::new(OwnRooms),
        Some(address) => {
            let rooms = TemplateRooms::try_new(address);
            Arc::new(rooms.map_err(|wrong| Failure::new(format!("notices.video_rooms: {wrong}")))?)
        }
    };
    let mailer = match written.smtp {
        Some(server) => Some(Arc::new(smtp(server, secret)?) as Arc<dyn Mailer>),
        None => None,
    };
    let sms = written.sms.map(|provider| sms(provider, secret).map(Arc::new)).transpose()?;
    Ok(Notices {
        public_url,
        sender: written.sender,
        rules,
        mailer,
        sms,
        sandbox_sends: written.sandbox_sends,
        rooms,
    })
}

fn public_url(url: &str) -> Result<String, Failure> {
    let url = url.trim_end_matches('/');
    let local = url.starts_with("http://127.0.0.1") || url.starts_with("http://localhost");
    let plain = url.len() <= 150 && !url.contains(['?', '#', ' ', '@']);
    match plain && (local || url.starts_with("https://")) {
        true => Ok(url.to_owned()),
        false => Err(Failure::new(
            "notices.public_url is not an https address such as https://care.example.org, of at most 150 characters",
        )),
    }
}

fn quiet(written: &Written) -> Result<Option<Quiet>, Failure> {
    let parts = (&written.quiet_from, &written.quiet_until, &written.quiet_zone);
    let (from, until, zone) = match parts {
        (None, None, None) => return Ok(None),
        (Some(from), Some(until), Some(zone)) => (from, until, zone),
        _ => {
            return Err(Failure::new(
                "notices.quiet_from, notices.quiet_until and notices.quiet_zone are given together or not at all",
            ));
        }
    };
    let named = written.quiet_channels.clone().unwrap_or_else(|| vec!["sms".to_owned()]);
    let channels: Option<Vec<Channel>> = named.iter().map(|name| Channel::parse(name)).collect();
    let channels =
        channels.ok_or_else(|| Failure::new("notices.quiet_channels may hold `sms` and `email`"))?;
    let quiet = Quiet::try_new(from, until, zone, &channels);
    quiet.map(Some).map_err(|refusal| Failure::new(format!("notices.quiet_from: {refusal}")))
}

fn smtp(
    server: SmtpServer,
    secret: impl Fn(&str, &str) -> Result<Secret<String>, Failure>,
) -> Result<Smtp, Failure> {
    let protection = match server.protection.as_deref() {
        None | Some("starttls") => Protection::StartTls,
        Some("tls") => Protection::Tls,
        Some("none") if is_here(&server.host) => Protection::None,
        Some("none") => {
            return Err(Failure::new(
                "notices.smtp.protection is `none`, which is for a mail catcher on this machine only",
            ));
        }
        Some(_) => return Err(Failure::new("notices.smtp.protection is `starttls`, `tls` or `none`")),
    };
    let user = match (server.user, server.password) {
        (Some(user), Some(password)) => Some((user, secret("notices.smtp.password", &password)?)),
        (None, None) => None,
        _ => return Err(Failure::new("notices.smtp.user and notices.smtp.password are given together")),
    };
    let from = server.from.parse().map_err(|_| {
        Failure::new("notices.smtp.from is not a mailbox such as `Elm Clinic <noreply@elm.example>`")
    })?;
    let usual = match protection {
        Protection::Tls => 465,
        Protection::StartTls => 587,
        Protection::None => 1025,
    };
    Ok(Smtp { host: server.host, port: server.port.unwrap_or(usual), protection, user, from })
}

fn is_here(host: &str) -> bool {
    matches!(host, "localhost" | "127.0.0.1" | "::1")
}

fn sms(
    provider: SmsProvider,
    secret: impl Fn(&str, &str) -> Result<Secret<String>, Failure>,
) -> Result<SmsRoute, Failure> {
    let wrong = |what: &str| Failure::new(format!("notices.sms: {what}"));
    let (style, url) = match provider.style.as_str() {
        "twilio" => {
            let account = provider.account.ok_or_else(|| wrong("account is missing"))?;
            let url = provider.url.unwrap_or_else(|| format!("{TWILIO}/{account}/Messages.json"));
            (Style::Twilio { account }, url)
        }
        "json" => {
            let body = provider.body.ok_or_else(|| wrong("body is missing"))?;
            let body = serde_json::from_str(&body).map_err(|_| wrong("body is not JSON"))?;
            let reference = provider.reference.unwrap_or_else(|| "/id".to_owned());
            let url = provider.url.ok_or_else(|| wrong("url is missing"))?;
            (Style::Json { body, reference, takes_key: provider.takes_key }, url)
        }
        _ => return Err(wrong("style is `twilio` or `json`")),
    };
    let secret = secret("notices.sms.secret", &provider.secret)?;
    let route = SmsRoute { style, url, from: provider.from, secret };
    route.check().map_err(|problem| wrong(&problem))?;
    Ok(route)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(text: &str) -> Result<Notices, String> {
        let written: Written = toml::from_str(text).map_err(|error| error.to_string())?;
        let environment = [("A_SECRET".to_owned(), "hunter2".to_owned())].into();
        let listen = SocketAddr::from(([127, 0, 0, 1], 8080));
        resolve(written, listen, Path::new("/srv"), &environment).map_err(|failure| failure.to_string())
    }

    #[test]
    fn without_a_word_everything_stays_in_the_house() {
        let notices = resolved("").unwrap();
        assert_eq!(notices.public_url, "http://127.0.0.1:8080");
        assert!(notices.mailer.is_none() && notices.sms.is_none() && notices.rules.quiet.is_none());
        assert!(!notices.sandbox_sends);
    }

    #[test]
    fn a_mail_server_and_a_provider_of_texts_are_set_without_showing_secrets() {
        let notices = resolved(
            "public_url = \"https://care.example/\"\nquiet_from = \"21:00\"\nquiet_until = \"08:00\"\n\
             quiet_zone = \"America/Chicago\"\nvideo_rooms = \"https://video.example/{room}\"\n\
             [smtp]\nhost = \"mail.example\"\nuser = \"u\"\npassword = \"env:A_SECRET\"\nfrom = \"Elm <no@elm.example>\"\n\
             [sms]\nstyle = \"twilio\"\naccount = \"AC1\"\nfrom = \"+15550001111\"\nsecret = \"env:A_SECRET\"\n",
        )
        .unwrap();
        assert_eq!(notices.public_url, "https://care.example");
        let sms = notices.sms.clone().unwrap();
        assert_eq!(sms.url, "https://api.twilio.com/2010-04-01/Accounts/AC1/Messages.json");
        assert!(notices.mailer.is_some() && notices.rules.quiet.is_some());
        assert!(!format!("{notices:?}").contains("hunter2"));
    }

    #[test]
    fn settings_that_cannot_work_are_refused_by_name() {
        let mail = "[smtp]\nhost = \"mail.example\"\nfrom = \"no@elm.example\"\n";
        let texts = "[sms]\nfrom = \"x\"\nsecret = \"env:A_SECRET\"\n";
        for (text, name) in [
            (mail.to_owned(), "public_url"),
            ("public_url = \"http://care.example\"".to_owned(), "public_url"),
            ("quiet_from = \"21:00\"".to_owned(), "quiet_zone"),
            ("quiet_from = \"x\"\nquiet_until = \"y\"\nquiet_zone = \"UTC\"".to_owned(), "quiet_from"),
            ("video_rooms = \"https://video.example\"".to_owned(), "video_rooms"),
            (format!("public_url = \"https://c.example\"\n{mail}protection = \"none\"\n"), "protection"),
            (format!("public_url = \"https://c.example\"\n{mail}user = \"u\"\n"), "password"),
            (format!("public_url = \"https://c.example\"\n{texts}style = \"fax\"\n"), "style"),
            (format!("public_url = \"https://c.example\"\n{texts}style = \"json\"\n"), "body"),
            ("sender = \"Elm Oncology\"".to_owned(), "oncology"),
            ("public_ulr = \"x\"".to_owned(), "public_ulr"),
        ] {
            let refused = resolved(&text).unwrap_err();
            assert!(refused.contains(name) && !refused.contains("hunter2"), "{text}: {refused}");
        }
        let inline = resolved(
            "public_url = \"https://c.example\"\n[sms]\nfrom = \"x\"\nsecret = \"hunter2\"\nstyle = \"twilio\"\naccount = \"AC1\"\n",
        );
        assert!(inline.unwrap_err().contains("reference"));
    }
}
