//! The steps of the story, by topic.

pub(super) mod cards;
pub(super) mod desk;
pub(super) mod disorder;
pub(super) mod refund;
pub(super) mod strangers;
pub(super) mod visit;
