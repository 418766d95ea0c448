//! The outside world in a box: Stripe and Epic as HTTP servers on one clock.
