//! The binary `arc`, built beside the tests so that they always run the current code.

fn main() {}
