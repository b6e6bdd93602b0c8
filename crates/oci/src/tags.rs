//! Which tag a version constraint means.
//!
//! [`select`] reads npm's and Masterminds' spellings alike: `>3.18.0 < 3.19.0`, `^1.2`, `1.x`, `~1.4 || >=2`, `=>1, !=1.5`.
//! Pure: the tags come from the caller.

mod range;
mod version;

use self::{range::Range, version::Version};

/// Why a constraint cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The text is no version constraint.
    #[error(
        "{constraint:?} is not a version constraint: {problem}; expected for example \"^1.2\" or \">=3.18 <3.19\""
    )]
    ParseConstraint {
        /// What was given.
        constraint: String,
        /// What is wrong with it.
        problem: String,
    },
}

/// Returns the highest version among `tags` that the constraint allows, as the tag is written.
///
/// - Tags may begin with `v` and leave out minor and patch (`v3`, `3.18`, which count as `3.0.0`, `3.18.0`).
///   Tags that are no versions are passed over.
/// - A tag with a suffix (`1.2.3-rc.1`, but also `1.2.3-r3` and `3.18-alpine`) is a pre-release: it counts only when
///   the constraint itself mentions one, as in `>=1.2.3-0`, and then within the whole alternative of `||`.
/// - Between tags of one version the more precise wins (`3.18.0` before `3.18`), then the one without `v`.
///
/// ```
/// let tags = ["3.18.4", "3.18.6", "3.19.0", "edge"].map(str::to_owned);
/// assert_eq!(arc_oci::tags::select(">3.18.0 < 3.19.0", &tags).unwrap(), Some("3.18.6"));
/// ```
///
/// # Errors
/// When the constraint is none; an empty one is none.
pub fn select<'a>(constraint: &str, tags: &'a [String]) -> Result<Option<&'a str>, Error> {
    Ok(select_all(constraint, tags)?.into_iter().next())
}

/// Returns all versions among `tags` that the constraint allows, highest first; the rules are those of [`select`].
///
/// # Errors
/// When the constraint is none.
pub fn select_all<'a>(constraint: &str, tags: &'a [String]) -> Result<Vec<&'a str>, Error> {
    let range = Range::parse(constraint).map_err(|problem| Error::ParseConstraint {
        constraint: constraint.chars().take(range::MAX_LENGTH).collect(),
        problem,
    })?;
    Ok(highest_first(tags, |version| range.allows(version)))
}

/// Returns the tags that are versions, pre-releases included, highest first.
pub fn versions(tags: &[String]) -> Vec<&str> {
    highest_first(tags, |_| true)
}

fn highest_first(tags: &[String], is_wanted: impl Fn(&Version) -> bool) -> Vec<&str> {
    let versions = tags.iter().filter_map(|tag| Some((Version::from_tag(tag)?, tag.as_str())));
    let mut wanted: Vec<_> = versions.filter(|(version, _)| is_wanted(version)).collect();
    wanted
        .sort_by(|(one, one_tag), (other, other_tag)| other.cmp(one).then(one_tag.cmp(other_tag)));
    wanted.into_iter().map(|(_, tag)| tag).collect()
}

#[cfg(test)]
mod tests;
