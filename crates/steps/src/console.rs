//! What a step says while it works: plain lines on standard error, and progress records for the engine.
//!
//! Standard output is left to the result.

use std::time::Duration;

use arc_oci::Progress;
use tokio::task::JoinHandle;

/// How often progress is told to the engine, which draws bars with it.
const RECORD_INTERVAL: Duration = Duration::from_millis(200);
/// How often progress is told to a log.
const LINE_INTERVAL: Duration = Duration::from_secs(10);

/// The step's voice.
#[derive(Debug, Clone, Copy)]
pub struct Console {
    records: bool,
}

impl Console {
    /// A console; with `records` it tells the engine about progress as `::progress <done> <total> <label>`.
    pub fn new(records: bool) -> Self {
        Self { records }
    }

    /// Says one sentence.
    #[expect(clippy::print_stderr, reason = "this is the step's voice")]
    pub fn say(self, sentence: &str) {
        eprintln!("{sentence}");
    }

    /// Tells about `progress` until the returned guard is dropped.
    pub(crate) fn follow(self, label: &'static str, progress: Progress) -> Following {
        let interval = if self.records { RECORD_INTERVAL } else { LINE_INTERVAL };
        let follower = progress.clone();
        let task = tokio::spawn(async move {
            let mut told = (0, 0);
            loop {
                tokio::time::sleep(interval).await;
                let now = follower.snapshot();
                if now != told {
                    told = now;
                    self.tell(label, now);
                }
            }
        });
        Following { console: self, label, progress, task }
    }

    fn tell(self, label: &str, (done, total): (u64, u64)) {
        if self.records {
            self.say(&format!("::progress {done} {total} {label}"));
        } else {
            self.say(&format!("{label}: {} of {}", bytes(done), bytes(total)));
        }
    }
}

/// Stops telling when dropped, after the final numbers.
pub(crate) struct Following {
    console: Console,
    label: &'static str,
    progress: Progress,
    task: JoinHandle<()>,
}

impl Drop for Following {
    fn drop(&mut self) {
        self.task.abort();
        self.console.tell(self.label, self.progress.snapshot());
    }
}

/// Writes a number of bytes for people: `512 B`, `3.4 MB`.
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    let mut unit = 0;
    let mut divisor = 1_u64;
    while unit + 1 < UNITS.len() && count / divisor >= 1000 {
        divisor *= 1000;
        unit += 1;
    }
    if unit == 0 {
        return format!("{count} B");
    }
    let tenths = u128::from(count) * 10 / u128::from(divisor);
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn bytes_are_written_for_people() {
        let cases = [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1.0 kB"),
            (3_450_000, "3.4 MB"),
            (u64::MAX, "18446744.0 TB"),
        ];
        for (count, expected) in cases {
            assert_eq!(bytes(count), expected);
        }
    }
}
