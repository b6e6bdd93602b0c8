//! What the exit code of a step means: the one table that steps, engine and status text share.

use std::fmt;

/// The meaning of a step's exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitCode {
    /// 0: the step did its work.
    Done,
    /// 1: the step failed; a retry may help.
    Failed,
    /// 2: the input is wrong; a retry cannot help.
    WrongInput,
    /// 3: policy said no, for instance the scan.
    Refused,
    /// 64: Argo's own executor failed, or skipped the step because an earlier one failed; no step of ours uses it.
    ArgoExecutor,
    /// 137 or 143: the process was killed (memory, deadline, deleted pod); no step of ours uses them.
    Killed,
    /// Any other code: not a step of ours, or one that crashed.
    Unknown(i32),
}

impl ExitCode {
    /// Returns the meaning of `code`.
    pub fn of(code: i32) -> Self {
        match code {
            0 => Self::Done,
            1 => Self::Failed,
            2 => Self::WrongInput,
            3 => Self::Refused,
            64 => Self::ArgoExecutor,
            137 | 143 => Self::Killed,
            other => Self::Unknown(other),
        }
    }

    /// Returns whether running the same step on the same input again may end differently.
    pub fn retry_may_help(self) -> bool {
        match self {
            Self::Done | Self::WrongInput | Self::Refused => false,
            Self::Failed | Self::ArgoExecutor | Self::Killed | Self::Unknown(_) => true,
        }
    }
}

impl fmt::Display for ExitCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Done => "done",
            Self::Failed => "failed, a retry may help",
            Self::WrongInput => "wrong input, a retry cannot help",
            Self::Refused => "refused by policy",
            Self::ArgoExecutor => "Argo's executor failed",
            Self::Killed => "killed from outside",
            Self::Unknown(_) => "failed for a reason that its exit code does not tell",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_has_its_meaning() {
        let cases = [
            (0, ExitCode::Done, false),
            (1, ExitCode::Failed, true),
            (2, ExitCode::WrongInput, false),
            (3, ExitCode::Refused, false),
            (64, ExitCode::ArgoExecutor, true),
            (137, ExitCode::Killed, true),
            (143, ExitCode::Killed, true),
            (101, ExitCode::Unknown(101), true),
        ];
        for (code, meaning, retry) in cases {
            assert_eq!(ExitCode::of(code), meaning);
            assert_eq!(meaning.retry_may_help(), retry, "{code}");
        }
    }
}
