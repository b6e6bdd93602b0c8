//! Part of the client.
