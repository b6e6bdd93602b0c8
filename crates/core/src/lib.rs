//! Decides what should exist for an order. Pure: no client, no clock, no async.
