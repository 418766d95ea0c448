//! Use cases of reading: notices, what they said, and the words of templates.

use suture_core::explain::Reason;
use suture_core::id::NoticeId;
use suture_core::notice::{Channel, Notice, Template, Wording};
use suture_core::redact::Phi;
use suture_store::{journal, notices, wordings};

use super::render::Kept;
use crate::Error;
use crate::engine::Engine;
use crate::payments::Caller;

/// A message as it left, or as it stays in our inbox. Personal: whoever shows it has logged the access.
#[derive(Debug, Clone)]
pub struct Copy {
    /// By which channel.
    pub channel: Channel,
    /// The address.
    pub to: Phi<String>,
    /// The subject; empty for a text.
    pub subject: Phi<String>,
    /// The text.
    pub text: Phi<String>,
}

/// The words of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WordingView {
    /// The template.
    pub template: Template,
    /// Its words.
    pub wording: Wording,
    /// Whether they are the organization's own.
    pub is_own: bool,
}

impl Engine {
    /// Notices, oldest first, after one; about something or for somebody when an id is given.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn notices(
        &self,
        organization: &str,
        about: Option<String>,
        after: &str,
        limit: i64,
    ) -> Result<Vec<Notice>, Error> {
        let (organization, after) = (organization.to_owned(), after.to_owned());
        self.0
            .store
            .read_long(move |tx| {
                let Some(about) = &about else {
                    let found = journal::list_streams::<Notice>(tx, &organization, "notice", &after, limit)?;
                    return Ok(found.into_iter().map(|(_, notice)| notice).collect());
                };
                let mut found = Vec::new();
                for id in notices::list_about(tx, &organization, about, &after, limit)? {
                    found.extend(journal::load::<Notice>(tx, &organization, &id)?.map(|stream| stream.state));
                }
                Ok(found)
            })
            .await
    }

    /// One notice, without its text.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn notice(&self, organization: &str, notice: NoticeId) -> Result<Notice, Error> {
        self.state::<Notice>(organization, &notice.to_string()).await
    }

    /// What a notice said, by channel. The caller has logged the access.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn notice_copies(&self, organization: &str, notice: NoticeId) -> Result<Vec<Copy>, Error> {
        let (keyring, organization) = (self.0.store.keyring().clone(), organization.to_owned());
        self.0
            .store
            .read(move |tx| {
                let id = notice.to_string();
                let mut copies = Vec::new();
                for channel in Channel::ALL {
                    let text = notices::text(tx, &keyring, (&organization, &id, channel.name()))?;
                    let kept = text.and_then(|text| serde_json::from_str::<Kept>(text.expose()).ok());
                    copies.extend(kept.map(|kept| Copy {
                        channel,
                        to: Phi::new(kept.to),
                        subject: Phi::new(kept.subject),
                        text: Phi::new(kept.text),
                    }));
                }
                Ok(copies)
            })
            .await
    }

    /// The words of all templates.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn wordings(&self, organization: &str) -> Result<Vec<WordingView>, Error> {
        let organization = organization.to_owned();
        let own = self.0.store.read(move |tx| wordings::list(tx, &organization).map_err(Error::from)).await?;
        let of = |template: Template| {
            let body = own.iter().find(|(name, _)| name == template.name()).map(|(_, body)| body);
            let kept = body.and_then(|body| serde_json::from_str(body).ok());
            WordingView {
                template,
                is_own: kept.is_some(),
                wording: kept.unwrap_or_else(|| template.wording()),
            }
        };
        Ok(Template::ALL.into_iter().map(of).collect())
    }

    /// Gives a template other words, or ours again. They pass the linter first.
    ///
    /// # Errors
    /// [`Error::Refused`] with the word that could tell too much, and what to write instead.
    pub async fn put_wording(
        &self,
        caller: &Caller,
        template: Template,
        words: Option<Wording>,
    ) -> Result<WordingView, Error> {
        if let Some(words) = &words {
            words.check(template)?;
        }
        let order = self.order_of(caller, Reason::of("wording_changed"));
        self.apply("wordings", order, move |change| {
            let organization = change.order.organization.clone();
            let Some(words) = &words else {
                wordings::remove(change.tx, &organization, template.name())?;
                return Ok(WordingView { template, is_own: false, wording: template.wording() });
            };
            let body = serde_json::to_string(words)
                .map_err(|_| suture_store::Error::Corrupt("words of a template".to_owned()))?;
            wordings::put(change.tx, &organization, template.name(), &body, change.order.now)?;
            Ok(WordingView { template, is_own: true, wording: words.clone() })
        })
        .await
    }
}
