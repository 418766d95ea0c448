//! The story of visits: FLOWS 1 to 3 side by side, and four mishaps. It tells scenarios of the pre-launch test plan, which run
//! on the real engine with the sandbox's Stripe, Epic and payer, on a clock that jumps.

mod chapter;
mod side_by_side;
mod tale;

pub(crate) use tale::tell;
