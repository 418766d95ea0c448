//! Webhook intake: verify on the raw bytes, store sealed, count duplicates, acknowledge. Nothing else happens before the
//! acknowledgement; turning the message into facts is an effect of its own.

use suture_connect::erp::epicor::webhook;
use suture_connect::gateway::{Notice, WebhookRefusal};
use suture_core::audit::chain::Hash;
use suture_core::id::MessageId;
use suture_store::effects::NewEffect;
use suture_store::inbox::{self, NewMessage, Received};

use crate::Error;
use crate::connections::System;
use crate::engine::{Engine, InHand};
use crate::job::Job;

/// What is already known of a message when its effect is handed over in memory.
pub(crate) struct Read {
    pub(crate) notice: Notice,
}

/// What became of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// Taken in; it is on disk.
    Accepted {
        /// Our id for it.
        message: String,
    },
    /// It came before; counted.
    Duplicate {
        /// The message that is kept.
        message: String,
        /// How often it came by now.
        deliveries: i64,
    },
    /// Refused; nothing was stored but a count.
    Refused {
        /// A stable code.
        code: &'static str,
        /// What is wrong.
        detail: String,
    },
}

/// Bodies larger than this are refused unread.
pub const BODY_BYTES_MAX: usize = 1024 * 1024;

impl Engine {
    /// Takes a webhook in. Returns after the commit.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such connection, [`Error::Store`] when nothing could be stored: the sender
    /// must send it again.
    pub async fn receive_webhook(
        &self,
        connection: &str,
        header: impl Fn(&str) -> Option<String>,
        body: &[u8],
    ) -> Result<Delivery, Error> {
        let open = self.connection(connection)?;
        if let System::Epicor { epicor, login, .. } = &open.system {
            let headers: Vec<(String, String)> = header(&epicor.webhook.header)
                .map(|value| (epicor.webhook.header.clone(), value))
                .into_iter()
                .collect();
            let read = webhook::read_call(epicor, &login.webhook, &headers, body, self.now());
            return match read {
                Ok(event) => self.hear_erp(&open, body, event).await,
                Err(refusal) => {
                    let (organization, code) = (open.organization.clone(), code_of(&refusal));
                    self.refuse(&organization, connection, code, refusal.to_string()).await
                }
            };
        }
        let (gateway, _) = open.gateway()?;
        let webhooks = gateway.webhooks().ok_or_else(|| open.problem("it sends no webhooks"))?;
        let now = self.now();
        let refusal = if body.len() > BODY_BYTES_MAX {
            Err(WebhookRefusal::NotAnEvent("it is larger than 1 MiB".to_owned()))
        } else {
            let signature = header(webhooks.signature_header());
            webhooks.verify(signature.as_deref(), body, now).and_then(|()| webhooks.read(body))
        };
        let organization = open.organization.clone();
        let notice = match refusal {
            Ok(notice) => notice,
            Err(refusal) => {
                return self.refuse(&organization, connection, refusal.code(), refusal.to_string()).await;
            }
        };
        if let Some(detail) = foreign(&open, &notice) {
            return self.refuse(&organization, connection, "other_account_or_mode", detail).await;
        }
        self.take_message(&organization, connection, body, notice).await
    }

    async fn refuse(
        &self,
        organization: &str,
        connection: &str,
        code: &'static str,
        detail: String,
    ) -> Result<Delivery, Error> {
        let now = self.now();
        self.0.metrics.count("webhooks_refused", &format!("connection=\"{connection}\",code=\"{code}\""));
        let (organization, connection) = (organization.to_owned(), connection.to_owned());
        self.0
            .store
            .write(move |tx| inbox::reject(tx, &organization, &connection, code, now).map_err(Error::from))
            .await?;
        Ok(Delivery::Refused { code, detail })
    }

    async fn take_message(
        &self,
        organization: &str,
        connection: &str,
        body: &[u8],
        notice: Notice,
    ) -> Result<Delivery, Error> {
        let order = self.order(organization, "intake", "webhook_received");
        let message = MessageId::mint(suture_core::id::Mint::new(order.now, self.random())).to_string();
        let keyring = self.0.store.keyring().clone();
        let new = NewMessage {
            connection: connection.to_owned(),
            event_id: notice.event_id.clone(),
            event_type: notice.event_type.chars().take(80).collect(),
            object_id: notice.object_id.clone(),
            body_hash: Hash::of(body),
            sealed: keyring.seal(&inbox::place(organization, &message), body)?,
            message,
        };
        let job = Job::ApplyMessage { connection: connection.to_owned(), message: new.message.clone() };
        let effect = NewEffect {
            id: new.message.clone(),
            kind: job.kind(),
            lane: None,
            destination: connection.to_owned(),
            stream: None,
            due_at: order.now,
            payload: job.payload(),
        };
        let lane = new.event_id.clone();
        let work = move |change: &mut crate::change::Change<'_, '_>| {
            let received =
                inbox::receive(change.tx, &keyring, &change.order.organization, &new, change.order.now)?;
            if received == Received::New {
                change.effect(effect.clone())?;
            }
            Ok((received, new.message.clone()))
        };
        let ((received, message), held) = self.apply_in(&lane, order, self.0.slots.slot(), work).await?;
        self.0.slots.taken(held.len());
        for held in held {
            // See `hand_over`; what was read already goes along.
            let _ =
                self.0.handoff.send(InHand { held, read: Some(Box::new(Read { notice: notice.clone() })) });
        }
        self.0.wake.notify_one();
        match received {
            Received::New => Ok(Delivery::Accepted { message }),
            Received::Duplicate { message, deliveries } => Ok(Delivery::Duplicate { message, deliveries }),
        }
    }
}

/// The code of a refused call of the ERP: the words of gateways' webhooks.
const fn code_of(refusal: &webhook::CallRefusal) -> &'static str {
    use webhook::CallRefusal as R;
    match refusal {
        R::NoSecret => WebhookRefusal::NoSecret.code(),
        R::MissingHeader(_) => WebhookRefusal::MissingHeader.code(),
        R::NoMatch => WebhookRefusal::NoMatch.code(),
        R::TooLarge | R::Unreadable(_) => "not_an_event",
        R::OtherCompany => "other_account_or_mode",
    }
}

/// Why a correctly signed event is not for this connection: another account, or the other mode.
fn foreign(open: &crate::connections::Open, notice: &Notice) -> Option<String> {
    let System::Gateway { livemode: live, account, .. } = &open.system else { return None };
    if live.is_some_and(|live| live != notice.livemode) {
        let (event, here) = if notice.livemode { ("live", "test") } else { ("test", "live") };
        return Some(format!("the event is from {event} mode, the connection is for {here} mode"));
    }
    match (&notice.account, account) {
        (Some(theirs), Some(ours)) if theirs != ours => Some("the event is for another account".to_owned()),
        _ => None,
    }
}
