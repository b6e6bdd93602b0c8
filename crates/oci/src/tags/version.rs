//! Semantic versions, as tags write them.

use std::cmp::Ordering;

/// One part of a pre-release: numbers sort before words, and as numbers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Identifier {
    Number(u64),
    Word(String),
}

/// Major, minor and patch with a pre-release; compares by precedence only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Precedence {
    pub(super) numbers: [u64; 3],
    pre_release: Vec<Identifier>,
}

impl Precedence {
    /// Returns the lowest pre-release of a version: what is below it is below everything called by that number.
    pub(super) fn lowest(numbers: [u64; 3]) -> Self {
        Self { numbers, pre_release: vec![Identifier::Number(0)] }
    }

    pub(super) fn is_pre_release(&self) -> bool {
        !self.pre_release.is_empty()
    }
}

impl Ord for Precedence {
    fn cmp(&self, other: &Self) -> Ordering {
        let release_last = self.pre_release.is_empty().cmp(&other.pre_release.is_empty());
        self.numbers
            .cmp(&other.numbers)
            .then(release_last)
            .then_with(|| self.pre_release.cmp(&other.pre_release))
    }
}

impl PartialOrd for Precedence {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A version with up to three numbers given, the rest left out or written as `x`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Partial {
    /// The version, with zeros for what is left out.
    pub(super) precedence: Precedence,
    /// How many numbers are given, 0 to 3.
    pub(super) given: usize,
    has_build: bool,
}

impl Partial {
    /// Reads `[v]1[.2[.3[-pre]]][+build]`; in constraints `x`, `X` and `*` stand for a number left out.
    pub(super) fn parse(text: &str, has_wildcards: bool) -> Option<Self> {
        let text = text.strip_prefix(['v', 'V']).unwrap_or(text);
        // Tags cannot hold a plus; Helm writes an underscore instead.
        let (text, build) = match text.split_once(['+', '_']) {
            Some((text, build)) => (text, Some(build)),
            None => (text, None),
        };
        if build.is_some_and(|build| !build.split('.').all(is_identifier)) {
            return None;
        }
        let (core, pre_release) = match text.split_once('-') {
            Some((core, pre_release)) => (core, Some(pre_release)),
            None => (text, None),
        };
        let mut numbers = [0; 3];
        let mut given = 0;
        let mut has_ended = false;
        let parts: Vec<_> = core.split('.').collect();
        if parts.len() > 3 {
            return None;
        }
        for (number, part) in numbers.iter_mut().zip(parts) {
            if has_wildcards && matches!(part, "x" | "X" | "*") {
                has_ended = true;
            } else if part.bytes().all(|byte| byte.is_ascii_digit()) {
                // `1.x.3` means what `1.x` means.
                let value = part.parse().ok()?;
                if !has_ended {
                    *number = value;
                    given += 1;
                }
            } else {
                return None;
            }
        }
        let pre_release = pre_release.map_or(Some(Vec::new()), parse_pre_release)?;
        Some(Self {
            precedence: Precedence { numbers, pre_release },
            given,
            has_build: build.is_some(),
        })
    }
}

fn is_identifier(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

fn parse_pre_release(text: &str) -> Option<Vec<Identifier>> {
    let parse = |part: &str| {
        if !is_identifier(part) {
            return None;
        }
        let is_number = part.bytes().all(|byte| byte.is_ascii_digit());
        // A number too long to be one still sorts, as a word.
        Some(match part.parse() {
            Ok(number) if is_number => Identifier::Number(number),
            _ => Identifier::Word(part.to_owned()),
        })
    };
    text.split('.').map(parse).collect()
}

/// The version of a tag; the order ends with what to prefer between tags of one version.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Version {
    pub(super) precedence: Precedence,
    given: usize,
    has_build: bool,
    has_prefix: bool,
}

impl Version {
    /// Returns the version that a tag says, or nothing when it says none.
    pub(super) fn from_tag(tag: &str) -> Option<Self> {
        let partial = Partial::parse(tag, false)?;
        let has_prefix = tag.starts_with(['v', 'V']);
        Some(Self {
            precedence: partial.precedence,
            given: partial.given,
            has_build: partial.has_build,
            has_prefix,
        })
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let preference = |version: &Self| (version.given, !version.has_build, !version.has_prefix);
        self.precedence
            .cmp(&other.precedence)
            .then_with(|| preference(self).cmp(&preference(other)))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
