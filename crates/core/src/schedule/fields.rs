//! The five fields of a cron entry: minute, hour, day of the month, month, day of the week.

use jiff::civil::Date;

/// What one field may say.
struct Kind {
    name: &'static str,
    range: (u32, u32),
    /// Words for numbers, beginning with the first of the range.
    words: &'static [&'static str],
}

const KINDS: [Kind; 5] = [
    Kind { name: "minute", range: (0, 59), words: &[] },
    Kind { name: "hour", range: (0, 23), words: &[] },
    Kind { name: "day of the month", range: (1, 31), words: &[] },
    Kind {
        name: "month",
        range: (1, 12),
        words: &[
            "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
        ],
    },
    Kind {
        name: "day of the week",
        range: (0, 6),
        words: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
    },
];

/// The values that a field allows, one bit each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Values {
    bits: u64,
    /// Begins with `*` or `?`: it then narrows the other day field instead of adding to it.
    is_any: bool,
}

impl Values {
    fn has(self, value: i8) -> bool {
        u32::try_from(value).is_ok_and(|value| self.bits & (1 << value) != 0)
    }

    fn all(self) -> impl Iterator<Item = i8> {
        (0..60).filter(move |value| self.has(*value))
    }
}

/// The days and times of one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fields {
    minute: Values,
    hour: Values,
    day: Values,
    month: Values,
    weekday: Values,
}

impl Fields {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split_ascii_whitespace().collect();
        let [minute, hour, day, month, weekday] = parts.as_slice() else {
            return Err(format!(
                "it has {} fields; five are needed: minute, hour, day of the month, month, day of the week",
                parts.len()
            ));
        };
        let read = |place: usize, text: &str| field(&KINDS[place], text);
        Ok(Self {
            minute: read(0, minute)?,
            hour: read(1, hour)?,
            day: read(2, day)?,
            month: read(3, month)?,
            weekday: read(4, weekday)?,
        })
    }

    /// Tells whether a run falls on this day: where both day fields say something, one of them is enough.
    pub(super) fn matches_day(&self, date: Date) -> bool {
        let day = self.day.has(date.day());
        let weekday = self.weekday.has(date.weekday().to_sunday_zero_offset());
        let is_day =
            if self.day.is_any || self.weekday.is_any { day && weekday } else { day || weekday };
        self.month.has(date.month()) && is_day
    }

    /// Hour and minute of every run of a day, the earliest first.
    pub(super) fn times(&self) -> impl Iterator<Item = (i8, i8)> {
        let minutes = self.minute;
        self.hour.all().flat_map(move |hour| minutes.all().map(move |minute| (hour, minute)))
    }
}

fn field(kind: &Kind, text: &str) -> Result<Values, String> {
    let mut values = Values { bits: 0, is_any: false };
    for part in text.split(',') {
        let (bits, is_any) = part_of_field(kind, part).ok_or_else(|| {
            format!("{part:?} is not a {} ({} to {})", kind.name, kind.range.0, kind.range.1)
        })?;
        values.bits |= bits;
        values.is_any |= is_any;
    }
    Ok(values)
}

/// Reads `*`, `a`, `a-b`, each with `/step` or without.
fn part_of_field(kind: &Kind, part: &str) -> Option<(u64, bool)> {
    let (first, last) = kind.range;
    let (range, step) = match part.split_once('/') {
        Some((range, step)) => (range, Some(plain_number(step)?)),
        None => (part, None),
    };
    let is_any = matches!(range, "*" | "?");
    let (from, to) = match range.split_once('-') {
        _ if is_any => (first, last),
        Some((from, to)) => (number(kind, from)?, number(kind, to)?),
        // `5/10` begins at 5 and goes on to the end.
        None if step.is_some() => (number(kind, range)?, last),
        None => (number(kind, range)?, number(kind, range)?),
    };
    let step = usize::try_from(step.unwrap_or(1)).ok().filter(|step| *step > 0)?;
    let is_legal = first <= from && from <= to && to <= last;
    let bits = || (from..=to).step_by(step).fold(0, |bits, value| bits | 1 << value);
    // A step makes of `*` a choice like any other.
    is_legal.then(|| (bits(), is_any && step == 1))
}

fn number(kind: &Kind, text: &str) -> Option<u32> {
    let word = kind.words.iter().position(|word| text.eq_ignore_ascii_case(word));
    let of_word =
        word.and_then(|place| u32::try_from(place).ok()).map(|place| place + kind.range.0);
    of_word.or_else(|| plain_number(text))
}

fn plain_number(text: &str) -> Option<u32> {
    let is_plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    is_plain.then(|| text.parse().ok()).flatten()
}
