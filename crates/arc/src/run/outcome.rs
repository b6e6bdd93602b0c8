//! What became of one artifact, and of all of them as an exit code.

use arc_api::{ArtifactWorkflowStatus, DeliveryResult, Outcome, Phase};
use arc_core::Problem;
use arc_steps::Exit;
use serde::Serialize;

/// One artifact of one order.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Row {
    /// `namespace/name` of the order.
    pub(crate) order: String,
    /// Name of the artifact.
    pub(crate) artifact: String,
    /// How it ended, in one word.
    pub(crate) outcome: String,
    /// Why, where it did not end well.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) message: String,
    /// What is wrong with the order, where nothing ran.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) problems: Vec<RowProblem>,
    /// Name of the workflow, where one ran.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) workflow: Option<String>,
    /// What the steps reported.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) result: Option<DeliveryResult>,
    #[serde(skip)]
    pub(crate) exit: Exit,
}

/// One problem and what to do about it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct RowProblem {
    /// Path, value and what is wrong.
    pub(crate) message: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hint: Option<String>,
}

impl Row {
    /// An artifact that the core refused.
    pub(crate) fn refused(order: &str, artifact: &str, problems: &[Problem]) -> Self {
        let told = problems
            .iter()
            .map(|problem| RowProblem { message: problem.to_string(), hint: problem.hint.clone() });
        Self { problems: told.collect(), ..Self::new(order, artifact, "Invalid", Exit::WrongInput) }
    }

    /// An artifact whose workflow the engine cannot run.
    pub(crate) fn invalid(order: &str, artifact: &str, problems: &[String]) -> Self {
        let told =
            problems.iter().map(|message| RowProblem { message: message.clone(), hint: None });
        Self { problems: told.collect(), ..Self::new(order, artifact, "Invalid", Exit::WrongInput) }
    }

    /// An artifact of an order that is held.
    pub(crate) fn suspended(order: &str, artifact: &str) -> Self {
        let message = "the order has spec.suspend: true".to_owned();
        Self { message, ..Self::new(order, artifact, "Suspended", Exit::Done) }
    }

    fn new(order: &str, artifact: &str, outcome: &str, exit: Exit) -> Self {
        Self {
            order: order.to_owned(),
            artifact: artifact.to_owned(),
            outcome: outcome.to_owned(),
            message: String::new(),
            problems: Vec::new(),
            workflow: None,
            result: None,
            exit,
        }
    }

    /// An artifact whose workflow ran.
    pub(crate) fn ran(
        order: &str,
        artifact: &str,
        workflow: &str,
        status: ArtifactWorkflowStatus,
    ) -> Self {
        let (outcome, exit) = conclude(&status);
        let message =
            if exit == Exit::Done { String::new() } else { status.message.unwrap_or_default() };
        let workflow = Some(workflow.to_owned());
        Self {
            message,
            workflow,
            result: status.result,
            ..Self::new(order, artifact, &outcome, exit)
        }
    }

    /// Adds what the failing step itself said: an `error: ` line and its `hint: ` lines.
    pub(crate) fn explained(mut self, complaints: &[String]) -> Self {
        let mut lines = complaints.iter();
        let error = lines.next().and_then(|line| line.strip_prefix("error: "));
        if let Some(error) = error.filter(|_| self.exit != Exit::Done) {
            let hints: Vec<_> = lines.filter_map(|line| line.strip_prefix("hint: ")).collect();
            let hint = Some(hints.join("; ")).filter(|hint| !hint.is_empty());
            self.problems.push(RowProblem { message: error.to_owned(), hint });
        }
        self
    }
}

/// The word and exit code of a workflow that ran.
fn conclude(status: &ArtifactWorkflowStatus) -> (String, Exit) {
    let succeeded = status.phase == Some(Phase::Succeeded);
    if succeeded {
        // A template of the user's own may report nothing.
        let word = status
            .result
            .as_ref()
            .and_then(|result| result.outcome)
            .map_or("Succeeded", Outcome::as_str);
        return (word.to_owned(), Exit::Done);
    }
    let code = status.steps.iter().find_map(|step| step.exit_code.filter(|code| *code != 0));
    match code {
        Some(3) => ("Refused".to_owned(), Exit::Refused),
        Some(2) => ("Invalid".to_owned(), Exit::WrongInput),
        _ => ("Failed".to_owned(), Exit::Failed),
    }
}

/// One exit code for all rows: what a human must look at first wins.
pub(crate) fn exit(rows: &[Row]) -> Exit {
    let any = |exit: Exit| rows.iter().any(|row| row.exit == exit);
    [Exit::WrongInput, Exit::Failed, Exit::Refused]
        .into_iter()
        .find(|exit| any(*exit))
        .unwrap_or(Exit::Done)
}
