//! The binary `arc`.

fn main() {}
