//! Payment platforms.
