//! Reads dpkg's `status` database and distroless' `status.d` folder (deb822 stanzas).
//!
//! The layout of the file tree is left to [`crate::inventory()`].

use crate::{Manager, Package};

/// What is wrong with a package database.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Problem {
    /// A line belongs to no field.
    #[error("line {line} is neither a field nor the continuation of one")]
    StrayLine {
        /// Line number, from 1.
        line: usize,
    },
    /// An installed package lacks a field that matching needs.
    #[error("the package that ends at line {line} has no {field}")]
    MissingField {
        /// Line number, from 1.
        line: usize,
        /// The field's name.
        field: &'static str,
    },
}

/// Parses a `status` file or one of `status.d`: all packages that have files in the image.
///
/// A package is left out only if dpkg says that nothing but its configuration is there.
/// An unfinished installation counts, and so does a package without a state, as distroless images write them.
pub(crate) fn parse(text: &str) -> Result<Vec<Package>, Problem> {
    let mut packages = Vec::new();
    let mut stanza = Stanza::default();
    let mut last_line = 0;
    for (index, line) in text.lines().enumerate() {
        last_line = index + 1;
        if line.trim().is_empty() {
            packages.extend(finish(&stanza, last_line)?);
            stanza = Stanza::default();
        } else if line.starts_with([' ', '\t']) {
            if !stanza.has_fields {
                return Err(Problem::StrayLine { line: last_line });
            }
        } else {
            let (field, value) =
                line.split_once(':').ok_or(Problem::StrayLine { line: last_line })?;
            stanza.set(field.trim_end(), value.trim());
        }
    }
    packages.extend(finish(&stanza, last_line)?);
    Ok(packages)
}

#[derive(Default)]
struct Stanza<'a> {
    has_fields: bool,
    package: Option<&'a str>,
    version: Option<&'a str>,
    architecture: Option<&'a str>,
    source: Option<&'a str>,
    status: Option<&'a str>,
}

impl<'a> Stanza<'a> {
    fn set(&mut self, field: &str, value: &'a str) {
        self.has_fields = true;
        let slot = match field.to_ascii_lowercase().as_str() {
            "package" => &mut self.package,
            "version" => &mut self.version,
            "architecture" => &mut self.architecture,
            "source" => &mut self.source,
            "status" => &mut self.status,
            _ => return,
        };
        *slot = Some(value);
    }
}

fn finish(stanza: &Stanza<'_>, line: usize) -> Result<Option<Package>, Problem> {
    // The third word is the state; the first two say what is wanted and whether a reinstall is needed.
    let state = stanza.status.and_then(|status| status.split_ascii_whitespace().nth(2));
    if !stanza.has_fields || matches!(state, Some("not-installed" | "config-files")) {
        return Ok(None);
    }
    let required = |value: Option<&str>, field| match value {
        Some(value) if !value.is_empty() => Ok(value.to_owned()),
        _ => Err(Problem::MissingField { line, field }),
    };
    let name = required(stanza.package, "Package")?;
    let version = required(stanza.version, "Version")?;
    let (source, source_version) = match stanza.source.filter(|source| !source.is_empty()) {
        Some(source) => split_source(source, &version),
        None => (name.clone(), version.clone()),
    };
    let architecture = stanza.architecture.unwrap_or_default().to_owned();
    Ok(Some(Package {
        name,
        version,
        architecture,
        source,
        source_version,
        manager: Manager::Dpkg,
        licenses: Vec::new(),
    }))
}

/// Splits `name (version)`; without a version the source has the package's own.
fn split_source(source: &str, version: &str) -> (String, String) {
    match source.split_once('(') {
        Some((name, rest)) => {
            let source_version = rest.split(')').next().unwrap_or_default().trim();
            let source_version = if source_version.is_empty() { version } else { source_version };
            (name.trim().to_owned(), source_version.to_owned())
        }
        None => (source.to_owned(), version.to_owned()),
    }
}

#[cfg(test)]
mod tests;
