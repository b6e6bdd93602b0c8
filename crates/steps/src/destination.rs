//! Names the destination: the rendered override, or the source's repository and tag.

use handlebars::{Handlebars, no_escape};

use crate::error::Error;

/// Longest override template; a repository name and tag are at most 255 + 128 characters.
const MAX_TEMPLATE: usize = 1024;

/// Where an artifact goes, below the destination endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// The repository below the destination endpoint.
    pub repository: String,
    /// The tag that will appear last.
    pub tag: String,
}

/// Computes the destination of `repository` at `tag`, by the order's override template if there is one.
///
/// The template may use `tag` and `repository`, as `{{tag}}` or, as in Go templates, `{{.tag}}`.
/// An override without a tag keeps the source's tag.
///
/// # Errors
/// [`Error::Input`] where the template does not parse, names something unknown, or renders to something that is
/// not a repository and tag; and where no tag is known at all.
pub fn destination(
    template: &str,
    repository: &str,
    tag: Option<&str>,
) -> Result<Destination, Error> {
    let rendered = if template.is_empty() {
        repository.to_owned()
    } else {
        render(template, repository, tag)?
    };
    let (repository, own_tag) = match rendered.rsplit_once(':') {
        Some((repository, tag)) => (repository.to_owned(), Some(tag.to_owned())),
        None => (rendered.clone(), None),
    };
    if arc_oci::validate_repository(&repository).is_err() {
        return Err(invalid(
            format!("{rendered:?} does not name a repository"),
            "write repository:tag, without a registry",
        ));
    }
    let Some(tag) = own_tag.or_else(|| tag.map(str::to_owned)) else {
        let message =
            "the source is given by digest only, so the destination has no tag".to_owned();
        return Err(invalid(
            message,
            "add `override: repository:tag`, or give the tag as tag@digest",
        ));
    };
    if arc_oci::validate_tag(&tag).is_err() {
        return Err(invalid(
            format!("{tag:?} is not a tag"),
            "use at most 128 letters, digits, dots, dashes and underscores",
        ));
    }
    if is_reserved(&tag) {
        let hint =
            "tags of the form sha256-<hex> hold signatures and referrers; choose another name";
        return Err(invalid(format!("the tag {tag:?} is reserved"), hint));
    }
    Ok(Destination { repository, tag })
}

/// A tag of the referrers tag schema or of cosign (`sha256-<hex>`, `.sig`, `.att`, `.sbom`): an order that could
/// choose such a name could overwrite evidence.
fn is_reserved(tag: &str) -> bool {
    ["sha256-", "sha384-", "sha512-"].iter().any(|prefix| {
        tag.strip_prefix(prefix).is_some_and(|rest| {
            rest.len() >= 32 && rest.bytes().take(32).all(|byte| byte.is_ascii_hexdigit())
        })
    })
}

fn render(template: &str, repository: &str, tag: Option<&str>) -> Result<String, Error> {
    if template.len() > MAX_TEMPLATE {
        return Err(invalid(
            format!("the template has {} bytes", template.len()),
            "a destination name needs less than 1024",
        ));
    }
    let mut engine = Handlebars::new();
    engine.set_strict_mode(true);
    engine.register_escape_fn(no_escape);
    let mut values = serde_json::json!({"repository": repository});
    if let Some(tag) = tag {
        values["tag"] = tag.into();
    }
    let template = strip_dots(template)?;
    engine.render_template(&template, &values).map_err(|error| {
        let known = if tag.is_some() {
            "`tag` and `repository`"
        } else {
            "`repository` (the source has no tag)"
        };
        invalid(
            error.to_string(),
            &format!("a template may use {known}, for example myteam/app:{{{{.tag}}}}"),
        )
    })
}

/// Rewrites the Go spelling `{{ .tag }}`, `{{- .tag -}}`, `{{ $.tag }}` into Handlebars'.
fn strip_dots(template: &str) -> Result<String, Error> {
    let mut text = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(open) = rest.find("{{") {
        let Some(length) = rest[open..].find("}}") else {
            return Err(invalid("a `{{` is not closed".to_owned(), "close it with `}}`"));
        };
        let inner = &rest[open + 2..open + length];
        if inner.contains('|') {
            let hint = "pipelines are not supported; use {{.tag}} and {{.repository}}";
            return Err(invalid(format!("`{{{{{inner}}}}}` is a Go template pipeline"), hint));
        }
        let (before, inner) = inner.strip_prefix('-').map_or(("", inner), |inner| ("~", inner));
        let (after, inner) = inner.strip_suffix('-').map_or(("", inner), |inner| ("~", inner));
        let name = inner.trim();
        let name = name.strip_prefix("$.").or_else(|| name.strip_prefix('.')).unwrap_or(name);
        text.push_str(&rest[..open]);
        text.extend(["{{", before, name, after, "}}"]);
        rest = &rest[open + length + 2..];
    }
    text.push_str(rest);
    Ok(text)
}

fn invalid(message: String, hint: &str) -> Error {
    Error::input("SPEC_OVERRIDE", message, hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(template: &str, tag: Option<&str>, expected: Result<&str, &str>) {
        let outcome = destination(template, "library/alpine", tag)
            .map(|destination| format!("{}:{}", destination.repository, destination.tag))
            .map_err(|error| error.to_string());
        match expected {
            Ok(name) => assert_eq!(outcome.as_deref(), Ok(name)),
            Err(part) => {
                assert!(outcome.as_ref().is_err_and(|error| error.contains(part)), "{outcome:?}");
            }
        }
    }

    #[test]
    fn overrides_name_the_destination() {
        check("", Some("3.18"), Ok("library/alpine:3.18"));
        check("myteam/alpine:{{.tag}}-dev", Some("3.18"), Ok("myteam/alpine:3.18-dev"));
        check("myteam/alpine:{{ tag }}", Some("3.18"), Ok("myteam/alpine:3.18"));
        check("{{- .repository -}}:{{ $.tag }}", Some("3.18"), Ok("library/alpine:3.18"));
        check("mirror/{{.repository}}", Some("3.18"), Ok("mirror/library/alpine:3.18"));
        check("mirror/alpine:fixed", None, Ok("mirror/alpine:fixed"));
        check("{{#if tag}}a/b:{{tag}}{{/if}}", Some("1"), Ok("a/b:1"));
    }

    #[test]
    fn what_is_not_a_name_is_refused_with_the_reason() {
        check("", None, Err("digest only"));
        check("a/b:{{.tag}}", None, Err("tag"));
        check("a/b:{{.secret}}", Some("1"), Err("secret"));
        check("a/b:{{.tag | upper}}", Some("1"), Err("pipeline"));
        check("a/b:{{.tag", Some("1"), Err("not closed"));
        check("other.registry:5000/a:1", Some("1"), Err("does not name a repository"));
        check("../../etc", Some("1"), Err("does not name a repository"));
        check("A/B:1", Some("1"), Err("does not name a repository"));
        check("a/b:x y", Some("1"), Err("is not a tag"));
        check(&format!("a/b:sha256-{}.sig", "0".repeat(64)), Some("1"), Err("reserved"));
        check(&"x".repeat(2000), Some("1"), Err("2000 bytes"));
    }

    #[test]
    fn values_are_not_escaped_as_html() {
        check("a/b:{{.tag}}", Some("1_2"), Ok("a/b:1_2"));
        assert_eq!(render("{{.tag}}", "a", Some("x='&'<>")).ok().as_deref(), Some("x='&'<>"));
    }
}
