//! Values written by a tenant: none may be a template for Argo or the kubelet.

use arc_api::reasons::Reason;

use crate::expansion::second_order;
use crate::problem::Problem;
use crate::text::shorten;

/// Most characters of a value that a message repeats.
const SHOWN_CHARS: usize = 80;

/// Returns the problem of a value that would be evaluated; `subject` says whose value it is when the path does not.
pub(super) fn problem(path: &str, subject: Option<&str>, value: &str) -> Option<Problem> {
    let finding = second_order(value)?;
    let subject = subject.map(|subject| format!("{subject}: ")).unwrap_or_default();
    let message = format!("{subject}in the value {:?}, {finding}", shorten(value, SHOWN_CHARS));
    Some(Problem::new(path, Reason::TemplateExpression, message).hint(finding.remedy))
}
