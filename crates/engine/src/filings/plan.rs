//! Planning a filing: its stream, the key that makes it once, and the effect that carries it out.

use suture_connect::erp::document::Document;
use suture_core::explain::Care;
use suture_core::filing::{self, Filing, Planned, Status};
use suture_core::id::FilingId;
use suture_flow::run::Answer;
use suture_store::journal;

use crate::Error;
use crate::change::{Change, Loaded};
use crate::running::{self, Hidden, Live, Runner};

/// The call of flows that files a document.
pub(crate) const TARGET: &str = "epicor.file_document";

/// The key under which a reference's filing is found.
fn reference(connection: &str, reference: &str) -> String {
    format!("{connection}/filing/{reference}")
}

/// The answer to a call whose document the ERP has already: the same reference is filed once, whoever asks.
pub(crate) fn known(
    change: &mut Change<'_, '_>,
    runner: &Runner,
    document: &Hidden,
) -> Result<Option<Answer>, Error> {
    let (Some(erp), Some(name)) = (&runner.erp, document.expose()["reference"].as_str()) else {
        return Ok(None);
    };
    let organization = change.order.organization.clone();
    let Some(stream) = journal::referred(change.tx, &organization, &reference(erp, name))? else {
        return Ok(None);
    };
    let (_, filing) = change.existing::<Filing>(&stream)?;
    let keys = filing.keys.filter(|_| filing.status == Status::Filed);
    Ok(keys.map(Answer::Done))
}

/// Plans the filing that a run's call asks for. What can never be filed stops the run with its reason; nothing was sent.
pub(crate) fn plan(
    change: &mut Change<'_, '_>,
    runner: &Runner,
    live: &Live,
    (step, hidden): (&str, &Hidden),
) -> Result<(), Error> {
    let Some(erp) = &runner.erp else {
        let error = format!("step {step} files a document, and no ERP is connected; connect one, then retry");
        return running::stop(change, runner, live, &error);
    };
    let document = match read(hidden) {
        Ok(document) => document,
        Err(problem) => {
            let error =
                format!("step {step} gives a document that cannot be filed: {problem}; nothing was sent");
            return running::stop(change, runner, live, &error);
        }
    };
    running::keep(change, runner, live, ("waiting", None))?;
    let organization = change.order.organization.clone();
    let key = reference(erp, document.reference());
    let id = match journal::referred(change.tx, &organization, &key)? {
        // It was planned by a run that began anew; its document may have changed, its reference did not.
        Some(stream) => FilingId::parse(&stream).map_err(|_| Error::not_found("filing", &stream))?,
        None => {
            let id = FilingId::mint(change.mint());
            let planned = Planned {
                filing: id,
                connection: erp.clone(),
                reference: document.reference().to_owned(),
                kind: document.kind().to_owned(),
                amount: document.amount(),
                about: live.about(),
                flow: live.flow(),
            };
            let mut loaded = Loaded::<Filing>::fresh(id.to_string());
            change.record_all(&mut loaded, &[filing::Event::Planned(planned)], &care(live.about()))?;
            journal::refer(change.tx, &organization, &key, &id.to_string())?;
            id
        }
    };
    running::filing_effect(change, live, (id, erp, lane(erp, &document, live)))
}

/// The document of a call.
pub(super) fn read(hidden: &Hidden) -> Result<Document, String> {
    let document: Document =
        serde_json::from_value(hidden.expose().clone()).map_err(|error| plain(&error))?;
    document.check().map_err(|problem| problem.to_string())?;
    Ok(document)
}

/// What is wrong with a document's form. `serde`'s own text may quote a value, so only its kind and place are told.
fn plain(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let word = text.split('`').nth(1).filter(|word| {
        (text.starts_with("missing field") || text.starts_with("unknown field")) && word.len() <= 40
    });
    match word {
        Some(field) if text.starts_with("missing") => format!("the field {field} is missing"),
        Some(field) => format!("the field {field} does not belong there"),
        None => "a field has a value of another type than the document wants".to_owned(),
    }
}

/// Customers of one key are filed one after the other, so that two orders at once make one customer (FLOWS 7i); the documents
/// of one order as well.
fn lane(erp: &str, document: &Document, live: &Live) -> String {
    match document {
        Document::Customer(customer) => format!("{erp}/customer/{}", customer.external_id),
        other => format!("{erp}/{}", live.about().unwrap_or_else(|| other.reference().to_owned())),
    }
}

pub(super) fn care(about: Option<String>) -> Care {
    Care { account: about, ..Care::default() }
}
