//! Version constraints: alternatives of comparators that must all hold.
//!
//! Everything becomes intervals from a version up to, but without, another, and for `!=` intervals to stay out of.

use super::version::{Partial, Precedence, Version};

/// Longest constraint that is read, in characters; real ones have a few dozen.
pub(super) const MAX_LENGTH: usize = 1024;

/// From a version up to a version, open at the end.
#[derive(Debug, Default)]
struct Interval {
    /// Lowest version, and whether it is itself in.
    from: Option<(Precedence, bool)>,
    /// Highest version, and whether it is itself in.
    to: Option<(Precedence, bool)>,
    /// Whether nothing is in, as in `<*`.
    is_empty: bool,
}

impl Interval {
    fn contains(&self, version: &Precedence) -> bool {
        let is_above =
            |(from, is_in): &(Precedence, bool)| version > from || (*is_in && version == from);
        let is_below = |(to, is_in): &(Precedence, bool)| version < to || (*is_in && version == to);
        !self.is_empty
            && self.from.as_ref().is_none_or(is_above)
            && self.to.as_ref().is_none_or(is_below)
    }
}

/// Comparators that must all hold.
#[derive(Debug, Default)]
struct Alternative {
    within: Vec<Interval>,
    without: Vec<Interval>,
    mentions_pre_release: bool,
}

impl Alternative {
    fn allows(&self, version: &Precedence) -> bool {
        (self.mentions_pre_release || !version.is_pre_release())
            && self.within.iter().all(|interval| interval.contains(version))
            && !self.without.iter().any(|interval| interval.contains(version))
    }
}

/// A constraint.
#[derive(Debug)]
pub(super) struct Range(Vec<Alternative>);

impl Range {
    /// Reads a constraint, or says what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.chars().count() > MAX_LENGTH {
            return Err(format!("it is longer than {MAX_LENGTH} characters"));
        }
        if text.trim().is_empty() {
            return Err("it is empty".to_owned());
        }
        text.split("||").map(parse_alternative).collect::<Result<_, _>>().map(Self)
    }

    pub(super) fn allows(&self, version: &Version) -> bool {
        self.0.iter().any(|alternative| alternative.allows(&version.precedence))
    }
}

fn parse_alternative(text: &str) -> Result<Alternative, String> {
    let mut alternative = Alternative::default();
    for part in text.split(',') {
        let mut words = split_words(part)?.into_iter().peekable();
        if words.peek().is_none() {
            return Err("a part of it is empty".to_owned());
        }
        while let Some((operator, operand)) = words.next() {
            let is_hyphen = |next: &(&str, &str)| next.0 == "-";
            if let Some((_, end)) = words.next_if(is_hyphen) {
                if !operator.is_empty() {
                    return Err(format!("{operator:?} cannot begin a range with a hyphen"));
                }
                alternative.add_hyphen(&version(operand)?, &version(end)?);
            } else {
                alternative.add(operator, &version(operand)?)?;
            }
        }
    }
    Ok(alternative)
}

/// Cuts into pairs of operator and version; `1 - 2` gives the operator `-` for its second version.
fn split_words(text: &str) -> Result<Vec<(&str, &str)>, String> {
    const OPERATOR: &str = "<>=!~^";
    let mut found = Vec::new();
    let mut operator = "";
    let mut rest = text.trim();
    while !rest.is_empty() {
        let length = rest.find(|character| !OPERATOR.contains(character)).unwrap_or(rest.len());
        let (head, tail) = rest.split_at(length);
        if !head.is_empty() {
            if !operator.is_empty() {
                return Err(format!("{operator:?} has no version"));
            }
            operator = head;
            rest = tail.trim_start();
            continue;
        }
        let end =
            rest.find(|c: char| c.is_whitespace() || OPERATOR.contains(c)).unwrap_or(rest.len());
        let (word, tail) = rest.split_at(end);
        rest = tail.trim_start();
        if word == "-" && operator.is_empty() && !found.is_empty() {
            operator = "-";
        } else {
            found.push((std::mem::take(&mut operator), word));
        }
    }
    if operator.is_empty() { Ok(found) } else { Err(format!("{operator:?} has no version")) }
}

fn version(text: &str) -> Result<Partial, String> {
    Partial::parse(text, true).ok_or_else(|| format!("{text:?} is not a version"))
}

impl Alternative {
    fn add(&mut self, operator: &str, version: &Partial) -> Result<(), String> {
        self.mentions_pre_release |= version.precedence.is_pre_release();
        let is_span = matches!(operator, "" | "=" | "==" | "!=");
        if is_span && version.precedence.is_pre_release() && version.given < 3 {
            // `3.18-alpine` is a tag that was hoped for; taking 3.18.6 for it would surprise.
            return Err("a version with a suffix needs all three numbers".to_owned());
        }
        let interval = match operator {
            "" | "=" | "==" => span(version),
            "!=" => {
                self.without.push(span(version));
                return Ok(());
            }
            ">" => above(version),
            ">=" | "=>" => Interval { from: span(version).from, ..Interval::default() },
            "<" => Interval { to: below(version), is_empty: version.given == 0, from: None },
            "<=" | "=<" => Interval { to: span(version).to, ..Interval::default() },
            "~" | "~>" => tilde(version),
            "^" => caret(version),
            other => return Err(format!("{other:?} is not an operator")),
        };
        self.within.push(interval);
        Ok(())
    }

    fn add_hyphen(&mut self, start: &Partial, end: &Partial) {
        self.mentions_pre_release |=
            start.precedence.is_pre_release() || end.precedence.is_pre_release();
        self.within.push(Interval { from: span(start).from, to: span(end).to, is_empty: false });
    }
}

/// All versions that a partial one stands for: `1.2` is everything called 1.2.
fn span(version: &Partial) -> Interval {
    let exact = (version.precedence.clone(), true);
    match version.given {
        0 => Interval::default(),
        3 => Interval { from: Some(exact.clone()), to: Some(exact), is_empty: false },
        given => Interval { from: Some(exact), to: end_of(version, given - 1), is_empty: false },
    }
}

/// The end of everything that shares the numbers up to `index` with a version.
fn end_of(version: &Partial, index: usize) -> Option<(Precedence, bool)> {
    let mut next = [0; 3];
    for (position, (target, number)) in next.iter_mut().zip(version.precedence.numbers).enumerate()
    {
        if position <= index {
            *target = number;
        }
    }
    let last = next.get_mut(index)?;
    *last = last.checked_add(1)?;
    Some((Precedence::lowest(next), false))
}

fn above(version: &Partial) -> Interval {
    match version.given {
        // Nothing is above everything.
        0 => Interval { is_empty: true, ..Interval::default() },
        3 => Interval { from: Some((version.precedence.clone(), false)), ..Interval::default() },
        given => match end_of(version, given - 1) {
            Some((end, _)) => Interval { from: Some((end, true)), ..Interval::default() },
            None => Interval { is_empty: true, ..Interval::default() },
        },
    }
}

fn below(version: &Partial) -> Option<(Precedence, bool)> {
    match version.given {
        0 => None,
        3 => Some((version.precedence.clone(), false)),
        // `<1.2` is also below the pre-releases of 1.2.0.
        _ => Some((Precedence::lowest(version.precedence.numbers), false)),
    }
}

/// `~1.2.3` and `~1.2` stay within 1.2, `~1` within 1.
fn tilde(version: &Partial) -> Interval {
    let from = span(version).from;
    match version.given {
        0 => Interval::default(),
        1 => Interval { from, to: end_of(version, 0), is_empty: false },
        _ => Interval { from, to: end_of(version, 1), is_empty: false },
    }
}

/// `^1.2.3` keeps the first number that is not zero, or the last one given.
fn caret(version: &Partial) -> Interval {
    if version.given == 0 {
        return Interval::default();
    }
    let given = version.precedence.numbers.iter().take(version.given);
    let index = given.clone().position(|number| *number != 0).unwrap_or(version.given - 1);
    Interval { from: span(version).from, to: end_of(version, index), is_empty: false }
}
