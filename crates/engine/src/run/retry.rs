//! Tries a template again while its retry strategy says so.

use std::time::{Duration, Instant};

use arc_api::argo::{NodeType, Phase};

use super::execute::{Call, Ended, end, once};
use super::is_failed;
use super::machine::Machine;
use super::recorder::id_of;
use crate::expression::{self, Names, Value};
use crate::template::{Backoff, MAX_RETRIES, Retry, RetryPolicy};
use crate::text::Scope;

/// Runs a template, and again.
pub(super) async fn run<'run>(machine: &'run Machine, call: Call<'run>, retry: &Retry) -> Ended {
    let id = match call.begin(machine, NodeType::Retry) {
        Ok(id) => id,
        Err(ended) => return *ended,
    };
    let started = Instant::now();
    let mut attempt = 0;
    loop {
        let name = format!("{}({attempt})", call.name);
        machine.recorder.connect(&id, &id_of(&machine.ready.name, &name));
        let display_name = format!("{}({attempt})", call.display_name);
        let began = Instant::now();
        let try_ = Call { name, display_name, attempt: Some(attempt), ..call.clone() };
        let last = once(machine, try_).await;
        let facts = Facts { last: &last, attempt, seconds: began.elapsed().as_secs() };
        let verdict = if call.stop.cause().is_some() {
            Verdict::End(last.phase, last.message.clone())
        } else {
            judge(retry, &facts, started.elapsed())
        };
        match verdict {
            Verdict::End(phase, message) => {
                return end(machine, Ended { id, phase, message, outputs: last.outputs });
            }
            // A timer takes a millisecond even for nothing.
            Verdict::Again(Duration::ZERO) => tokio::task::yield_now().await,
            Verdict::Again(wait) => {
                tokio::select! {
                    () = tokio::time::sleep(wait) => {}
                    cause = call.stop.stopped() => {
                        let message = cause.message().to_owned();
                        return end(machine, Ended { id, phase: Phase::Failed, message, outputs: last.outputs });
                    }
                }
            }
        }
        attempt += 1;
    }
}

/// What is known after a try.
struct Facts<'ended> {
    last: &'ended Ended,
    attempt: u32,
    seconds: u64,
}

/// What follows from a try.
#[derive(Debug, PartialEq)]
enum Verdict {
    End(Phase, String),
    Again(Duration),
}

fn judge(retry: &Retry, facts: &Facts<'_>, elapsed: Duration) -> Verdict {
    let last = facts.last;
    let end = |message: &str| Verdict::End(last.phase, message.to_owned());
    if !is_failed(last.phase) {
        return end("");
    }
    let wanted = match retry.policy {
        RetryPolicy::Always => true,
        RetryPolicy::OnFailure => last.phase == Phase::Failed,
        RetryPolicy::OnError => last.phase == Phase::Error,
        // Transient errors are those of the cluster's API; there is none here.
        RetryPolicy::OnTransientError => false,
    };
    if !wanted {
        return end(&last.message);
    }
    if facts.attempt >= retry.limit.unwrap_or(MAX_RETRIES) {
        return end("No more retries left");
    }
    match condition(retry, facts) {
        Ok(true) => {}
        Ok(false) => return end("retryStrategy.expression evaluated to false"),
        Err(error) => {
            return Verdict::End(Phase::Error, format!("retryStrategy.expression: {error}"));
        }
    }
    let Some(backoff) = retry.backoff else { return Verdict::Again(Duration::ZERO) };
    let wait = wait(&backoff, facts.attempt);
    match backoff.max_duration {
        Some(max) if elapsed > max => end("Max duration limit exceeded"),
        Some(max) if elapsed + wait > max => end("Backoff would exceed max duration limit"),
        _ => Verdict::Again(wait),
    }
}

/// `duration * factor ^ retry`, at most `cap` or a day.
fn wait(backoff: &Backoff, attempt: u32) -> Duration {
    const LONGEST: Duration = Duration::from_secs(24 * 3600);
    let longest = backoff.cap.unwrap_or(LONGEST).min(LONGEST);
    let factor = backoff.factor.powi(i32::try_from(attempt).unwrap_or(i32::MAX));
    let seconds = (backoff.duration.as_secs_f64() * factor).min(longest.as_secs_f64());
    Duration::try_from_secs_f64(seconds).unwrap_or(longest)
}

fn condition(retry: &Retry, facts: &Facts<'_>) -> Result<bool, expression::Error> {
    let Some(expression) = &retry.expression else { return Ok(true) };
    let outputs = facts.last.outputs.as_ref();
    let exit_code = outputs.and_then(|outputs| outputs.exit_code.clone());
    let lookup = |name: &str| {
        Some(Value::Text(match name {
            // Argo says -1 where nothing ran.
            "lastRetry.exitCode" => exit_code.clone().unwrap_or_else(|| "-1".to_owned()),
            "lastRetry.status" => facts.last.phase.to_string(),
            "lastRetry.message" => facts.last.message.clone(),
            "lastRetry.duration" => facts.seconds.to_string(),
            "retries" => facts.attempt.to_string(),
            _ => return None,
        }))
    };
    expression::evaluate(expression, &Names { scope: &Scope::default(), lookup: &lookup })
}

#[cfg(test)]
mod tests {
    use arc_api::argo::Outputs;

    use super::*;
    use crate::expression::Dialect;
    use crate::problem::Position;
    use crate::text::Text;

    fn ended(phase: Phase, exit_code: &str) -> Ended {
        let outputs = Outputs { exit_code: Some(exit_code.to_owned()), ..Outputs::default() };
        Ended { id: "n".to_owned(), phase, message: "why".to_owned(), outputs: Some(outputs) }
    }

    fn strategy(policy: RetryPolicy) -> Retry {
        Retry { limit: Some(2), policy, backoff: None, expression: None }
    }

    #[test]
    fn the_policy_says_which_ends_are_tried_again() {
        let again = Verdict::Again(Duration::ZERO);
        let cases = [
            (RetryPolicy::Always, Phase::Failed, true),
            (RetryPolicy::Always, Phase::Error, true),
            (RetryPolicy::OnFailure, Phase::Failed, true),
            (RetryPolicy::OnFailure, Phase::Error, false),
            (RetryPolicy::OnError, Phase::Failed, false),
            (RetryPolicy::OnError, Phase::Error, true),
            (RetryPolicy::OnTransientError, Phase::Error, false),
        ];
        for (policy, phase, retried) in cases {
            let last = ended(phase, "1");
            let facts = Facts { last: &last, attempt: 0, seconds: 0 };
            let expected = if retried { &again } else { &Verdict::End(phase, "why".to_owned()) };
            assert_eq!(
                &judge(&strategy(policy), &facts, Duration::ZERO),
                expected,
                "{policy:?} {phase}"
            );
        }
    }

    #[test]
    fn an_expression_on_the_exit_code_ends_the_tries() {
        let text = "asInt(lastRetry.exitCode) != 3 && lastRetry.status == 'Failed'";
        let text = Text::parse(text, Position::default()).expect("parses");
        let expression = expression::parse(&text, Dialect::Retry).expect("parses");
        let retry = Retry { expression: Some(expression), ..strategy(RetryPolicy::Always) };
        let refused = ended(Phase::Failed, "3");
        let failed = ended(Phase::Failed, "1");
        assert_eq!(
            judge(&retry, &Facts { last: &refused, attempt: 0, seconds: 0 }, Duration::ZERO),
            Verdict::End(Phase::Failed, "retryStrategy.expression evaluated to false".to_owned())
        );
        assert_eq!(
            judge(&retry, &Facts { last: &failed, attempt: 1, seconds: 0 }, Duration::ZERO),
            Verdict::Again(Duration::ZERO)
        );
        assert_eq!(
            judge(&retry, &Facts { last: &failed, attempt: 2, seconds: 0 }, Duration::ZERO),
            Verdict::End(Phase::Failed, "No more retries left".to_owned())
        );
    }

    #[test]
    fn waiting_grows_and_ends() {
        let backoff = Backoff {
            duration: Duration::from_secs(2),
            factor: 3.0,
            cap: Some(Duration::from_secs(20)),
            max_duration: Some(Duration::from_secs(25)),
        };
        let waits: Vec<u64> = (0..4).map(|attempt| wait(&backoff, attempt).as_secs()).collect();
        assert_eq!(waits, [2, 6, 18, 20]);
        assert_eq!(wait(&Backoff { cap: None, ..backoff }, 4_000_000).as_secs(), 24 * 3600);
        let retry = Retry { backoff: Some(backoff), ..strategy(RetryPolicy::Always) };
        let last = ended(Phase::Failed, "1");
        let facts = Facts { last: &last, attempt: 1, seconds: 0 };
        let verdicts =
            [1, 20, 30].map(|seconds| judge(&retry, &facts, Duration::from_secs(seconds)));
        assert_eq!(
            verdicts,
            [
                Verdict::Again(Duration::from_secs(6)),
                Verdict::End(Phase::Failed, "Backoff would exceed max duration limit".to_owned()),
                Verdict::End(Phase::Failed, "Max duration limit exceeded".to_owned()),
            ]
        );
    }
}
