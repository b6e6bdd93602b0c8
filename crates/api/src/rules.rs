//! The CEL rules that an API server applies to one object alone.
//!
//! Every rule is linear in the size of the field it stands on, and every field a rule reads is bounded, because an API
//! server refuses a definition whose rules could cost more than 10,000,000 steps, and an object on which one rule takes
//! more than 1,000,000.
//! That is why no rule here compares the names of an order's artifacts with each other: over 1,000 artifacts it takes
//! a million comparisons. `arc-core` reports names that are given twice.

use kube::core::Rule;

/// A duration as Go reads it, never negative.
pub(crate) fn duration() -> Rule {
    Rule::new("self.matches('^[+]?(0|(([0-9]+[.]?[0-9]*|[.][0-9]+)(ns|us|µs|μs|ms|s|m|h))+)$')")
        .message("must be a duration of hours, minutes and seconds that is not negative, such as 90m or 1h30m")
}

/// A name that fits into a label, a host name and an object name.
pub(crate) fn dns_label() -> Rule {
    Rule::new("self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')")
        .message("must be lower case letters, digits and '-', and start and end with a letter or digit, such as alpine-3")
}

/// Only schemes that a step knows how to speak.
pub(crate) fn known_scheme() -> Rule {
    Rule::new("!self.contains('://') || self.matches('^(https?|oci|s3)://')")
        .message("must begin with https://, http://, oci:// or s3://, or have no scheme at all")
}

/// Credentials in an address end up in logs, so they are refused where they are typed.
pub(crate) fn no_user_info() -> Rule {
    Rule::new("!self.matches('^([^/?#]*://)?[^/?#]*@')").message(
        "must not contain a user name or password; put them into a Secret and name it in secretRef",
    )
}

/// No address contains white space; it is a sign of a broken paste.
pub(crate) fn no_white_space() -> Rule {
    Rule::new(r"!self.matches('[\\s]')").message("must not contain white space")
}

/// A bundle is readable by everyone who may read the endpoint, so a key in it is a leak.
pub(crate) fn certificates_only() -> Rule {
    Rule::new("self.contains('-----BEGIN CERTIFICATE-----') && !self.contains('PRIVATE KEY-----')")
        .message("must be certificates in PEM, and no private key")
}

/// The spec of an object may not change after its creation.
pub(crate) fn immutable() -> Rule {
    Rule::new("self == oldSelf")
        .message("is immutable; change the order instead, and ARC makes a new object")
}

/// Every artifact has a source.
pub(crate) fn has_source() -> Rule {
    Rule::new(named_by_all("srcRef"))
        .message("every artifact needs a srcRef, unless spec.defaults.srcRef is set")
}

/// Every artifact has a destination.
pub(crate) fn has_destination() -> Rule {
    Rule::new(named_by_all("dstRef"))
        .message("every artifact needs a dstRef, unless spec.defaults.dstRef is set")
}

/// The defaults or every single artifact name an endpoint in `field`.
fn named_by_all(field: &str) -> String {
    let named = |object: &str| {
        format!(
            "has({object}.{field}) && has({object}.{field}.name) && {object}.{field}.name != ''"
        )
    };
    let (default, own) = (named("self.defaults"), named("a"));
    format!(
        "(has(self.defaults) && {default}) || !has(self.artifacts) || self.artifacts.all(a, {own})"
    )
}

#[cfg(test)]
mod tests;
