//! Runs commands and measures them exactly.
//!
//! A small process of our own starts them and asks the kernel, when the last has ended, what its children used:
//! the peak is that of the largest single process, as `wait4` reports it, and not a sample.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;
use serde::{Deserialize, Serialize};

/// The argument that makes this program the small process.
pub(crate) const ARGUMENT: &str = "measure-in-this-process";
/// Nothing here takes longer unless it hangs.
const TIME_LIMIT: Duration = Duration::from_secs(600);

/// Commands to run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Job {
    /// Program and arguments of each.
    pub(crate) commands: Vec<Vec<String>>,
    /// How many run at the same time.
    pub(crate) parallel: usize,
    /// Home of the commands, and where their output goes.
    pub(crate) folder: PathBuf,
}

/// What they used.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Usage {
    /// From the first start to the last end, in seconds.
    pub(crate) seconds: f64,
    /// Processor time of all, user and system, in seconds.
    pub(crate) cpu_seconds: f64,
    /// Peak resident size of the largest process, in bytes.
    pub(crate) peak_memory: u64,
    /// What went wrong; empty when all ended well.
    pub(crate) failures: Vec<String>,
}

/// Runs the commands in a process of their own.
pub(crate) async fn measure(job: &Job) -> Usage {
    let file = job.folder.join("job.json");
    fs::write(&file, serde_json::to_vec(job).unwrap()).unwrap();
    let run = tokio::process::Command::new(std::env::current_exe().unwrap())
        .arg(ARGUMENT)
        .arg(&file)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(TIME_LIMIT, run).await.expect("the commands hang").unwrap();
    serde_json::from_slice(&output.stdout).expect("the measuring process writes JSON")
}

/// Is the small process.
#[expect(clippy::print_stdout, reason = "this is how the figures get to the parent")]
pub(crate) fn in_this_process(file: &Path) {
    let job: Job = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    let queue = Mutex::new(job.commands.iter().enumerate().collect::<VecDeque<_>>());
    let failures = Mutex::new(Vec::new());
    let started = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..job.parallel.clamp(1, job.commands.len().max(1)) {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().unwrap().pop_front();
                    let Some((number, command)) = next else { break };
                    if let Err(failure) = run(&job, number, command) {
                        failures.lock().unwrap().push(failure);
                    }
                }
            });
        }
    });
    let seconds = started.elapsed().as_secs_f64();
    let used = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap();
    let cpu = used.user_time().num_microseconds() + used.system_time().num_microseconds();
    let usage = Usage {
        seconds,
        cpu_seconds: Duration::from_micros(cpu.unsigned_abs()).as_secs_f64(),
        // Linux counts in kibibytes.
        peak_memory: used.max_rss().unsigned_abs() * 1024,
        failures: failures.into_inner().unwrap(),
    };
    println!("{}", serde_json::to_string(&usage).unwrap());
}

fn run(job: &Job, number: usize, command: &[String]) -> Result<(), String> {
    let output = job.folder.join(format!("{number}.out"));
    let file = File::create(&output).unwrap();
    let (program, arguments) = command.split_first().unwrap();
    let status = Command::new(program)
        .args(arguments)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", &job.folder)
        .env("TMPDIR", &job.folder)
        .current_dir(&job.folder)
        .stdin(Stdio::null())
        .stdout(file.try_clone().unwrap())
        .stderr(file)
        .status()
        .map_err(|error| format!("{program}: {error}"))?;
    if status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&fs::read(&output).unwrap()).into_owned();
    let last = text.lines().rev().take(3).collect::<Vec<_>>().join(" / ");
    Err(format!("{} ended with {status}: {last}", command.join(" ")))
}
