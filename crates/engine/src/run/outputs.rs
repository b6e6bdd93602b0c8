//! What a node gives to those after it.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use arc_api::argo::{Outputs, Parameter, Phase, ValueFrom};

use super::execute::Ended;
use super::folders::PodFolders;
use super::machine::Machine;
use crate::template::{Output, OutputSource, Template};
use crate::text::Scope;

/// Argo's limit on `outputs.result`; this engine applies it to files of output parameters too.
pub(super) const MAX_OUTPUT_BYTES: usize = 256 * 1024;

/// The values of a list of steps, which grow while the steps run.
///
/// A step only refers to steps that ended before it started, so what it reads never changes.
#[derive(Debug)]
pub(super) struct Shared(RwLock<Scope>);

impl Shared {
    pub(super) fn new(scope: Scope) -> Self {
        Self(RwLock::new(scope))
    }

    pub(super) fn read(&self) -> RwLockReadGuard<'_, Scope> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Adds what a step gives, under `steps.<name>` or `tasks.<name>`.
pub(super) fn publish(scope: &Shared, prefix: &str, ended: &Ended) {
    let mut scope = scope.0.write().unwrap_or_else(PoisonError::into_inner);
    let mut add = |name: &str, value: &str| {
        scope.insert(format!("{prefix}.{name}"), Arc::from(value));
    };
    add("status", ended.phase.as_str());
    add("id", &ended.id);
    let Some(outputs) = &ended.outputs else { return };
    if let Some(exit_code) = &outputs.exit_code {
        add("exitCode", exit_code);
    }
    if let Some(result) = &outputs.result {
        add("outputs.result", result);
    }
    for parameter in &outputs.parameters {
        if let Some(value) = &parameter.value {
            add(&format!("outputs.parameters.{}", parameter.name), value);
        }
    }
}

/// Ends a list of steps or tasks that succeeded, with the outputs its template takes from them.
pub(super) fn of_steps(
    machine: &Machine,
    template: &Template,
    id: String,
    scope: &Shared,
) -> Ended {
    let mut parameters = Vec::new();
    for output in &template.outputs {
        let OutputSource::Parameter(text) = &output.source else { continue };
        let value = match (text.render(&scope.read()), &output.default) {
            (Ok(value), _) => value,
            (Err(_), Some(default)) => default.clone(),
            (Err(error), None) => return Ended::error(id, error.to_string()),
        };
        if let Err(message) = machine.keep(&value) {
            return Ended::error(id, message);
        }
        parameters.push(Parameter::new(output.name.clone(), value));
    }
    let outputs = (!parameters.is_empty()).then_some(Outputs { parameters, ..Outputs::default() });
    Ended { id, phase: Phase::Succeeded, message: String::new(), outputs }
}

/// The output parameters of a pod that did not succeed: declared, without a value.
pub(super) fn declared(template: &Template) -> Vec<Parameter> {
    template.outputs.iter().map(|output| parameter(output, None)).collect()
}

/// Reads the output parameters of a pod that succeeded.
pub(super) fn of_pod(
    machine: &Machine,
    template: &Template,
    folders: &PodFolders,
) -> Result<Vec<Parameter>, String> {
    let mut parameters = Vec::new();
    for output in &template.outputs {
        let OutputSource::Path(path) = &output.source else { continue };
        let value = match (read(folders, path)?, &output.default) {
            (Some(value), _) => value,
            (None, Some(default)) => default.clone(),
            (None, None) => {
                let executor = if folders.is_mounted(path) {
                    "/mainctrfs"
                } else {
                    "/var/run/argo/outputs/parameters"
                };
                return Err(format!("open {executor}{path}: no such file or directory"));
            }
        };
        machine.keep(&value)?;
        parameters.push(parameter(output, Some(value)));
    }
    Ok(parameters)
}

fn parameter(output: &Output, value: Option<String>) -> Parameter {
    let path = match &output.source {
        OutputSource::Path(path) => Some(path.clone()),
        OutputSource::Parameter(_) => None,
    };
    Parameter {
        name: output.name.clone(),
        value,
        default: None,
        value_from: Some(ValueFrom {
            path,
            default: output.default.clone(),
            ..ValueFrom::default()
        }),
    }
}

/// Reads a file of a pod, without one newline at its end; `None` when there is none.
fn read(folders: &PodFolders, path: &str) -> Result<Option<String>, String> {
    let Some(file) = folders.resolve(path) else { return Ok(None) };
    let bytes = read_limited(&file).map_err(|error| format!("open {path}: {error}"))?;
    if bytes.len() > MAX_OUTPUT_BYTES {
        return Err(format!("{path} is larger than {MAX_OUTPUT_BYTES} bytes"));
    }
    Ok(Some(trim_newline(&bytes)))
}

fn read_limited(file: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(MAX_OUTPUT_BYTES).unwrap_or(u64::MAX) + 1;
    File::open(file)?.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Makes a result of what a program wrote: without one newline at its end, and at most the last 256 KiB.
pub(super) fn result_of(stdout: &[u8]) -> String {
    let bytes = stdout.strip_suffix(b"\n").unwrap_or(stdout);
    let excess = bytes.len().saturating_sub(MAX_OUTPUT_BYTES);
    String::from_utf8_lossy(bytes.get(excess..).unwrap_or_default()).into_owned()
}

/// Makes text of an output, without one newline at its end.
fn trim_newline(bytes: &[u8]) -> String {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    String::from_utf8_lossy(bytes).into_owned()
}

/// Removes what an earlier run left at the place of an output, so that it is not taken for a new one.
pub(super) fn forget(template: &Template, folders: &PodFolders) -> std::io::Result<()> {
    for output in &template.outputs {
        let OutputSource::Path(path) = &output.source else { continue };
        let stale: Option<PathBuf> =
            if folders.is_own(path) { folders.resolve(path) } else { None };
        if let Some(file) = stale {
            std::fs::remove_file(file)?;
        }
    }
    Ok(())
}
