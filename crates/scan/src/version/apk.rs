//! Alpine's version order: `number{.number}…{letter}{_suffix{number}}…{~hash}{-rNumber}`.
//!
//! Follows the behaviour of apk-tools, including what it does with versions that break the grammar:
//! the first part that does not belong ends the comparison and sorts last.

use std::cmp::Ordering;

use super::{compare_numbers, take_while};

/// Compares two versions as `apk version -t` does.
pub fn compare(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (Parts::of(a), Parts::of(b));
    loop {
        let (left, right) = (a.next(), b.next());
        if left.kind() != right.kind() {
            return compare_kinds(left, right);
        }
        if matches!(left, Part::End | Part::Invalid) {
            return Ordering::Equal;
        }
        let ordering = compare_values(left, right);
        if ordering.is_ne() {
            return ordering;
        }
    }
}

/// Returns whether a version follows apk's grammar.
pub fn is_valid(version: &str) -> bool {
    let mut parts = Parts::of(version);
    loop {
        match parts.next() {
            Part::End => return true,
            Part::Invalid => return false,
            _ => {}
        }
    }
}

/// One part of a version.
#[derive(Clone, Copy)]
enum Part<'a> {
    First(&'a [u8]),
    Number(&'a [u8]),
    Letter(u8),
    Suffix(Suffix),
    SuffixNumber(&'a [u8]),
    Hash(&'a [u8]),
    Revision(&'a [u8]),
    End,
    Invalid,
}

/// The kinds of parts in the order of the grammar; where versions differ in kind, the earlier kind is the newer version.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    First,
    Number,
    Letter,
    Suffix,
    SuffixNumber,
    Hash,
    Revision,
    End,
    Invalid,
}

/// Suffix words, oldest first; those up to `Rc` come before the version without a suffix.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Suffix {
    Alpha,
    Beta,
    Pre,
    Rc,
    Cvs,
    Svn,
    Git,
    Hg,
    P,
}

impl Suffix {
    fn of(word: &[u8]) -> Option<Self> {
        Some(match word {
            b"alpha" => Self::Alpha,
            b"beta" => Self::Beta,
            b"pre" => Self::Pre,
            b"rc" => Self::Rc,
            b"cvs" => Self::Cvs,
            b"svn" => Self::Svn,
            b"git" => Self::Git,
            b"hg" => Self::Hg,
            b"p" => Self::P,
            _ => return None,
        })
    }
}

impl Part<'_> {
    fn kind(self) -> Kind {
        match self {
            Self::First(_) => Kind::First,
            Self::Number(_) => Kind::Number,
            Self::Letter(_) => Kind::Letter,
            Self::Suffix(_) => Kind::Suffix,
            Self::SuffixNumber(_) => Kind::SuffixNumber,
            Self::Hash(_) => Kind::Hash,
            Self::Revision(_) => Kind::Revision,
            Self::End => Kind::End,
            Self::Invalid => Kind::Invalid,
        }
    }

    fn is_before_release(self) -> bool {
        matches!(self, Self::Suffix(suffix) if suffix <= Suffix::Rc)
    }
}

/// Compares where one version goes on and the other does not: going on is newer, unless into a pre-release.
fn compare_kinds(left: Part<'_>, right: Part<'_>) -> Ordering {
    if left.is_before_release() {
        return Ordering::Less;
    }
    if right.is_before_release() {
        return Ordering::Greater;
    }
    right.kind().cmp(&left.kind())
}

fn compare_values(left: Part<'_>, right: Part<'_>) -> Ordering {
    match (left, right) {
        // A leading zero makes the number a decimal fraction: 1.05 is before 1.5.
        (Part::Number(a), Part::Number(b)) if a.starts_with(b"0") || b.starts_with(b"0") => {
            a.cmp(b)
        }
        (Part::First(a), Part::First(b))
        | (Part::Number(a), Part::Number(b))
        | (Part::SuffixNumber(a), Part::SuffixNumber(b))
        | (Part::Revision(a), Part::Revision(b)) => compare_numbers(a, b),
        (Part::Letter(a), Part::Letter(b)) => a.cmp(&b),
        (Part::Suffix(a), Part::Suffix(b)) => a.cmp(&b),
        (Part::Hash(a), Part::Hash(b)) => a.cmp(b),
        _ => Ordering::Equal,
    }
}

/// Cuts a version into its parts.
struct Parts<'a> {
    rest: &'a [u8],
    last: Option<Kind>,
}

impl<'a> Parts<'a> {
    fn of(version: &'a str) -> Self {
        Self { rest: version.trim().as_bytes(), last: None }
    }

    fn next(&mut self) -> Part<'a> {
        let part = self.read().unwrap_or(Part::Invalid);
        self.last = Some(part.kind());
        part
    }

    fn read(&mut self) -> Option<Part<'a>> {
        let Some(last) = self.last else {
            return self.digits().map(Part::First);
        };
        let Some((&first, rest)) = self.rest.split_first() else {
            return Some(Part::End);
        };
        match first {
            b'a'..=b'z' if last <= Kind::Number => {
                self.rest = rest;
                Some(Part::Letter(first))
            }
            b'.' if last <= Kind::Number => {
                self.rest = rest;
                self.digits().map(Part::Number)
            }
            b'0'..=b'9' if last == Kind::Suffix => self.digits().map(Part::SuffixNumber),
            b'_' if last <= Kind::SuffixNumber => {
                let (word, rest) = take_while(rest, |byte| byte.is_ascii_lowercase());
                self.rest = rest;
                Suffix::of(word).map(Part::Suffix)
            }
            b'~' if last < Kind::Hash => {
                // Lower case only would be enough for git, but apk takes any hexadecimal digit.
                let (hash, rest) = take_while(rest, |byte| byte.is_ascii_hexdigit());
                self.rest = rest;
                (!hash.is_empty()).then_some(Part::Hash(hash))
            }
            b'-' if last < Kind::Revision => {
                self.rest = rest.strip_prefix(b"r")?;
                self.digits().map(Part::Revision)
            }
            _ => None,
        }
    }

    fn digits(&mut self) -> Option<&'a [u8]> {
        let (digits, rest) = take_while(self.rest, |byte| byte.is_ascii_digit());
        self.rest = rest;
        (!digits.is_empty()).then_some(digits)
    }
}

#[cfg(test)]
mod tests;
