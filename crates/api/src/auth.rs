//! Who may do what: the one place where a key becomes a caller, and the one table of roles and permissions.
//!
//! Every handler under `/v1` takes a [`Session`] and names its permission with [`Session::may`]; without the permission
//! there is no [`Caller`], and without a caller no use case can be called.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use suture_core::audit::chain::Hash;
use suture_core::explain::Actor;
use suture_core::redact::Secret;
use suture_engine::Caller;

use crate::app::App;
use crate::problem::Problem;

/// What a key may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Everything.
    Admin,
    /// Money and its repair.
    Billing,
    /// Taking payments at the desk.
    FrontDesk,
    /// Reading everything that proves something.
    Auditor,
    /// Connections, flows and deliveries.
    Integrator,
    /// Seeing patients and writing down what was done.
    Provider,
}

impl Role {
    /// All roles with their names.
    pub(crate) const ALL: [(Self, &'static str); 6] = [
        (Self::Admin, "admin"),
        (Self::Billing, "billing"),
        (Self::FrontDesk, "front_desk"),
        (Self::Auditor, "auditor"),
        (Self::Integrator, "integrator"),
        (Self::Provider, "provider"),
    ];

    /// The role of this name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, known)| *known == name).map(|(role, _)| role)
    }

    /// Whether it may decide what is for the role of a name: that role, or an admin.
    fn decides_for(self, name: &str) -> bool {
        self == Self::Admin || Self::parse(name) == Some(self)
    }
}

/// What can be allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Permission {
    ReadPayments,
    TakePayments,
    RefundPayments,
    IdentifyPayers,
    ReadLinks,
    MakeLinks,
    ReadDeliveries,
    RepairDeliveries,
    SeeRunContent,
    ReadBooks,
    ReadAudit,
    ReadAccess,
    ReadConnections,
    ManageConnections,
    ManageKeys,
    ReadPatients,
    ManagePatients,
    ReadBilling,
    ManageServices,
    SettleServices,
    ManagePayouts,
    ReadSchedule,
    ManagePractice,
    BookVisits,
    DocumentCare,
}

/// Whether a role has a permission. This is the table.
pub(crate) const fn allows(role: Role, permission: Permission) -> bool {
    use Permission as P;
    match role {
        Role::Admin => true,
        Role::Billing => matches!(
            permission,
            P::ReadPayments
                | P::TakePayments
                | P::RefundPayments
                | P::IdentifyPayers
                | P::ReadLinks
                | P::MakeLinks
                | P::ReadDeliveries
                | P::RepairDeliveries
                | P::ReadBooks
                | P::ReadConnections
                | P::ReadPatients
                | P::ManagePatients
                | P::ReadBilling
                | P::ManageServices
                | P::SettleServices
                | P::ManagePayouts
                | P::ReadSchedule
                | P::ManagePractice
                | P::BookVisits
        ),
        Role::FrontDesk => matches!(
            permission,
            P::ReadPayments
                | P::TakePayments
                | P::ReadLinks
                | P::MakeLinks
                | P::ReadPatients
                | P::ManagePatients
                | P::ReadBilling
                | P::ManageServices
                | P::ReadSchedule
                | P::BookVisits
        ),
        Role::Auditor => matches!(
            permission,
            P::ReadPayments
                | P::ReadDeliveries
                | P::ReadBooks
                | P::ReadAudit
                | P::ReadAccess
                | P::ReadConnections
                | P::ReadBilling
                | P::ReadSchedule
        ),
        Role::Integrator => matches!(
            permission,
            P::ReadPayments
                | P::ReadDeliveries
                | P::RepairDeliveries
                | P::SeeRunContent
                | P::ReadConnections
                | P::ManageConnections
        ),
        Role::Provider => {
            matches!(permission, P::ReadPatients | P::ReadSchedule | P::BookVisits | P::DocumentCare)
        }
    }
}

/// An authenticated request.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    caller: Caller,
    key: String,
    role: Option<Role>,
}

impl Session {
    /// The caller, when the key's role has the permission.
    pub(crate) fn may(&self, permission: Permission) -> Result<Caller, Problem> {
        if self.has(permission) { Ok(self.caller.clone()) } else { Err(Problem::forbidden()) }
    }

    /// Whether the key's role has the permission. A role that this version does not know has none.
    pub(crate) fn has(&self, permission: Permission) -> bool {
        self.role.is_some_and(|role| allows(role, permission))
    }

    /// The caller, when the key's role is that of this name, or admin.
    pub(crate) fn as_role(&self, name: &str) -> Result<Caller, Problem> {
        let may = self.role.is_some_and(|role| role.decides_for(name));
        if may { Ok(self.caller.clone()) } else { Err(Problem::forbidden()) }
    }

    /// The tenant.
    pub(crate) fn organization(&self) -> &str {
        &self.caller.organization
    }

    /// The API key's id.
    pub(crate) fn key(&self) -> &str {
        &self.key
    }
}

impl FromRequestParts<App> for Session {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let secret = bearer(&parts.headers).filter(|secret| secret.expose().starts_with("suture_"));
        let secret = secret.ok_or_else(Problem::unauthenticated)?;
        let key = app.engine.find_api_key(&secret).await?.ok_or_else(Problem::unauthenticated)?;
        if !app.limiter.take(&key.id, app.engine.now()) {
            return Err(Problem::rate_limited());
        }
        let caller = Caller { organization: key.organization, actor: Actor::ApiKey(key.id.clone()) };
        Ok(Self { caller, role: Role::parse(&key.role), key: key.id })
    }
}

/// The bearer token of a request.
fn bearer(headers: &HeaderMap) -> Option<Secret<String>> {
    let text = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = text.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") && token.len() <= 256)
        .then(|| Secret::new(token.trim().to_owned()))
}

/// Whether the request carries the token of the metrics page, or the page needs none.
pub(crate) fn may_read_metrics(headers: &HeaderMap, token: Option<&Secret<String>>) -> bool {
    let Some(token) = token else { return true };
    // Hashes are compared, so the time that it takes tells nothing about the token.
    bearer(headers)
        .is_some_and(|given| Hash::of(given.expose().as_bytes()) == Hash::of(token.expose().as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERMISSIONS: [Permission; 25] = [
        Permission::ReadPayments,
        Permission::TakePayments,
        Permission::RefundPayments,
        Permission::IdentifyPayers,
        Permission::ReadLinks,
        Permission::MakeLinks,
        Permission::ReadDeliveries,
        Permission::RepairDeliveries,
        Permission::SeeRunContent,
        Permission::ReadBooks,
        Permission::ReadAudit,
        Permission::ReadAccess,
        Permission::ReadConnections,
        Permission::ManageConnections,
        Permission::ManageKeys,
        Permission::ReadPatients,
        Permission::ManagePatients,
        Permission::ReadBilling,
        Permission::ManageServices,
        Permission::SettleServices,
        Permission::ManagePayouts,
        Permission::ReadSchedule,
        Permission::ManagePractice,
        Permission::BookVisits,
        Permission::DocumentCare,
    ];

    #[test]
    fn a_question_is_decided_by_its_role_or_an_admin_and_by_nobody_else() {
        for (role, name) in Role::ALL {
            assert!(role.decides_for(name), "{name}");
            assert_eq!(role.decides_for("auditor"), matches!(role, Role::Admin | Role::Auditor), "{name}");
            assert_eq!(role.decides_for("nobody"), role == Role::Admin, "{name}");
        }
    }

    #[test]
    fn the_table_of_roles_is_the_one_that_was_agreed() {
        let cell = |role, permission| if allows(role, permission) { "x" } else { "-" };
        let row = |permission: Permission| {
            let cells: Vec<&str> = Role::ALL.iter().map(|(role, _)| cell(*role, permission)).collect();
            format!("{} {permission:?}", cells.join(""))
        };
        let table: Vec<String> = PERMISSIONS.into_iter().map(row).collect();
        let agreed = [
            "xxxxx- ReadPayments",
            "xxx--- TakePayments",
            "xx---- RefundPayments",
            "xx---- IdentifyPayers",
            "xxx--- ReadLinks",
            "xxx--- MakeLinks",
            "xx-xx- ReadDeliveries",
            "xx--x- RepairDeliveries",
            "x---x- SeeRunContent",
            "xx-x-- ReadBooks",
            "x--x-- ReadAudit",
            "x--x-- ReadAccess",
            "xx-xx- ReadConnections",
            "x---x- ManageConnections",
            "x----- ManageKeys",
            "xxx--x ReadPatients",
            "xxx--- ManagePatients",
            "xxxx-- ReadBilling",
            "xxx--- ManageServices",
            "xx---- SettleServices",
            "xx---- ManagePayouts",
            "xxxx-x ReadSchedule",
            "xx---- ManagePractice",
            "xxx--x BookVisits",
            "x----x DocumentCare",
        ];
        assert_eq!(table, agreed);
    }
}
