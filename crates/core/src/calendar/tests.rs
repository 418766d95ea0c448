//! The calendar as a whole: stories of booking, and the agreement of list and check over random calendars.

mod agreement;
mod stories;
