//! What users type.

use std::{
    path::Path,
    process::{Command, Stdio},
};

/// What kubectl said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Whether it ended with 0.
    pub is_success: bool,
    /// What it printed.
    pub stdout: String,
    /// Warnings and errors.
    pub stderr: String,
}

impl Said {
    /// What it printed; fails the test unless it succeeded without a warning.
    #[track_caller]
    pub fn ok(self) -> String {
        assert!(self.is_success && self.stderr.is_empty(), "{self:#?}");
        self.stdout
    }
}

/// Runs it with the configuration in `folder`, where its cache goes too.
pub(super) fn run(program: &Path, folder: &Path, arguments: &[&str]) -> Said {
    let output = Command::new(program)
        .arg("--kubeconfig=kubeconfig")
        .args(arguments)
        .current_dir(folder)
        .env("HOME", folder)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Said {
        is_success: output.status.success(),
        stdout: text(&output.stdout),
        stderr: text(&output.stderr),
    }
}
