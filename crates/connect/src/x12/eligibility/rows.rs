//! Which rows of benefits speak about a service.
//!
//! Called by the estimate. Must stay true: rows for the service type win over rows for the whole plan, rows of the
//! other network never count, and a row with a condition of its own never stands for the plain case.

use super::model::{Answer, Authorization, Benefit, Kind, Level, Network, Period};

/// The rows of one kind for a service: those that name its type, else those for the whole plan.
pub(super) fn about<'a>(
    answer: &'a Answer,
    kind: Kind,
    service_type: &str,
    network: &Network,
) -> Vec<&'a Benefit> {
    let all = || {
        let of_kind = answer.benefits.iter().filter(|row| row.kind == kind);
        of_kind.filter(|row| fits(&row.network, network) && !matches!(row.level, Level::Other(_)))
    };
    let specific: Vec<_> = all().filter(|row| row.is_for(service_type)).collect();
    if specific.is_empty() { all().filter(|row| row.is_whole_plan()).collect() } else { specific }
}

/// Whether rows about the service exist that were left out because the network or the insured circle is not clear.
pub(super) fn has_unclear(answer: &Answer, service_type: &str) -> bool {
    let relevant = |row: &&Benefit| row.is_for(service_type) || row.is_whole_plan();
    let decides = |row: &&Benefit| {
        let prices =
            matches!(row.kind, Kind::Copay | Kind::Coinsurance | Kind::Deductible | Kind::OutOfPocket);
        prices || matches!(row.kind, Kind::NotCovered | Kind::Inactive)
    };
    let unclear =
        |row: &Benefit| matches!(row.network, Network::Unknown(_)) || matches!(row.level, Level::Other(_));
    answer.benefits.iter().filter(relevant).filter(decides).any(unclear)
}

/// Whether the row holds only under a condition: a procedure, a number of visits, a place, an odd period.
pub(super) fn is_conditional(row: &Benefit) -> bool {
    let odd_period = match &row.period {
        None | Some(Period::Visit | Period::CalendarYear | Period::ServiceYear | Period::Contract) => false,
        Some(
            Period::YearToDate
            | Period::Remaining
            | Period::Lifetime
            | Period::LifetimeRemaining
            | Period::Other(_),
        ) => true,
    };
    row.procedure.is_some()
        || row.quantity.is_some()
        || row.narrowed
        || !row.deliveries.is_empty()
        || odd_period
}

/// Whether two rows say the same, apart from their amounts and free text.
pub(super) fn differ_only_by_message(left: &Benefit, right: &Benefit) -> bool {
    let same_terms = left.service_types == right.service_types
        && left.level == right.level
        && left.insurance_type == right.insurance_type
        && left.plan == right.plan
        && left.period == right.period
        && left.network == right.network
        && left.authorization == right.authorization
        && left.diagnoses == right.diagnoses;
    same_terms && left.messages != right.messages
}

pub(super) fn needs_authorization(rows: &[&Benefit]) -> bool {
    rows.iter().any(|row| row.authorization == Authorization::Required)
}

fn fits(row: &Network, asked: &Network) -> bool {
    row == asked || *row == Network::Either
}
