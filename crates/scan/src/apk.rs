//! Reads apk's `installed` database: stanzas of one-letter fields.
//!
//! Only the package fields are kept; the file lists (`F:`, `R:`, `Z:` …) are passed over.

use crate::{Manager, Package};

pub(crate) use crate::dpkg::Problem;

#[derive(Default)]
struct Stanza<'a> {
    has_fields: bool,
    name: &'a str,
    version: &'a str,
    architecture: &'a str,
    origin: &'a str,
    licenses: &'a str,
}

/// Parses an `installed` file: all packages in it.
pub(crate) fn parse_installed(text: &str) -> Result<Vec<Package>, Problem> {
    let mut packages = Vec::new();
    let mut stanza = Stanza::default();
    let mut last_line = 0;
    for (index, line) in text.lines().enumerate() {
        last_line = index + 1;
        let line = line.trim_end();
        if line.is_empty() {
            packages.extend(finish(&stanza, last_line)?);
            stanza = Stanza::default();
            continue;
        }
        let (field, value) = line.split_once(':').ok_or(Problem::StrayLine { line: last_line })?;
        stanza.has_fields = true;
        match field {
            "P" => stanza.name = value,
            "V" => stanza.version = value,
            "A" => stanza.architecture = value,
            "o" => stanza.origin = value,
            "L" => stanza.licenses = value,
            _ => {}
        }
    }
    packages.extend(finish(&stanza, last_line)?);
    Ok(packages)
}

fn finish(stanza: &Stanza<'_>, line: usize) -> Result<Option<Package>, Problem> {
    if !stanza.has_fields {
        return Ok(None);
    }
    for (value, field) in [(stanza.name, "P (name)"), (stanza.version, "V (version)")] {
        if value.is_empty() {
            return Err(Problem::MissingField { line, field });
        }
    }
    let origin = if stanza.origin.is_empty() { stanza.name } else { stanza.origin };
    Ok(Some(Package {
        name: stanza.name.to_owned(),
        version: stanza.version.to_owned(),
        architecture: stanza.architecture.to_owned(),
        source: origin.to_owned(),
        source_version: stanza.version.to_owned(),
        manager: Manager::Apk,
        licenses: Some(stanza.licenses.trim())
            .filter(|l| !l.is_empty())
            .map(str::to_owned)
            .into_iter()
            .collect(),
    }))
}

#[cfg(test)]
mod tests;
