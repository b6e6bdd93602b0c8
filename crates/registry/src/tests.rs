//! Conversations with the router, without a socket.
