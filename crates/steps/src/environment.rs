//! What a step is told: environment variables in, one validated [`Request`] out.
//!
//! The names are those the workflow templates set. Values come from an order's author and are data:
//! nothing here expands or executes them. Every problem is reported, not the first one.

use std::collections::BTreeMap;

use arc_evidence::Policy;
use arc_oci::{Digest, Remote};
use arc_scan::Gate;

use crate::error::{Error, Problem};

mod trust;

pub use trust::{LogFacts, LogVersion};

/// Where artifacts come from or go to, as an endpoint describes it.
#[derive(Debug, Clone)]
pub struct EndpointFacts {
    /// The registry and path prefix.
    pub remote: Remote,
    /// Whether credentials are mounted and must be used.
    pub has_secret: bool,
    /// Extra trusted certificates, PEM.
    pub ca_bundle: Option<String>,
    /// Whether the server certificate is accepted unseen.
    pub insecure_skip_verify: bool,
}

/// Which artifact is meant: at least a tag expression or a digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The repository below the source endpoint, e.g. `library/alpine`.
    pub repository: String,
    /// A tag or a semver constraint; absent when only a digest was given.
    pub tag: Option<String>,
    /// A digest that pins the content.
    pub digest: Option<Digest>,
}

/// Who ordered, for the record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrderFacts {
    /// Namespace of the order.
    pub namespace: String,
    /// Name of the order.
    pub name: String,
    /// UID of the order.
    pub uid: String,
    /// Generation of the order's spec.
    pub generation: String,
    /// Creation time of the order, RFC 3339; the time that evidence carries.
    pub created_at: Option<jiff::Timestamp>,
    /// Name of the artifact within the order.
    pub artifact: String,
}

/// Which run this is, for the record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkflowFacts {
    /// Namespace of the Argo workflow.
    pub namespace: String,
    /// Name of the Argo workflow.
    pub name: String,
    /// UID of the Argo workflow.
    pub uid: String,
}

/// What to do with an image in which no package database is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsupported {
    /// Refuse it: what cannot be scanned did not pass.
    Refuse,
    /// Deliver it, and say in the evidence that nothing could be scanned.
    Allow,
}

/// Everything a step needs to know.
#[derive(Debug, Clone)]
pub struct Request {
    /// The source endpoint.
    pub source: EndpointFacts,
    /// The destination endpoint.
    pub destination: EndpointFacts,
    /// The artifact.
    pub wanted: Wanted,
    /// The override template for the destination name; empty means the source's name.
    pub override_template: String,
    /// Which severities refuse.
    pub gate: Gate,
    /// Where the advisories are.
    pub database: String,
    /// Where foreign scan reports are, if they are to be judged instead.
    pub report: Option<String>,
    /// What to do where there is nothing to scan.
    pub unsupported: Unsupported,
    /// Who ordered.
    pub order: OrderFacts,
    /// Which run.
    pub workflow: WorkflowFacts,
    /// What upstream must have signed; absent where nothing is asked of it.
    pub verify_source: Option<Policy>,
    /// The transparency log that holds every signature, where there is one.
    pub log: Option<LogFacts>,
    /// Whether each platform's manifest is signed besides the root.
    pub sign_platforms: bool,
    /// The pipeline's image, as the workflow template names it.
    pub pipeline_image: Option<String>,
    /// Whether to write nothing.
    pub dry_run: bool,
}

/// Environment variables by name.
pub type Environment = BTreeMap<String, String>;

impl Request {
    /// Reads a request from the environment and reports every problem in it.
    ///
    /// # Errors
    /// [`Error::Input`] with one line per variable that is missing or wrong.
    pub fn parse(environment: &Environment) -> Result<Self, Error> {
        let mut reader = Reader { environment, problems: Vec::new() };
        let source = reader.endpoint("SRC");
        let destination = reader.endpoint("DST");
        let wanted = reader.wanted();
        let gate = reader.gate();
        let unsupported = reader.unsupported();
        let order = reader.order();
        let verify_source = reader.verify_source();
        let log = reader.log();
        let sign_platforms = reader.flag("SIGN_PLATFORMS");
        let dry_run = reader.flag("DRY_RUN");
        let request = match (source, destination, wanted, gate, unsupported) {
            (Some(source), Some(destination), Some(wanted), Some(gate), Some(unsupported)) => {
                Self {
                    source,
                    destination,
                    wanted,
                    override_template: reader.text("SPEC_OVERRIDE").trim().to_owned(),
                    gate,
                    database: reader.text("SCAN_DATABASE").trim().to_owned(),
                    report: reader.given("SCAN_REPORT"),
                    unsupported,
                    order,
                    workflow: WorkflowFacts {
                        namespace: reader.text("WORKFLOW_NAMESPACE"),
                        name: reader.text("WORKFLOW_NAME"),
                        uid: reader.text("WORKFLOW_UID"),
                    },
                    verify_source,
                    log,
                    sign_platforms,
                    pipeline_image: reader.given("PIPELINE_IMAGE"),
                    dry_run,
                }
            }
            _ => return Err(Error::Input { problems: reader.problems }),
        };
        if reader.problems.is_empty() {
            Ok(request)
        } else {
            Err(Error::Input { problems: reader.problems })
        }
    }
}

/// Collects problems while reading variables one by one.
struct Reader<'a> {
    environment: &'a Environment,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn text(&self, name: &str) -> String {
        self.environment.get(name).cloned().unwrap_or_default()
    }

    fn given(&self, name: &str) -> Option<String> {
        Some(self.text(name).trim().to_owned()).filter(|value| !value.is_empty())
    }

    fn problem(&mut self, field: &str, message: String, hint: &str) {
        self.problems.push(Problem { field: field.to_owned(), message, hint: hint.to_owned() });
    }

    /// `true` and `false` are the only spellings; empty means false.
    fn flag(&mut self, name: &str) -> bool {
        match self.text(name).as_str() {
            "true" => true,
            "" | "false" => false,
            other => {
                self.problem(name, format!("{other:?} is not a boolean"), "write true or false");
                false
            }
        }
    }

    fn endpoint(&mut self, side: &str) -> Option<EndpointFacts> {
        let name = format!("{side}_REMOTE_URL");
        let kind = self.text(&format!("{side}_TYPE"));
        if !matches!(kind.as_str(), "" | "oci") {
            let message = format!("endpoint type {kind:?} is not a registry");
            self.problem(
                &format!("{side}_TYPE"),
                message,
                "this pipeline carries OCI artifacts; use an endpoint of type oci",
            );
        }
        let has_secret = self.flag(&format!("{side}_SECRET"));
        let insecure_skip_verify = self.flag(&format!("{side}_INSECURE_SKIP_VERIFY"));
        let ca_bundle = self.given(&format!("{side}_CA_BUNDLE"));
        match Remote::parse(self.text(&name).trim()) {
            Ok(remote) => {
                Some(EndpointFacts { remote, has_secret, ca_bundle, insecure_skip_verify })
            }
            Err(error) => {
                self.problem(
                    &name,
                    error.to_string(),
                    "give the endpoint a remoteURL such as https://registry.example/team",
                );
                None
            }
        }
    }

    fn wanted(&mut self) -> Option<Wanted> {
        let repository = self.given("SPEC_REPOSITORY");
        let image = self.given("SPEC_IMAGE");
        let (field, repository, expression) = match (repository, image) {
            (Some(_), Some(_)) => {
                let message = "both `image` and `repository` are given".to_owned();
                self.problem(
                    "SPEC_IMAGE",
                    message,
                    "give repository and tag, or image = repository:tag, not both",
                );
                return None;
            }
            (Some(repository), None) => ("SPEC_TAG", repository, self.text("SPEC_TAG")),
            (None, Some(image)) => {
                let (repository, expression) = split_image(&image);
                ("SPEC_IMAGE", repository, expression)
            }
            (None, None) => {
                let message = "no artifact is named".to_owned();
                self.problem(
                    "SPEC_REPOSITORY",
                    message,
                    "set spec.artifacts[].spec.repository and .tag",
                );
                return None;
            }
        };
        if arc_oci::validate_repository(&repository).is_err() {
            let message = format!("{repository:?} is not a repository name");
            self.problem(
                "SPEC_REPOSITORY",
                message,
                "write lower-case path components such as library/alpine",
            );
            return None;
        }
        match parse_expression(&expression) {
            Ok((tag, digest)) => Some(Wanted { repository, tag, digest }),
            Err(message) => {
                self.problem(
                    field,
                    message,
                    "write a tag, a digest, tag@digest, or a constraint such as \">=3.18 <3.19\"",
                );
                None
            }
        }
    }

    fn gate(&mut self) -> Option<Gate> {
        let text = self.text("SCAN_SEVERITY");
        match Gate::parse(&text) {
            Ok(gate) => Some(gate),
            Err(error) => {
                self.problem(
                    "SCAN_SEVERITY",
                    error.to_string(),
                    "list severities, for example HIGH,CRITICAL",
                );
                None
            }
        }
    }

    fn unsupported(&mut self) -> Option<Unsupported> {
        match self.text("SCAN_UNSUPPORTED").as_str() {
            "" | "refuse" => Some(Unsupported::Refuse),
            "allow" => Some(Unsupported::Allow),
            other => {
                let message = format!("{other:?} is neither refuse nor allow");
                self.problem(
                    "SCAN_UNSUPPORTED",
                    message,
                    "set the type's parameter scanUnsupported to refuse or allow",
                );
                None
            }
        }
    }

    fn order(&mut self) -> OrderFacts {
        let created_at =
            match self.given("ORDER_CREATED_AT").map(|text| text.parse::<jiff::Timestamp>()) {
                None => None,
                Some(Ok(time)) => Some(time),
                Some(Err(error)) => {
                    self.problem("ORDER_CREATED_AT", error.to_string(), "write an RFC 3339 time");
                    None
                }
            };
        OrderFacts {
            namespace: self.text("ORDER_NAMESPACE"),
            name: self.text("ORDER_NAME"),
            uid: self.text("ORDER_UID"),
            generation: self.text("ORDER_GENERATION"),
            created_at,
            artifact: self.text("ARTIFACT_NAME"),
        }
    }
}

/// Splits `repository:tag`, `repository@digest` and `repository:tag@digest`; what follows is left unjudged.
fn split_image(image: &str) -> (String, String) {
    let (name, digest) =
        image.split_once('@').map_or((image, None), |(name, digest)| (name, Some(digest)));
    // A colon before the last slash would be a registry's port, which has no place here; is_repository refuses it.
    let cut = name.rfind(':').filter(|colon| !name[*colon..].contains('/'));
    let (repository, tag) = cut.map_or((name, ""), |colon| (&name[..colon], &name[colon + 1..]));
    let expression = digest.map_or_else(|| tag.to_owned(), |digest| format!("{tag}@{digest}"));
    (repository.to_owned(), expression)
}

/// Reads `tag`, `digest`, `tag@digest` or a semver constraint.
fn parse_expression(expression: &str) -> Result<(Option<String>, Option<Digest>), String> {
    let expression = expression.trim();
    if expression.is_empty() {
        return Err("neither a tag nor a digest is given".to_owned());
    }
    if let Ok(digest) = expression.parse::<Digest>() {
        return Ok((None, Some(digest)));
    }
    match expression.split_once('@') {
        None => Ok((Some(expression.to_owned()), None)),
        Some((tag, digest)) => {
            let digest = digest.parse::<Digest>().map_err(|error| error.to_string())?;
            Ok((Some(tag.to_owned()).filter(|tag| !tag.is_empty()), Some(digest)))
        }
    }
}

#[cfg(test)]
mod tests;
