//! The words of each template, unless an organization gave others. Every one passes the linter: a test looks.

use super::template::{Template, Wording};

/// The words of a template.
pub(super) fn of(template: Template) -> Wording {
    let (subject, email, sms) = words(template);
    Wording { subject: subject.to_owned(), email: email.to_owned(), sms: sms.to_owned() }
}

const fn words(template: Template) -> (&'static str, &'static str, &'static str) {
    match template {
        Template::BookingConfirmed
        | Template::VisitReminderDay
        | Template::VisitReminderHour
        | Template::VisitLink
        | Template::WaitlistOffer => visit(template),
        Template::VisitReleased
        | Template::VisitCanceled
        | Template::VisitMoved
        | Template::ProviderPaymentRisk
        | Template::ProviderVisitCanceled => change(template),
        Template::PaymentDeclined
        | Template::Receipt
        | Template::RefundStarted
        | Template::BalanceNotice
        | Template::MethodExpiring => money(template),
    }
}

const fn visit(template: Template) -> (&'static str, &'static str, &'static str) {
    match template {
        Template::BookingConfirmed => (
            "Your visit is booked: {when}",
            "Your visit with {provider} at {clinic} is booked for {when}.\n\nTo change or cancel it, open this link:\n\
             {link}\n",
            "{clinic}: your visit with {provider} is booked for {when}. Change or cancel: {link} Reply STOP for no texts.",
        ),
        Template::VisitReminderDay => (
            "Your visit is on {when}",
            "This is a reminder of your visit with {provider} at {clinic} on {when}.\n\nTo change or cancel it, open this \
             link:\n{link}\n",
            "{clinic}: reminder of your visit with {provider} on {when}. Change or cancel: {link}",
        ),
        Template::VisitReminderHour => (
            "Your visit begins soon: {when}",
            "Your visit with {provider} at {clinic} begins at {when}.\n\nDetails:\n{link}\n",
            "{clinic}: your visit with {provider} begins at {when}. Details: {link}",
        ),
        Template::VisitLink => (
            "Your link for the visit on {when}",
            "Your visit with {provider} at {clinic} on {when} takes place by video. Open this link at that time:\n{link}\n\n\
             The link is for you alone.\n",
            "{clinic}: join your visit with {provider} on {when} here: {link}",
        ),
        _ => (
            "An earlier time is free: {when}",
            "A time with {provider} at {clinic} became free: {when}.\n\nIt is yours if you take it by {deadline}:\n{link}\n\n\
             If you do nothing, you keep your place in the list.\n",
            "{clinic}: {when} with {provider} is free. Take it by {deadline}: {link}",
        ),
    }
}

const fn change(template: Template) -> (&'static str, &'static str, &'static str) {
    match template {
        Template::VisitReleased => (
            "Your visit on {when} was given up",
            "Your visit at {clinic} on {when} was given up because its payment did not arrive in time. Nothing was charged \
             for it. You can book a new time whenever you like.\n",
            "{clinic}: your visit on {when} was given up because its payment did not arrive. You can book a new time.",
        ),
        Template::VisitCanceled => (
            "Your visit on {when} is cancelled",
            "Your visit at {clinic} on {when} is cancelled. If money is to be returned, a message about it follows.\n",
            "{clinic}: your visit on {when} is cancelled.",
        ),
        Template::VisitMoved => (
            "Your visit has a new time: {when}",
            "Your visit with {provider} at {clinic} on {before} was moved. The new time is {when}.\n\nTo change or cancel \
             it, open this link:\n{link}\n",
            "{clinic}: your visit with {provider} was moved to {when}. Change or cancel: {link}",
        ),
        Template::ProviderPaymentRisk => (
            "Payment failed, visit at {when}",
            "The payment for your visit at {when} failed. The patient was asked to pay in another way. If no payment \
             arrives, the time is given up by rule; your calendar shows it.\n",
            "{clinic}: payment failed for your visit at {when}. The patient was asked to pay in another way.",
        ),
        _ => (
            "Cancelled: visit at {when}",
            "Your visit at {when} is cancelled and the time is free again. Your calendar shows it.\n",
            "{clinic}: your visit at {when} is cancelled; the time is free again.",
        ),
    }
}

const fn money(template: Template) -> (&'static str, &'static str, &'static str) {
    match template {
        Template::PaymentDeclined => (
            "Your payment did not work",
            "The payment of {amount} for your visit at {clinic} on {when} did not work. Nothing was charged.\n\nTo keep your \
             time, pay by {deadline}, with the same or another method:\n{link}\n",
            "{clinic}: your payment of {amount} did not work. Pay by {deadline} to keep your time: {link}",
        ),
        Template::Receipt => (
            "Receipt: {amount}",
            "We received {amount} for your visit at {clinic} on {when}. Thank you.\n",
            "{clinic}: we received {amount} for your visit on {when}. Thank you.",
        ),
        Template::RefundStarted => (
            "A refund of {amount} is on its way",
            "{clinic} returns {amount} to the method that you paid with. Banks usually show it within 5 to 10 days.\n",
            "{clinic}: a refund of {amount} is on its way. Banks usually show it within 5 to 10 days.",
        ),
        Template::BalanceNotice => (
            "{amount} is left to pay",
            "{amount} is left to pay at {clinic}: {reason}. It will be charged to your method on file on {deadline}.\n\nIf \
             you do not agree, or want to pay in another way, tell us before that day.\n",
            "{clinic}: {amount} is left to pay ({reason}). It will be charged to your method on file on {deadline}. Call us \
             before if you do not agree.",
        ),
        _ => (
            "Your payment method ends soon",
            "{method}, which is on file at {clinic}, ends on {deadline}. Give another one here, so that a payment does not \
             fail:\n{link}\n",
            "{clinic}: {method} on file ends on {deadline}. Give another method: {link}",
        ),
    }
}
