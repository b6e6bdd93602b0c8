//! Faults on demand: which requests, and what goes wrong with them.

use std::time::Duration;

use crate::{record::Recorded, verb::Verb};

/// Which requests a fault is about; what is `None` fits everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Matching {
    /// With this verb.
    pub verb: Option<Verb>,
    /// Writes of any verb.
    pub writes: bool,
    /// On this resource, such as `orders` or `orders/status`.
    pub resource: Option<String>,
    /// On the object of this name.
    pub name: Option<String>,
    /// By this user.
    pub user: Option<String>,
}

impl Matching {
    /// Every request.
    pub fn any() -> Self {
        Self::default()
    }

    /// Every write.
    pub fn writes() -> Self {
        Self { writes: true, ..Self::default() }
    }

    /// Requests of one verb on one resource.
    pub fn of(verb: Verb, resource: &str) -> Self {
        Self { verb: Some(verb), resource: Some(resource.to_owned()), ..Self::default() }
    }

    /// Only those on the object of this name.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        self.name = Some(name.to_owned());
        self
    }

    /// Only those by this user.
    #[must_use]
    pub fn by(mut self, user: &str) -> Self {
        self.user = Some(user.to_owned());
        self
    }

    fn fits(&self, request: &Recorded) -> bool {
        self.verb.is_none_or(|verb| verb == request.verb)
            && (!self.writes || request.verb.is_write())
            && self.resource.as_ref().is_none_or(|resource| *resource == request.resource)
            && self.name.as_ref().is_none_or(|name| request.name.as_ref() == Some(name))
            && self.user.as_ref().is_none_or(|user| *user == request.user)
    }
}

/// Which of the matching requests go wrong, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Times {
    /// All.
    Always,
    /// The nth only.
    Nth(usize),
    /// The first n.
    First(usize),
    /// Every nth.
    Every(usize),
    /// All from the nth on.
    From(usize),
}

impl Times {
    fn fits(self, count: usize) -> bool {
        match self {
            Self::Always => true,
            Self::Nth(wanted) => count == wanted,
            Self::First(last) => count <= last,
            Self::Every(step) => step > 0 && count.is_multiple_of(step),
            Self::From(first) => count >= first,
        }
    }
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Nothing is done, and this status is answered.
    Answer {
        /// HTTP status.
        code: u16,
        /// Such as `InternalError`.
        reason: &'static str,
    },
    /// Nothing is done, and 409 is answered, as if somebody else had just written the object.
    Conflict,
    /// Nothing is done, and the connection is closed without an answer.
    Close,
    /// It is done, and the connection is closed without an answer.
    CloseAfter,
    /// It is done, and this status is answered.
    AnswerAfter {
        /// HTTP status.
        code: u16,
        /// Such as `Timeout`.
        reason: &'static str,
    },
    /// Nothing is done, and no answer ever comes; a test can [wait](crate::ApiServer::until_one_hangs) for it.
    Hang,
    /// It is done, and no answer ever comes; a test can [wait](crate::ApiServer::until_one_hangs) for it.
    HangAfter,
    /// It is done this much later.
    Delay(Duration),
    /// A watch ends after this many events.
    EndWatch {
        /// Events, bookmarks among them.
        after: usize,
        /// With a broken connection instead of a proper end.
        abruptly: bool,
    },
    /// A watch or list is told that its version is too old.
    Expire,
}

/// A fault: which requests, which of them, what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    matching: Matching,
    times: Times,
    effect: Effect,
    seen: usize,
}

impl Fault {
    /// A fault of some of the matching requests.
    pub fn new(matching: Matching, times: Times, effect: Effect) -> Self {
        Self { matching, times, effect, seen: 0 }
    }
}

/// All faults of a server.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    pub(crate) fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Counts the request and tells what goes wrong with it.
    pub(crate) fn strike(&mut self, request: &Recorded) -> Vec<Effect> {
        let mut effects = Vec::new();
        for fault in self.0.iter_mut().filter(|fault| fault.matching.fits(request)) {
            fault.seen += 1;
            if fault.times.fits(fault.seen) {
                effects.push(fault.effect.clone());
            }
        }
        effects
    }
}
