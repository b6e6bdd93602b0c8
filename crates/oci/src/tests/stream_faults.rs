//! What real registries do wrong, on the way from one to another.
