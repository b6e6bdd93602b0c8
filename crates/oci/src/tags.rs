//! Which tag a version constraint means.

/// Why a constraint cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The text is neither a tag that exists nor a version constraint.
    #[error("{constraint:?} is not a version constraint: {problem}")]
    ParseConstraint {
        /// What was given.
        constraint: String,
        /// What is wrong with it.
        problem: String,
    },
}

/// Returns the highest version among `tags` that the constraint allows, as the tag is written.
pub fn select<'a>(constraint: &str, tags: &'a [String]) -> Result<Option<&'a str>, Error> {
    let _ = (constraint, tags);
    unimplemented!()
}
