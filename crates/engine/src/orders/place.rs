//! Placing an order: the order, what is owed for it, and the link that its payments carry, in one transaction.

use serde::{Deserialize, Serialize};
use suture_core::debt::{self, Debt};
use suture_core::explain::{Care, Reason};
use suture_core::id::{DebtId, LinkId, OrderId};
use suture_core::money::Money;
use suture_core::order::{self, Command, Line, Order, Placing};
use suture_core::payment::Purpose;
use suture_core::redact::Phi;
use suture_core::refusal::Refusal;
use suture_store::{links, orders, personal};

use crate::Error;
use crate::change::{Change, Loaded};
use crate::engine::Engine;
use crate::payments::Caller;

/// The longest field of a buyer, in bytes.
const FIELD_MAX: usize = 100;

/// An order to place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOrder {
    /// The shop's number, unique in the organization: the same number with the same content is the same order.
    pub reference: String,
    /// Who bought.
    pub buyer: Buyer,
    /// What was bought.
    pub lines: Vec<Line>,
    /// Tax, in minor units.
    pub tax_minor: i64,
    /// Shipping, in minor units.
    pub shipping_minor: i64,
    /// Lines, tax and shipping.
    pub total: Money,
    /// How it is sent, in the shop's word.
    pub ship_method: Option<String>,
}

/// Who bought. Everything but the id is personal, and kept sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Buyer {
    /// The shop's opaque id.
    pub id: String,
    /// What the buyer is called.
    pub name: Phi<String>,
    /// The e-mail address.
    pub email: Option<Phi<String>>,
    /// Where the buyer lives.
    pub address: Option<Phi<BuyerAddress>>,
}

/// Where a buyer lives.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BuyerAddress {
    /// Street and number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line1: Option<String>,
    /// More of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line2: Option<String>,
    /// The city.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    /// The state or province.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// The postal code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    /// The country.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
}

impl Buyer {
    /// The personal fields as they are sealed, JSON.
    fn sealed(&self) -> Phi<String> {
        let content = serde_json::json!({
            "name": self.name.expose(),
            "email": self.email.as_ref().map(Phi::expose),
            "address": self.address.as_ref().map(Phi::expose),
        });
        Phi::new(content.to_string())
    }

    fn check(&self) -> Result<(), Refusal> {
        let fits = |text: &str| (1..=FIELD_MAX).contains(&text.len()) && !text.chars().any(char::is_control);
        let address = self.address.as_ref().map(Phi::expose);
        let parts = address.iter().flat_map(|address| {
            [
                &address.line1,
                &address.line2,
                &address.city,
                &address.state,
                &address.postal_code,
                &address.country,
            ]
        });
        let all = fits(self.name.expose())
            && self.email.as_ref().is_none_or(|email| fits(email.expose()) && email.expose().contains('@'))
            && parts.flatten().all(|part| fits(part));
        match all {
            true => Ok(()),
            false => Err(Refusal::invalid(
                "buyer_invalid",
                format!(
                    "Nothing was placed. Give the buyer's name, e-mail and parts of the address in 1 to {FIELD_MAX} bytes each, \
                     without control characters."
                ),
            )),
        }
    }
}

impl Engine {
    /// Places an order. The same order placed again is given back as it stands.
    ///
    /// # Errors
    /// [`Error::Refused`] when it does not add up, or another order has its number.
    pub async fn place_order(&self, caller: &Caller, new: NewOrder) -> Result<Order, Error> {
        new.buyer.check()?;
        let order = self.order_of(caller, Reason::of("order_placed"));
        let keyring = self.0.store.keyring().clone();
        self.apply(&new.reference.clone(), order, move |change| {
            let organization = change.order.organization.clone();
            if let Some(known) = orders::by_reference(change.tx, &organization, &new.reference)? {
                return same(change.existing::<Order>(&known)?.1, &new);
            }
            let placed = place(change, &new)?;
            let subject = placed.id.to_string();
            let place = (organization.as_str(), subject.as_str(), "buyer");
            personal::put(change.tx, &keyring, place, &new.buyer.sealed(), change.order.now)?;
            Ok(placed)
        })
        .await
    }
}

fn same(known: Order, new: &NewOrder) -> Result<Order, Error> {
    let equal = known.buyer == new.buyer.id
        && known.lines == new.lines
        && known.total == new.total
        && known.tax_minor == new.tax_minor
        && known.shipping_minor == new.shipping_minor;
    match equal {
        true => Ok(known),
        false => Err(Error::Refused(Refusal::state(
            "order_reference_used",
            format!(
                "Nothing was placed: order {} has this number and other content. Use a new number.",
                known.id
            ),
        ))),
    }
}

fn place(change: &mut Change<'_, '_>, new: &NewOrder) -> Result<Order, Error> {
    let organization = change.order.organization.clone();
    let (id, debt) = (OrderId::mint(change.mint()), DebtId::mint(change.mint()));
    let link = LinkId::mint(change.mint()).to_string();
    let care = care(&new.buyer.id, id);
    let placing = Placing {
        id,
        reference: new.reference.clone(),
        buyer: new.buyer.id.clone(),
        link: link.clone(),
        debt,
        lines: new.lines.clone(),
        tax_minor: new.tax_minor,
        shipping_minor: new.shipping_minor,
        total: new.total,
        ship_method: new.ship_method.clone(),
    };
    let mut stream = Loaded::<Order>::fresh(id.to_string());
    let events = order::decide(None, &Command::Place(Box::new(placing)), change.order.now)?;
    change.record_all(&mut stream, &events, &care)?;
    let placed = stream.state.ok_or_else(|| Error::not_found("order", &id.to_string()))?;
    orders::put(change.tx, &organization, &placed, change.order.now)?;
    links::insert(change.tx, &organization, &link_of(change, &placed))?;
    let record = debt::Command::Record {
        debt,
        care: care.clone(),
        link,
        purpose: Purpose::Order,
        owed: new.total,
        owner: Some(id.to_string()),
    };
    let mut owed = Loaded::<Debt>::fresh(debt.to_string());
    change.record_all(&mut owed, &debt::decide(None, &record)?, &care)?;
    Ok(placed)
}

fn link_of(change: &Change<'_, '_>, placed: &Order) -> links::Link {
    links::Link {
        id: placed.link.clone(),
        patient: placed.buyer.clone(),
        account: Some(placed.id.to_string()),
        claim: None,
        encounter: None,
        practitioner: None,
        appointment: None,
        coverage: None,
        purpose: Purpose::Order,
        due: Some(placed.total),
        service_codes: Vec::new(),
        created_by: change.order.actor.parts().1.to_owned(),
        created_at: change.order.now,
    }
}

/// What explains an order's money: the buyer, and the order itself (I5).
pub(super) fn care(buyer: &str, id: OrderId) -> Care {
    Care { patient: Some(buyer.to_owned()), account: Some(id.to_string()), ..Care::default() }
}
