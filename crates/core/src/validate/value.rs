//! Values written by a tenant: none may be a template for Argo or the kubelet.

use arc_api::reasons::Reason;

use crate::expansion::second_order;
use crate::problem::Problem;
use crate::text::shorten;

/// Most characters of a value that a message repeats.
const SHOWN_CHARS: usize = 80;

/// Returns the problem of a value that would be evaluated; `subject` begins the message where the path does not say whose value it is.
pub(crate) fn problem(path: &str, subject: &str, value: &str) -> Option<Problem> {
    let finding = second_order(value)?;
    let message = if finding.excerpt == value {
        format!("{subject}{} could evaluate {value:?}", finding.evaluator)
    } else {
        format!("{subject}{:?} contains {finding}", shorten(value, SHOWN_CHARS))
    };
    Some(Problem::new(path, Reason::TemplateExpression, message).hint(finding.remedy))
}
