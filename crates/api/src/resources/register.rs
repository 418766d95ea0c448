//! All handlers in the order of the document.

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{
    access, api_keys, audit, checklist, connections, consents, dead_letters, debts, deliveries,
    eligibilities, endpoint_deliveries, endpoints, estimates, event_types, events, health, invoices, ledger,
    links, messages, methods, objects, pages, patients, payments, policies, refunds, remittances, runs,
    service_care, service_money, services, statements, webhooks,
};
use crate::app::App;

/// Adds every route.
pub(crate) fn routes(router: OpenApiRouter<App>) -> OpenApiRouter<App> {
    tools(outward(records(billing(people(money(router))))))
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

fn people(router: OpenApiRouter<App>) -> OpenApiRouter<App> {
    router
        .routes(routes!(patients::create_patient, patients::find_patient))
        .routes(routes!(patients::get_patient))
        .routes(routes!(patients::connect_patient))
        .routes(routes!(methods::start_setup))
        .routes(routes!(methods::list_methods))
        .routes(routes!(methods::remove_method))
        .routes(routes!(methods::mark_health_card))
        .routes(routes!(consents::give_consent))
        .routes(routes!(consents::withdraw_consent))
        .routes(routes!(statements::get_statement))
        .routes(routes!(checklist::get_checklist))
        .routes(routes!(policies::create_policy))
        .routes(routes!(policies::get_policy))
        .routes(routes!(policies::confirm_policy))
        .routes(routes!(policies::invalidate_policy))
        .routes(routes!(policies::revalidate_policy))
}

fn billing(router: OpenApiRouter<App>) -> OpenApiRouter<App> {
    router
        .routes(routes!(eligibilities::create_eligibility))
        .routes(routes!(eligibilities::get_eligibility))
        .routes(routes!(eligibilities::answer_eligibility))
        .routes(routes!(eligibilities::answer_eligibility_x12))
        .routes(routes!(eligibilities::recheck_eligibility))
        .routes(routes!(estimates::create_estimate))
        .routes(routes!(estimates::get_estimate))
        .routes(routes!(estimates::authorize_estimate))
        .routes(routes!(estimates::capture_estimate))
        .routes(routes!(estimates::cancel_estimate))
        .routes(routes!(estimates::refund_estimate))
        .routes(routes!(estimates::change_estimate))
        .routes(routes!(services::create_service, services::list_services))
        .routes(routes!(services::get_service))
        .routes(routes!(services::schedule_service))
        .routes(routes!(services::deliver_service))
        .routes(routes!(services::sign_note))
        .routes(routes!(services::bill_service))
        .routes(routes!(services::cancel_service))
        .routes(routes!(service_care::give_good_faith_estimate))
        .routes(routes!(service_care::review_bill))
        .routes(routes!(service_care::reattach_estimate))
        .routes(routes!(service_money::adjudicate_service))
        .routes(routes!(service_money::set_responsibility))
        .routes(routes!(service_money::record_elsewhere))
        .routes(routes!(service_money::record_given_back))
        .routes(routes!(service_money::settle_service))
        .routes(routes!(service_money::charge_balance))
        .routes(routes!(service_money::write_off))
        .routes(routes!(service_money::undo_write_off))
        .routes(routes!(service_money::explain_bill))
        .routes(routes!(remittances::import_remittance, remittances::list_remittances))
        .routes(routes!(remittances::get_remittance))
        .routes(routes!(remittances::list_remittance_claims))
        .routes(routes!(remittances::list_waiting_claims))
        .routes(routes!(remittances::book_claim))
        .routes(routes!(invoices::get_invoice))
        .routes(routes!(invoices::get_invoice_document))
        .routes(routes!(statements::list_credits))
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
