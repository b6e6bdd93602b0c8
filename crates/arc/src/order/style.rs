//! Colours, where somebody sees them.

use std::io::IsTerminal as _;

use arc_api::Phase;

/// How a tree is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Style {
    /// Whether to colour.
    pub(super) has_colours: bool,
    /// Whether to show digests and destinations too.
    pub(super) is_wide: bool,
}

impl Style {
    /// Colours only on a terminal, and not where `NO_COLOR` is set (no-color.org).
    pub(super) fn of_stdout(is_wide: bool) -> Self {
        let is_refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let is_dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
        let has_colours = std::io::stdout().is_terminal() && !is_refused && !is_dumb;
        Self { has_colours, is_wide }
    }

    /// The sign of a phase.
    pub(super) fn mark(self, phase: Phase) -> String {
        let (mark, colour) = match phase {
            Phase::Succeeded => ("✔", 32),
            Phase::Failed | Phase::Error => ("✖", 31),
            Phase::Running => ("●", 34),
            Phase::Pending | Phase::Suspended => ("○", 33),
            Phase::Skipped => ("–", 90),
        };
        self.paint(mark, colour)
    }

    /// What is less important.
    pub(super) fn faint(self, text: &str) -> String {
        self.paint(text, 90)
    }

    fn paint(self, text: &str, colour: u8) -> String {
        if self.has_colours { format!("\x1b[{colour}m{text}\x1b[0m") } else { text.to_owned() }
    }
}
