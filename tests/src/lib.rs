//! Harness: servers, peers and fixtures for the integration tests.
