//! All handlers in the order of the document.

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{
    access, api_keys, appointment_acts, appointments, approvals, audit, checklist, clinics, connections,
    consents, contacts, dead_letters, debts, deliveries, eligibilities, encounters, endpoint_deliveries,
    endpoints, estimates, event_types, events, fhir, health, hooks, intakes, invoices, ledger, links,
    messages, methods, notices, objects, openings, orders, pages, patients, payments, policies, prices,
    provider_payouts, providers, reconciliation, reconciliation_bank, reconciliation_books, refunds,
    remittances, runs, sequences, service_care, service_money, services, statements, tables, visit_links,
    visit_policies, visit_types, waiting_list, webhooks, wordings,
};
use crate::app::App;

/// Adds every route.
pub(crate) fn routes(router: OpenApiRouter<App>) -> OpenApiRouter<App> {
    tools(outward(books(records(guests(visits(practice(messages_out(billing(people(money(router)))))))))))
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
        .routes(routes!(orders::place_order, orders::list_orders))
        .routes(routes!(orders::get_order))
        .routes(routes!(orders::get_order_trail))
        .routes(routes!(orders::print_order))
        .routes(routes!(orders::ask_erp))
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
        .routes(routes!(intakes::submit_intake))
        .routes(routes!(intakes::get_intake))
        .routes(routes!(intakes::get_intake_answers))
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
        .routes(routes!(provider_payouts::accrue_provider_payout, provider_payouts::list_provider_payouts))
        .routes(routes!(provider_payouts::get_provider_payout))
        .routes(routes!(provider_payouts::hold_provider_payout))
        .routes(routes!(provider_payouts::unhold_provider_payout))
        .routes(routes!(provider_payouts::release_provider_payout))
        .routes(routes!(provider_payouts::set_payout_destination))
        .routes(routes!(statements::list_credits))
}

fn messages_out(router: OpenApiRouter<App>) -> OpenApiRouter<App> {
    router
        .routes(routes!(notices::list_notices))
        .routes(routes!(notices::get_notice))
        .routes(routes!(contacts::get_contact, contacts::put_addresses))
        .routes(routes!(contacts::choose_contact))
        .routes(routes!(wordings::list_wordings))
        .routes(routes!(wordings::put_wording, wordings::remove_wording))
        .routes(routes!(hooks::hear_text))
        .routes(routes!(hooks::hear_report))
        .routes(routes!(hooks::ask_opt_out, hooks::opt_out))
}

fn practice(router: OpenApiRouter<App>) -> OpenApiRouter<App> {
    router
        .routes(routes!(clinics::create_clinic, clinics::list_clinics))
        .routes(routes!(clinics::get_clinic, clinics::put_clinic))
        .routes(routes!(clinics::preview_clinic))
        .routes(routes!(prices::put_prices, prices::list_prices))
        .routes(routes!(visit_policies::check_visit_policy))
        .routes(routes!(providers::create_provider, providers::list_providers))
        .routes(routes!(providers::get_provider, providers::put_provider))
        .routes(routes!(providers::preview_provider))
        .routes(routes!(providers::get_calendar))
        .routes(routes!(providers::make_calendar_address))
        .routes(routes!(visit_types::create_visit_type, visit_types::list_visit_types))
        .routes(routes!(visit_types::get_visit_type, visit_types::put_visit_type))
        .routes(routes!(fhir::search_schedules))
        .routes(routes!(fhir::search_slots))
        .routes(routes!(fhir::search_appointments))
}

fn visits(router: OpenApiRouter<App>) -> OpenApiRouter<App> {
    router
        .routes(routes!(openings::list_openings))
        .routes(routes!(openings::first_openings))
        .routes(routes!(openings::watch_openings))
        .routes(routes!(appointments::select_slot, appointments::list_appointments))
        .routes(routes!(appointments::get_appointment))
        .routes(routes!(appointment_acts::pay_appointment))
        .routes(routes!(appointment_acts::accept_offer))
        .routes(routes!(appointment_acts::preview_cancellation))
        .routes(routes!(appointment_acts::preview_no_show))
        .routes(routes!(appointment_acts::cancel_appointment))
        .routes(routes!(appointment_acts::move_appointment))
        .routes(routes!(appointment_acts::miss_appointment))
        .routes(routes!(appointment_acts::arrive))
        .routes(routes!(appointment_acts::override_risk))
        .routes(routes!(appointment_acts::mark_emergency))
        .routes(routes!(appointment_acts::open_encounter))
        .routes(routes!(encounters::get_encounter, encounters::put_draft))
        .routes(routes!(encounters::get_encounter_texts))
        .routes(routes!(encounters::sign_encounter))
        .routes(routes!(encounters::addend_encounter))
        .routes(routes!(encounters::record_outcome))
        .routes(routes!(waiting_list::join_waiting_list, waiting_list::list_waiting))
        .routes(routes!(waiting_list::get_waiting))
        .routes(routes!(waiting_list::leave_waiting_list))
}

fn guests(router: OpenApiRouter<App>) -> OpenApiRouter<App> {
    router
        .routes(routes!(visit_links::get_booking))
        .routes(routes!(visit_links::get_booking_openings))
        .routes(routes!(visit_links::cancel_booking))
        .routes(routes!(visit_links::move_booking))
        .routes(routes!(visit_links::get_offer, visit_links::take_offer))
        .routes(routes!(visit_links::pay_offer))
        .routes(routes!(visit_links::decline_offer))
        .routes(routes!(visit_links::get_checkout, visit_links::pay_checkout))
        .routes(routes!(visit_links::get_door))
        .routes(routes!(providers::get_feed))
}

fn records(router: OpenApiRouter<App>) -> OpenApiRouter<App> {
    router
        .routes(routes!(events::list_events))
        .routes(routes!(events::get_event))
        .routes(routes!(messages::list_messages))
        .routes(routes!(messages::list_rejected_deliveries))
        .routes(routes!(runs::list_runs))
        .routes(routes!(runs::get_run))
        .routes(routes!(approvals::get_approval))
        .routes(routes!(approvals::approve_run))
        .routes(routes!(approvals::reject_run))
        .routes(routes!(tables::list_table))
        .routes(routes!(tables::put_table_row, tables::remove_table_row))
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
        .routes(routes!(sequences::get_sequence))
        .routes(routes!(sequences::print_sequence))
        .routes(routes!(sequences::lint_money))
        .routes(routes!(audit::verify_audit))
        .routes(routes!(audit::export_audit))
        .routes(routes!(access::list_access))
}

fn books(router: OpenApiRouter<App>) -> OpenApiRouter<App> {
    router
        .routes(routes!(reconciliation::list_settlements))
        .routes(routes!(reconciliation::get_settlement))
        .routes(routes!(reconciliation::list_exceptions))
        .routes(routes!(reconciliation::assign_exception))
        .routes(routes!(reconciliation::resolve_exception))
        .routes(routes!(reconciliation_bank::import_bank_file, reconciliation_bank::list_bank_files))
        .routes(routes!(reconciliation_bank::list_bank_lines))
        .routes(routes!(reconciliation_bank::resolve_bank_line))
        .routes(routes!(reconciliation_books::get_periods))
        .routes(routes!(reconciliation_books::lock_period))
        .routes(routes!(reconciliation_books::reopen_period))
        .routes(routes!(reconciliation_books::get_day_journal))
        .routes(routes!(reconciliation_books::get_day_journal_csv))
        .routes(routes!(reconciliation_books::get_settlement_journal))
        .routes(routes!(reconciliation_books::make_proof, reconciliation_books::list_proofs))
        .routes(routes!(reconciliation_books::get_proof_of_day))
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
