//! All handlers in the order of the document.

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{
    access, api_keys, audit, connections, dead_letters, debts, deliveries, endpoint_deliveries, endpoints,
    event_types, events, health, ledger, links, messages, objects, pages, payments, refunds, runs, webhooks,
};
use crate::app::App;

/// Adds every route.
pub(crate) fn routes(router: OpenApiRouter<App>) -> OpenApiRouter<App> {
    tools(outward(records(money(router))))
}

fn money(router: OpenApiRouter<App>) -> OpenApiRouter<App> {
    router
        .routes(routes!(webhooks::receive_webhook))
        .routes(routes!(payments::create_payment, payments::list_payments))
        .routes(routes!(payments::get_payment))
        .routes(routes!(payments::retry_payment))
        .routes(routes!(payments::capture_payment))
        .routes(routes!(payments::cancel_payment))
        .routes(routes!(refunds::refund_payment))
        .routes(routes!(payments::identify_payer))
        .routes(routes!(refunds::get_refund))
        .routes(routes!(debts::list_debts))
        .routes(routes!(debts::get_debt))
        .routes(routes!(links::make_link, links::list_links))
        .routes(routes!(links::get_link))
}

fn records(router: OpenApiRouter<App>) -> OpenApiRouter<App> {
    router
        .routes(routes!(events::list_events))
        .routes(routes!(events::get_event))
        .routes(routes!(messages::list_messages))
        .routes(routes!(messages::list_rejected_deliveries))
        .routes(routes!(runs::list_runs))
        .routes(routes!(runs::get_run))
        .routes(routes!(deliveries::list_deliveries))
        .routes(routes!(deliveries::get_delivery))
        .routes(routes!(deliveries::list_queues))
        .routes(routes!(dead_letters::list_dead_letters))
        .routes(routes!(dead_letters::retry_dead_letter))
        .routes(routes!(dead_letters::skip_dead_letter))
        .routes(routes!(dead_letters::retry_all_dead_letters))
        .routes(routes!(ledger::list_balances))
        .routes(routes!(ledger::list_entries))
        .routes(routes!(ledger::list_account_lines))
        .routes(routes!(ledger::get_proof))
        .routes(routes!(audit::get_payment_chain))
        .routes(routes!(audit::verify_audit))
        .routes(routes!(audit::export_audit))
        .routes(routes!(access::list_access))
}

fn outward(router: OpenApiRouter<App>) -> OpenApiRouter<App> {
    router
        .routes(routes!(event_types::list_event_types))
        .routes(routes!(objects::watch_object))
        .routes(routes!(endpoints::create_endpoint, endpoints::list_endpoints))
        .routes(routes!(endpoints::get_endpoint, endpoints::change_endpoint, endpoints::remove_endpoint))
        .routes(routes!(endpoints::enable_endpoint))
        .routes(routes!(endpoints::disable_endpoint))
        .routes(routes!(endpoints::rotate_endpoint))
        .routes(routes!(endpoints::test_endpoint))
        .routes(routes!(endpoint_deliveries::list_endpoint_deliveries))
        .routes(routes!(endpoint_deliveries::redeliver_event))
        .routes(routes!(endpoint_deliveries::replay_events))
}

fn tools(router: OpenApiRouter<App>) -> OpenApiRouter<App> {
    router
        .routes(routes!(connections::create_connection, connections::list_connections))
        .routes(routes!(connections::get_connection))
        .routes(routes!(connections::probe_connection))
        .routes(routes!(connections::rotate_secrets))
        .routes(routes!(connections::register_webhook))
        .routes(routes!(api_keys::create_api_key, api_keys::list_api_keys))
        .routes(routes!(api_keys::revoke_api_key))
        .routes(routes!(health::health))
        .routes(routes!(health::ready))
        .routes(routes!(health::metrics))
        .routes(routes!(health::jwks))
        .routes(routes!(pages::get_openapi))
        .routes(routes!(pages::get_problem_page))
}
