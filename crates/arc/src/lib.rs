//! The artifact conduit: carries artifacts between registries and leaves evidence.
