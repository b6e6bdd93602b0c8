//! Tests over files.
