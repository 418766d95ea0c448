//! The catalogue of public event types.

use axum::Json;
use serde::Serialize;
use suture_core::catalogue::{MACHINES, Machine};
use utoipa::ToSchema;

use crate::auth::{Permission, Session};
use crate::page::Page;
use crate::problem::Problem;

/// The event types of one kind of object.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct EventTypes {
    /// The kind of object.
    kind: &'static str,
    /// The filter that wants all of them.
    filter: String,
    /// A sentence about them.
    description: &'static str,
    /// The types; empty while only the kind is described.
    types: Vec<EventType>,
}

/// One event type.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct EventType {
    /// For example `payment.captured`.
    #[serde(rename = "type")]
    name: &'static str,
    description: &'static str,
}

impl From<&Machine> for EventTypes {
    fn from(machine: &Machine) -> Self {
        let one = |(name, description): &(&'static str, &'static str)| EventType { name, description };
        Self {
            kind: machine.name,
            filter: format!("{}.*", machine.name),
            description: machine.sentence,
            types: machine.types.iter().map(one).collect(),
        }
    }
}

/// All event types that endpoints can want.
#[utoipa::path(get, path = "/v1/event-types", tag = "endpoints", responses((status = 200, body = Page<EventTypes>)))]
pub(super) async fn list_event_types(session: Session) -> Result<Json<Page<EventTypes>>, Problem> {
    session.may(Permission::ReadConnections)?;
    Ok(Json(Page { items: MACHINES.iter().map(EventTypes::from).collect(), next: None }))
}
