//! Runs the binary under test, and any other program, in an environment that holds nothing of the machine's user.
//!
//! Output goes to files, so a talkative program never blocks.
//! Waiting is asynchronous: servers of the same test go on answering meanwhile.

use std::{
    fs::{self, File},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{self, Mutex},
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// Nothing that a test starts may take longer.
const TIME_LIMIT: Duration = Duration::from_secs(300);
/// How often a running program is looked at.
const GLANCE: Duration = Duration::from_millis(5);

/// A program with its environment, ready to run any number of times.
#[derive(Debug)]
pub struct Arc {
    binary: PathBuf,
    home: TempDir,
    current_dir: Option<PathBuf>,
    env: Vec<(String, String)>,
}

/// What a program that has ended left behind.
#[derive(Debug, Clone)]
pub struct Finished {
    /// The exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Everything written to standard output.
    pub stdout: String,
    /// Everything written to standard error.
    pub stderr: String,
    /// The largest resident size seen, in bytes; child processes are not counted.
    pub peak_memory: u64,
}

/// A running program; clones are handles to the same one.
#[derive(Debug, Clone)]
pub struct Process {
    shared: sync::Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    child: Mutex<Child>,
    output: TempDir,
}

impl Arc {
    /// Prepares to run `binary` (in test targets: `env!("CARGO_BIN_EXE_arc-under-test")`) with a new, empty home.
    pub fn new(binary: impl Into<PathBuf>) -> Self {
        Self {
            binary: binary.into(),
            home: tempfile::tempdir().unwrap(),
            current_dir: None,
            env: Vec::new(),
        }
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<Path>) -> Self {
        self.env.push((name.to_owned(), value.as_ref().to_str().unwrap().to_owned()));
        self
    }

    /// Runs in `folder` instead of in the home.
    #[must_use]
    pub fn current_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.current_dir = Some(folder.into());
        self
    }

    /// Returns the home folder of the program.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// Runs to the end.
    pub async fn run(&self, args: &[&str]) -> Finished {
        self.spawn(args).wait().await
    }

    /// Starts, and returns at once.
    pub fn spawn(&self, args: &[&str]) -> Process {
        let output = tempfile::tempdir().unwrap();
        let file = |name| File::create(output.path().join(name)).unwrap();
        let child = Command::new(&self.binary)
            .args(args)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.home.path())
            .env("TMPDIR", self.home.path())
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .current_dir(self.current_dir.as_deref().unwrap_or(self.home.path()))
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(file("stdout"))
            .stderr(file("stderr"))
            .spawn();
        let child = child
            .unwrap_or_else(|error| panic!("failed to start {}: {error}", self.binary.display()));
        Process { shared: sync::Arc::new(Shared { child: Mutex::new(child), output }) }
    }
}

impl Process {
    /// Returns the process id.
    pub fn id(&self) -> u32 {
        self.shared.child.lock().unwrap().id()
    }

    /// Kills the program as a power cut would, and returns when it is dead. Children it started live on.
    pub fn kill(&self) {
        let mut child = self.shared.child.lock().unwrap();
        // It may have ended by itself.
        let _ = child.kill();
        child.wait().unwrap();
    }

    /// Waits for the end; a program that takes too long is killed and fails the test.
    pub async fn wait(self) -> Finished {
        let started = Instant::now();
        let mut peak_memory = 0;
        let status = loop {
            peak_memory = peak_memory.max(self.resident_peak());
            if let Some(status) = self.try_wait() {
                break status;
            }
            if started.elapsed() > TIME_LIMIT {
                self.kill();
                panic!("still running after {TIME_LIMIT:?}\n{}", self.read("stderr"));
            }
            tokio::time::sleep(GLANCE).await;
        };
        Finished {
            code: status.code(),
            stdout: self.read("stdout"),
            stderr: self.read("stderr"),
            peak_memory,
        }
    }

    /// Returns what was written to standard error so far.
    pub fn stderr(&self) -> String {
        self.read("stderr")
    }

    /// Returns what was written to standard output so far.
    pub fn stdout(&self) -> String {
        self.read("stdout")
    }

    /// Tells whether it has not ended yet.
    pub fn is_running(&self) -> bool {
        self.try_wait().is_none()
    }

    fn try_wait(&self) -> Option<ExitStatus> {
        self.shared.child.lock().unwrap().try_wait().unwrap()
    }

    /// Reads the high-water mark of the resident size; 0 where the system does not tell.
    fn resident_peak(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kibibytes =
            line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
        kibibytes.unwrap_or_default() * 1024
    }

    fn read(&self, name: &str) -> String {
        String::from_utf8_lossy(&fs::read(self.shared.output.path().join(name)).unwrap())
            .into_owned()
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let child = self.child.get_mut().unwrap();
        // Nothing that a test started outlives it, nor what that started.
        if let Some(group) = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw)
        {
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
        let _ = child.wait();
    }
}

impl Finished {
    /// Fails the test, with all output, unless the program ended with `code`.
    #[track_caller]
    #[expect(clippy::return_self_not_must_use, reason = "often the check is all that is wanted")]
    pub fn expect_code(self, code: i32) -> Self {
        assert_eq!(
            self.code,
            Some(code),
            "\n--- stdout\n{}\n--- stderr\n{}",
            self.stdout,
            self.stderr
        );
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn program_runs_with_a_clean_environment() {
        let arc = Arc::new("/bin/sh").env("GIVEN", "yes");
        let finished =
            arc.run(&["-c", "echo $GIVEN $CARGO_MANIFEST_DIR; pwd; echo oops >&2; exit 3"]).await;
        assert_eq!(finished.code, Some(3));
        assert_eq!(finished.stdout, format!("yes\n{}\n", arc.home().display()));
        assert_eq!(finished.stderr, "oops\n");
    }

    #[tokio::test]
    async fn killed_program_has_no_exit_code() {
        let process = Arc::new("/bin/sleep").spawn(&["60"]);
        process.kill();
        assert_eq!(process.wait().await.code, None);
    }
}
