//! Runs one process in a group of its own, and ends the whole group when it must.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, Command};

use super::invocation::Invocation;
use super::lines::{Sink, follow};
use super::stop::Stop;
use crate::Stream;

/// How long the output of an ended process may stay open in the hands of its own children.
const DRAIN: Duration = Duration::from_millis(500);

/// How a process ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Exit {
    /// The exit code; 128 plus the signal where a signal ended it, as a container runtime reports it.
    pub(super) code: i32,
    /// The end of its standard output.
    pub(super) stdout: Vec<u8>,
}

/// Runs a process to its end, or to the end of `stop`.
pub(super) async fn run(invocation: &Invocation, stop: &Stop, sink: Sink<'_>) -> io::Result<Exit> {
    let mut child = command(invocation).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let group = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    let stdout = child.stdout.take();
    let stderr = child.stderr.take();
    let output = async {
        let stdout = async {
            match stdout {
                Some(pipe) => follow(pipe, Stream::Stdout, sink).await,
                None => Vec::new(),
            }
        };
        let stderr = async {
            if let Some(pipe) = stderr {
                follow(pipe, Stream::Stderr, sink).await;
            }
        };
        tokio::join!(stdout, stderr).0
    };
    tokio::pin!(output);
    let mut written = None;
    let status = {
        let end = wait(&mut child, group, stop, sink.machine.grace);
        tokio::pin!(end);
        loop {
            tokio::select! {
                status = &mut end => break status?,
                stdout = &mut output, if written.is_none() => written = Some(stdout),
            }
        }
    };
    let stdout = match written {
        Some(stdout) => stdout,
        None => drain(&mut output, group).await,
    };
    Ok(Exit { code: exit_code(status), stdout })
}

/// Runs a helper whose output nobody needs.
pub(super) async fn run_quietly(invocation: &Invocation) -> io::Result<i32> {
    let status = command(invocation).stdout(Stdio::null()).stderr(Stdio::null()).status().await?;
    Ok(exit_code(status))
}

fn command(invocation: &Invocation) -> Command {
    let mut command = Command::new(&invocation.program);
    command
        .args(&invocation.args)
        .env_clear()
        .envs(&invocation.env)
        .current_dir(&invocation.dir)
        .stdin(Stdio::null())
        .process_group(0)
        .kill_on_drop(true);
    command
}

async fn wait(
    child: &mut Child,
    group: Option<Pid>,
    stop: &Stop,
    grace: Duration,
) -> io::Result<ExitStatus> {
    tokio::select! {
        status = child.wait() => return status,
        _cause = stop.stopped() => {}
    }
    signal(group, Signal::TERM);
    tokio::select! {
        status = child.wait() => return status,
        () = tokio::time::sleep(grace) => {}
    }
    signal(group, Signal::KILL);
    child.wait().await
}

/// A container's other processes end with its first one.
async fn drain(mut output: impl Future<Output = Vec<u8>> + Unpin, group: Option<Pid>) -> Vec<u8> {
    if let Ok(stdout) = tokio::time::timeout(DRAIN, &mut output).await {
        return stdout;
    }
    signal(group, Signal::KILL);
    tokio::time::timeout(DRAIN, output).await.unwrap_or_default()
}

fn signal(group: Option<Pid>, signal: Signal) {
    if let Some(group) = group {
        // The group may have ended by itself.
        let _gone = kill_process_group(group, signal);
    }
}

fn exit_code(status: ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1)
}
