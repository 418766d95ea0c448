//! Stories about the API in one process.

#[cfg(test)]
mod billing;
#[cfg(test)]
mod callers;
#[cfg(test)]
mod document;
#[cfg(test)]
mod endpoints;
#[cfg(test)]
mod kit;
#[cfg(test)]
mod notices;
#[cfg(test)]
mod orders;
#[cfg(test)]
mod patients;
#[cfg(test)]
mod payouts;
#[cfg(test)]
mod reconciliation;
#[cfg(test)]
mod remittances;
#[cfg(test)]
mod requests;
#[cfg(test)]
mod visit_links;
#[cfg(test)]
mod visits;
#[cfg(test)]
mod webhooks;
