//! Use cases of scheduling, from the practice's hours to the signed encounter.
//!
//! A slot, the appointment that holds it, the payment that confirms it and the service that its care belongs to change in one
//! transaction, so they cannot disagree.

mod booking;
mod collection;
mod deposits;
mod directory;
mod encounters;
mod ending;
mod feed;
mod fees;
mod follow;
mod holds;
mod links;
mod live;
mod moving;
mod outcomes;
mod reading;
mod rescue;
mod reservations;
mod search;
mod split;
mod tell;
mod timers;
mod waiting;

pub(crate) use collection::{after_failure, in_step as collection_in_step, nothing_on_file};
pub use deposits::PayVisit;
pub use directory::Practice;
pub(crate) use encounters::documented;
pub use encounters::{Signature, Written};
pub(crate) use ending::refuse_standing;
pub use ending::{Ending, Preview};
pub use feed::{ViewedAppointments, ViewedSlots, actor_of};
pub use fees::{NewPrice, PRICES_MAX};
pub(crate) use follow::follow;
pub use holds::Select;
pub use links::{Checkout, Door, LinkedBalance, LinkedVisit, PayByLink};
pub use live::{LiveOpenings, Openings};
pub use moving::Move;
pub use reading::{Asked, Places, Texts, due};
pub use search::{Found, Search};
pub use suture_store::prices::Price;
pub use suture_store::visits::{Visit, Whose};
