//! Prints errors once, at the edge: the chain of causes on one line, each hint on its own.

use std::error::Error;
use std::process::ExitCode;

/// How a command ended, as the process exit code.
pub(crate) use arc_steps::Exit;

/// What a command gives back to `main`.
pub(crate) struct Failure {
    /// The exit code.
    pub(crate) exit: Exit,
    /// What went wrong, whole, on one line.
    pub(crate) message: String,
    /// What to do, one line each.
    pub(crate) hints: Vec<String>,
}

impl Failure {
    /// Wrong input: a retry cannot help.
    pub(crate) fn input(error: &dyn Error) -> Self {
        Self { exit: Exit::WrongInput, message: chain(error), hints: Vec::new() }
    }

    /// Something failed: a retry may help.
    pub(crate) fn failed(error: &dyn Error) -> Self {
        Self { exit: Exit::Failed, message: chain(error), hints: Vec::new() }
    }

    /// A plain message.
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), hints: Vec::new() }
    }

    /// Adds what to do.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

impl From<arc_steps::Error> for Failure {
    fn from(error: arc_steps::Error) -> Self {
        let hints = error.hints().into_iter().map(str::to_owned).collect();
        Self { exit: error.exit(), message: chain(&error), hints }
    }
}

/// Joins an error and its causes with `": "`.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// Prints a failure to standard error and gives the exit code.
#[expect(clippy::print_stderr, reason = "this is the place where errors are printed")]
pub(crate) fn conclude(outcome: Result<Exit, Failure>) -> ExitCode {
    let exit = match outcome {
        Ok(exit) => exit,
        Err(failure) => {
            eprintln!("error: {}", failure.message);
            for hint in &failure.hints {
                eprintln!("hint: {hint}");
            }
            failure.exit
        }
    };
    ExitCode::from(exit as u8)
}
