//! The step programs of the pipelines: fetch, scan, publish.
