//! What a verification demands: the options and the policy file, put together under the parameters' names.
//!
//! Both go through the same reader, so that a policy means the same in a `ClusterArtifactType`, in a file and when typed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use arc_evidence::verify::{ParameterProblem, Policy, PolicyFile, ScanPolicy};
use arc_evidence::{LogKey, PublicKey, predicate};
use arc_steps::Exit;

use crate::cli::Demands;
use crate::registry_access::read;
use crate::report::Failure;

/// The parameters' names by option.
const KEYS: &str = "verifyKeys";
const TYPES: &str = "verifyPredicateTypes";
const SEVERITY: &str = "scanSeverity";
const MAX_SCAN_AGE: &str = "verifyMaxScanAge";
const BUILDER: &str = "verifyBuilder";
const ORDER_NAMESPACE: &str = "verifyOrderNamespace";
const ORDER_NAME: &str = "verifyOrderName";
const LOG_KEY: &str = "verifyLogKey";
/// The pipeline's own parameter: whether each platform's manifest is signed.
const SIGN_PLATFORMS: &str = "signPlatforms";

/// Which predicate types say what is inside an image; they are attached to the manifests of platforms.
pub(super) const CONTENTS: [&str; 2] = [predicate::PREDICATE_CYCLONEDX, predicate::PREDICATE_SPDX];

/// The policies of one verification.
#[derive(Debug)]
pub(super) struct Policies {
    /// For the digest itself.
    pub(super) root: Policy,
    /// For each platform's manifest.
    pub(super) platform: Policy,
}

/// Reads options and policy file; with `has_platforms` the contents' attestations are demanded of the platforms.
pub(super) fn policies(demands: &Demands, has_platforms: bool) -> Result<Policies, Failure> {
    let mut file = match &demands.policy {
        Some(path) => policy_file(path)?,
        None => PolicyFile::default(),
    };
    let mut origins = BTreeMap::new();
    for (name, option, value) in typed(demands)? {
        file.set(name, &value);
        origins.insert(name, option);
    }
    let mut root = file.to_policy().map_err(|problems| failure(&problems, &origins, demands))?;
    if demands.policy.is_none() && demands.require.is_empty() {
        root = root.require(predicate::PREDICATE_SLSA_PROVENANCE);
        root.scan = root.scan.or_else(|| Some(ScanPolicy::default()));
    }
    // The attestation alone says little: whoever asks for the scan asks for its verdict.
    if root.require.contains(predicate::PREDICATE_VULN) && root.scan.is_none() {
        root.scan = Some(ScanPolicy::default());
    }
    let are_signed = file
        .parameters
        .iter()
        .any(|parameter| parameter.name == SIGN_PLATFORMS && parameter.value.trim() == "true");
    Ok(divide(root, has_platforms, are_signed))
}

/// Reads public keys; errors name the file.
pub(crate) fn public_keys(paths: &[PathBuf]) -> Result<Vec<PublicKey>, Failure> {
    each(paths, "a public key such as cosign.pub", PublicKey::all_from_pem)
}

/// Reads keys of transparency logs; errors name the file.
pub(crate) fn log_keys(paths: &[PathBuf]) -> Result<Vec<LogKey>, Failure> {
    each(paths, "the log's public key, ECDSA P-256 or Ed25519", LogKey::all_from_pem)
}

fn each<T>(
    paths: &[PathBuf],
    expected: &str,
    parse: impl Fn(&str) -> Result<Vec<T>, arc_evidence::keys::Error>,
) -> Result<Vec<T>, Failure> {
    let mut all = Vec::new();
    for path in paths {
        let found = parse(&read(path)?).map_err(|error| {
            Failure::new(Exit::WrongInput, format!("{}: {error}", path.display()))
                .hint(format!("give the PEM file of {expected}"))
        })?;
        all.extend(found);
    }
    Ok(all)
}

/// Splits the demands: what is inside an image is attested at its platforms, everything else at the index.
fn divide(mut root: Policy, has_platforms: bool, are_signed: bool) -> Policies {
    let mut platform = Policy::new(root.keys.clone());
    platform.log.clone_from(&root.log);
    platform.require_signature = are_signed;
    let is_contents = |uri: &&str| CONTENTS.contains(uri);
    platform.require =
        root.require.iter().filter(|uri| is_contents(&uri.as_str())).cloned().collect();
    if platform.require.is_empty() {
        platform = platform.require(predicate::PREDICATE_CYCLONEDX);
    } else if has_platforms {
        root.require.retain(|uri| !is_contents(&uri.as_str()));
        platform.max_age = root.max_age;
        if root.require.is_empty() {
            root.max_age = None;
        }
    }
    Policies { root, platform }
}

/// The options that were typed, as parameter, option and value.
fn typed(demands: &Demands) -> Result<Vec<(&'static str, &'static str, String)>, Failure> {
    let mut values = Vec::new();
    let pem = |paths: &[PathBuf]| paths.iter().map(read).collect::<Result<Vec<_>, _>>();
    if !demands.key.is_empty() {
        // Read on their own first: a problem then names the file.
        public_keys(&demands.key)?;
        values.push((KEYS, "--key", pem(&demands.key)?.join("\n")));
    }
    if !demands.log_key.is_empty() {
        log_keys(&demands.log_key)?;
        values.push((LOG_KEY, "--log-key", pem(&demands.log_key)?.join("\n")));
    }
    if !demands.require.is_empty() {
        values.push((TYPES, "--require", demands.require.join(",")));
    }
    if let Some(age) = &demands.max_scan_age {
        let is_number = !age.is_empty() && age.bytes().all(|byte| byte.is_ascii_digit());
        let age = if is_number { format!("{age}h") } else { age.clone() };
        values.push((MAX_SCAN_AGE, "--max-scan-age", given("--max-scan-age", age)?));
    }
    if let Some(list) = &demands.severity {
        values.push((SEVERITY, "--severity", given("--severity", list.clone())?));
    }
    if let Some(builder) = &demands.builder {
        values.push((BUILDER, "--builder", given("--builder", builder.clone())?));
    }
    if let Some(order) = &demands.order {
        let parts = order.split_once('/').filter(|(_, name)| !name.contains('/'));
        let Some((namespace, name)) =
            parts.filter(|parts| !parts.0.is_empty() && !parts.1.is_empty())
        else {
            let message = format!("--order: {order:?} is not NAMESPACE/NAME");
            return Err(Failure::new(Exit::WrongInput, message)
                .hint("write, for example, team-a/alpine, team-a/* or */alpine-*"));
        };
        values.push((ORDER_NAMESPACE, "--order", namespace.to_owned()));
        values.push((ORDER_NAME, "--order", name.to_owned()));
    }
    Ok(values)
}

/// An empty parameter demands nothing; an empty option is a slip, and must not switch a demand off.
fn given(option: &str, value: String) -> Result<String, Failure> {
    if value.trim().is_empty() {
        let message = format!("{option}: the value is empty");
        return Err(Failure::new(Exit::WrongInput, message)
            .hint("leave the option out, or give it a value"));
    }
    Ok(value)
}

fn policy_file(path: &Path) -> Result<PolicyFile, Failure> {
    let text = read(path)?;
    arc_lint::parse_policy(&text).map_err(|message| {
        Failure::new(Exit::WrongInput, format!("{}: {message}", path.display()))
            .hint(format!("run `arc lint -f {}`", path.display()))
    })
}

/// All problems at once, each with the option or file it comes from.
fn failure(
    problems: &[ParameterProblem],
    origins: &BTreeMap<&str, &str>,
    demands: &Demands,
) -> Failure {
    let file = demands.policy.as_deref().map(|path| path.display().to_string());
    let told = problems.iter().map(|problem| match (origins.get(problem.name.as_str()), &file) {
        (Some(option), _) => format!("{option}: {}", problem.message),
        (None, Some(file)) => format!("{file}: {problem}"),
        (None, None) => problem.to_string(),
    });
    let mut failure = Failure::new(Exit::WrongInput, told.collect::<Vec<_>>().join("; "));
    for problem in problems {
        if !failure.hints.contains(&problem.remedy) {
            failure.hints.push(problem.remedy.clone());
        }
    }
    failure
}
