//! Use cases, workers, timers, egress.
