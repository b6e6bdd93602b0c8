//! The first stories: an order from creation to success.
