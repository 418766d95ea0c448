//! Integration flows as data.
