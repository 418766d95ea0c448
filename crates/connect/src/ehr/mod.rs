//! Electronic health records.
