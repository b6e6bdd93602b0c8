//! What the API server answers when it refuses: a `Status` object in the words of the real one.

use serde_json::{Value, json};

use crate::kind::Kind;

/// The answer of a step of handling a request.
pub(crate) type Outcome<T> = Result<T, Failure>;

/// One thing that is wrong with an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cause {
    pub(crate) reason: &'static str,
    pub(crate) message: String,
    pub(crate) field: String,
}

impl Cause {
    /// A value that is not allowed; the message goes on after `Invalid value: `.
    pub(crate) fn invalid(field: impl Into<String>, message: impl AsRef<str>) -> Self {
        let message = format!("Invalid value: {}", message.as_ref());
        Self { reason: "FieldValueInvalid", message, field: field.into() }
    }

    /// A field that must be there.
    pub(crate) fn required(field: impl Into<String>, detail: &str) -> Self {
        let message = if detail.is_empty() {
            "Required value".to_owned()
        } else {
            format!("Required value: {detail}")
        };
        Self { reason: "FieldValueRequired", message, field: field.into() }
    }

    /// A change that is not allowed.
    pub(crate) fn forbidden(field: impl Into<String>, detail: impl AsRef<str>) -> Self {
        let message = format!("Forbidden: {}", detail.as_ref());
        Self { reason: "FieldValueForbidden", message, field: field.into() }
    }
}

/// A refusal with its HTTP status.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Failure(Box<Parts>);

#[derive(Debug, Clone, PartialEq)]
struct Parts {
    code: u16,
    reason: &'static str,
    message: String,
    metadata: Value,
    details: Option<Value>,
}

impl Failure {
    /// A refusal without details; an empty reason is left out.
    pub(crate) fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self(Box::new(Parts { code, reason, message, metadata: json!({}), details: None }))
    }

    /// The same with details.
    pub(crate) fn with_details(mut self, details: Value) -> Self {
        self.0.details = Some(details);
        self
    }

    /// The same with a token to go on with.
    pub(crate) fn with_continue(mut self, token: &str) -> Self {
        self.0.metadata = json!({ "continue": token });
        self
    }

    /// 400.
    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    /// 404 of a path that nothing serves.
    pub(crate) fn no_such_path() -> Self {
        Self::new(404, "NotFound", "the server could not find the requested resource")
            .with_details(json!({}))
    }

    /// 404 of an object.
    pub(crate) fn not_found(kind: &Kind, name: &str) -> Self {
        let message = format!("{} {name:?} not found", kind.group_resource());
        Self::new(404, "NotFound", message).with_details(details(&kind.plural, &kind.group, name))
    }

    /// 409 of a create.
    pub(crate) fn already_exists(kind: &Kind, name: &str) -> Self {
        let message = format!("{} {name:?} already exists", kind.group_resource());
        Self::new(409, "AlreadyExists", message).with_details(details(
            &kind.plural,
            &kind.group,
            name,
        ))
    }

    /// 409 with the reason after the name.
    pub(crate) fn conflict(kind: &Kind, name: &str, why: &str) -> Self {
        let message =
            format!("Operation cannot be fulfilled on {} {name:?}: {why}", kind.group_resource());
        Self::new(409, "Conflict", message).with_details(details(&kind.plural, &kind.group, name))
    }

    /// 409 of a write on an object that changed meanwhile.
    pub(crate) fn modified(kind: &Kind, name: &str) -> Self {
        Self::conflict(
            kind,
            name,
            "the object has been modified; please apply your changes to the latest version and try again",
        )
    }

    /// 422 with its causes; `kind` may be the resource where the real server mixes them up.
    pub(crate) fn invalid(kind: &str, group: &str, name: &str, causes: &[Cause]) -> Self {
        let mut lines: Vec<String> = Vec::new();
        for cause in causes {
            let line = format!("{}: {}", cause.field, cause.message);
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
        let what = match lines.as_slice() {
            [only] => only.clone(),
            many => format!("[{}]", many.join(", ")),
        };
        let qualified = if group.is_empty() { kind.to_owned() } else { format!("{kind}.{group}") };
        let mut details = details(kind, group, name);
        details["causes"] = causes
            .iter()
            .map(|cause| {
                json!({ "reason": cause.reason, "message": cause.message, "field": cause.field })
            })
            .collect();
        let message = format!("{qualified} {name:?} is invalid: {what}");
        Self::new(422, "Invalid", message).with_details(details)
    }

    /// The HTTP status.
    pub(crate) fn code(&self) -> u16 {
        self.0.code
    }

    /// The `Status` object.
    pub(crate) fn to_value(&self) -> Value {
        let parts = &self.0;
        let mut status = json!({
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": parts.metadata,
            "status": "Failure",
            "message": parts.message,
            "code": parts.code,
        });
        if !parts.reason.is_empty() {
            status["reason"] = parts.reason.into();
        }
        if let Some(details) = &parts.details {
            status["details"] = details.clone();
        }
        status
    }
}

/// `details` of a status; empty strings are left out as Go does.
pub(crate) fn details(kind: &str, group: &str, name: &str) -> Value {
    let mut details = json!({});
    for (key, value) in [("name", name), ("group", group), ("kind", kind)] {
        if !value.is_empty() {
            details[key] = value.into();
        }
    }
    details
}
