//! The calendar as others read it: an iCalendar feed for a provider's own calendar, and FHIR R4 views.

pub mod fhir;
pub mod ical;
