//! 271 eligibility answers, and the estimate of what a patient will owe.

mod estimate;
mod limits;
mod model;
mod reader;
mod reasons;
mod rejections;
mod rows;
mod share;

pub use estimate::{
    Basis, Choose, Compared, Conditional, Confidence, Estimate, EstimateError, Question, estimate,
};
pub use limits::{Extent, Limit, LimitPeriod, LimitUnit};
pub use model::{
    Answer, Authorization, Benefit, Coverage, Delivery, Kind, Level, Network, Period, PlanDate, Relation,
    Subject, Trace,
};
pub use reader::{ANSWER_BYTES_MAX, BENEFITS_MAX, read};
pub use reasons::Reason;
pub use rejections::{Ask, FollowUp, Rejection, RetryHelps};
