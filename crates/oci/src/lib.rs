//! References, digests, layouts, registry access, copying and referrers.
