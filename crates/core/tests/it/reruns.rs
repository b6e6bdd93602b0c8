//! What re-runs what: the tables of `docs/operations/re-runs.md` are what the code does.
