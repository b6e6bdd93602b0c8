//! What one sees while orders run: a bar per artifact on a terminal, plain lines elsewhere.

use std::io::IsTerminal as _;

use arc_engine::{Event, Stream};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

/// Draws or writes; standard output stays free for the outcome.
pub(crate) struct Display {
    bars: Option<MultiProgress>,
}

impl Display {
    /// A display for this process's standard error.
    pub(crate) fn new() -> Self {
        Self { bars: std::io::stderr().is_terminal().then(MultiProgress::new) }
    }

    /// Adds one artifact.
    pub(crate) fn artifact(&self, name: &str) -> ArtifactDisplay {
        let bar = self.bars.as_ref().map(|bars| {
            let bar = bars.add(ProgressBar::new_spinner());
            bar.set_style(spinner());
            bar.set_prefix(name.to_owned());
            bar.enable_steady_tick(std::time::Duration::from_millis(120));
            bar
        });
        ArtifactDisplay { name: name.to_owned(), bar }
    }
}

/// The line or bar of one artifact.
pub(crate) struct ArtifactDisplay {
    name: String,
    bar: Option<ProgressBar>,
}

impl ArtifactDisplay {
    /// Shows what happened.
    pub(crate) fn show(&self, event: &Event) {
        match event {
            Event::Log { line, stream: Stream::Stderr, .. } => self.say(line),
            Event::Progress { done, total, label, .. } => self.advance(*done, *total, label),
            Event::Log { stream: Stream::Stdout, .. } | Event::Node(_) => (),
        }
    }

    /// Shows the last word and takes the bar away.
    pub(crate) fn finish(&self, sentence: &str) {
        match &self.bar {
            Some(bar) => {
                bar.set_style(plain());
                bar.finish_with_message(sentence.to_owned());
            }
            None => self.say(sentence),
        }
    }

    /// Takes the bar away without a word.
    pub(crate) fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    #[expect(
        clippy::print_stderr,
        reason = "this is where progress goes when there is no terminal"
    )]
    fn say(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.set_message(line.to_owned()),
            None => eprintln!("{}: {line}", self.name),
        }
    }

    /// A bar on a terminal; elsewhere the steps' own sentences say enough.
    pub(crate) fn advance(&self, done: u64, total: u64, label: &str) {
        if let Some(bar) = &self.bar {
            bar.set_style(if done < total { bytes() } else { spinner() });
            bar.set_length(total);
            bar.set_position(done);
            bar.set_message(label.to_owned());
        }
    }
}

fn style(template: &str, fallback: ProgressStyle) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or(fallback)
}

fn spinner() -> ProgressStyle {
    style("{prefix:24} {spinner} {wide_msg}", ProgressStyle::default_spinner())
}

fn plain() -> ProgressStyle {
    style("{prefix:24}   {wide_msg}", ProgressStyle::default_spinner())
}

fn bytes() -> ProgressStyle {
    style(
        "{prefix:24} {msg:8} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec}",
        ProgressStyle::default_bar(),
    )
}
