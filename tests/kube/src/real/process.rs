//! A program that runs beside the test and ends with it.

use std::{
    ffi::{OsStr, OsString},
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Mutex,
};

/// How much of a log is worth showing.
const LAST_LINES: usize = 30;

/// A running program; dropping it kills it.
#[derive(Debug)]
pub(super) struct Process {
    child: Mutex<Child>,
    log: PathBuf,
}

impl Process {
    /// Starts a program in a folder, where its log goes too. No variable of the environment reaches it.
    pub(super) fn start(program: &Path, arguments: &[OsString], folder: &Path) -> Self {
        let name = program.file_name().and_then(OsStr::to_str).unwrap_or("program");
        let log = folder.join(format!("{name}.log"));
        let file = File::create(&log).unwrap();
        let child = Command::new(program)
            .args(arguments)
            .current_dir(folder)
            .env_clear()
            .env("HOME", folder)
            .stdin(Stdio::null())
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .spawn()
            .unwrap();
        Self { child: Mutex::new(child), log }
    }

    /// Whether it has not ended by itself.
    pub(super) fn is_running(&self) -> bool {
        let mut child = self.child.lock().unwrap();
        child.try_wait().unwrap().is_none()
    }

    /// Ends it at once.
    pub(super) fn kill(&self) {
        let mut child = self.child.lock().unwrap();
        // It may have ended by itself.
        let _ = child.kill();
        let _ = child.wait();
    }

    /// The end of what it wrote.
    pub(super) fn log_end(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let from = lines.len().saturating_sub(LAST_LINES);
        format!("{}:\n{}", self.log.display(), lines[from..].join("\n"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// What a program prints.
pub(super) fn output(program: &Path, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}
