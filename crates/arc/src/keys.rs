//! `arc keys`: key pairs that cosign and the pipelines both understand.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use arc_evidence::keys::{Encryption, KeyInfo};
use arc_evidence::{KeyFiles, SigningKey};
use arc_steps::Exit;
use base64::Engine as _;
use zeroize::Zeroizing;

use crate::cli::{Keys, KeysGenerate, Output};
use crate::report::{Failure, chain};

/// The Secret that the pipelines mount.
const SECRET_NAME: &str = "cosign-key";
/// Where cosign, too, looks for the password.
const PASSWORD_VARIABLE: &str = "COSIGN_PASSWORD";

/// Runs the command.
pub(crate) fn run(command: &Keys) -> Result<Exit, Failure> {
    match command {
        Keys::Generate(args) => generate(args),
        Keys::Public { key } => public(key),
        Keys::Inspect { key, output } => inspect(key, *output),
    }
}

/// Says what a key file is. The password is used only where it is given, and nothing secret is kept or printed.
#[expect(clippy::print_stdout, reason = "the facts are the outcome")]
fn inspect(path: &Path, output: Output) -> Result<Exit, Failure> {
    let text = Zeroizing::new(fs::read_to_string(path).map_err(|error| {
        Failure::new(Exit::WrongInput, format!("failed to read {}: {error}", path.display()))
    })?);
    let info = match std::env::var(PASSWORD_VARIABLE).map(Zeroizing::new) {
        Ok(password) => KeyInfo::open(&text, password.as_bytes()),
        Err(_) => KeyInfo::read(&text),
    };
    let info = info.map_err(|error| {
        let message = format!("{}: {}", path.display(), chain(&error));
        Failure::new(Exit::WrongInput, message)
            .hint(format!("give a key file such as cosign.key or cosign.pub; the password is read from {PASSWORD_VARIABLE}"))
    })?;
    match output {
        Output::Json => {
            let text =
                serde_json::to_string_pretty(&info).map_err(|error| Failure::failed(&error))?;
            println!("{text}");
        }
        Output::Text => {
            for (what, text) in facts(&info) {
                println!("{what:11} {text}");
            }
        }
    }
    Ok(Exit::Done)
}

fn facts(info: &KeyInfo) -> Vec<(&'static str, String)> {
    let mut facts = vec![("kind", info.label.clone())];
    match &info.encryption {
        Some(encryption) => {
            let Encryption { kdf, n, r, p, cipher } = encryption;
            facts.push(("encrypted", format!("yes, with {cipher}")));
            facts.push(("derivation", format!("{kdf}, N={n} r={r} p={p}")));
        }
        None if info.label == "PUBLIC KEY" => {}
        None => facts.push(("encrypted", "NO: whoever reads the file can sign".to_owned())),
    }
    match &info.public {
        Some(public) => {
            facts.push(("algorithm", public.algorithm.to_owned()));
            facts.push(("hint", public.hint.clone()));
            facts.push(("key id", public.key_id.clone()));
        }
        None => facts.push((
            "public key",
            format!("not known without the password; set {PASSWORD_VARIABLE}"),
        )),
    }
    facts
}

#[expect(clippy::print_stdout, reason = "the files written are the outcome")]
fn generate(args: &KeysGenerate) -> Result<Exit, Failure> {
    for file in write_pair(&args.dir, args.secret.as_deref())? {
        println!("wrote {}", args.dir.join(file).display());
    }
    Ok(Exit::Done)
}

#[expect(clippy::print_stdout, reason = "the key is the outcome")]
fn public(path: &Path) -> Result<Exit, Failure> {
    let pem = fs::read_to_string(path).map_err(|error| {
        Failure::new(Exit::WrongInput, format!("failed to read {}: {error}", path.display()))
    })?;
    let password = std::env::var(PASSWORD_VARIABLE).unwrap_or_default();
    let key = SigningKey::from_pem(&pem, password.as_bytes()).map_err(|error| {
        Failure::input(&error).hint(format!("the password is read from {PASSWORD_VARIABLE}"))
    })?;
    print!("{}", key.public().to_pem());
    Ok(Exit::Done)
}

/// Writes a new key pair into `dir`, and, for a namespace, the Secret manifest; returns the file names.
pub(crate) fn write_pair(
    dir: &Path,
    namespace: Option<&str>,
) -> Result<Vec<&'static str>, Failure> {
    let password = match std::env::var(PASSWORD_VARIABLE) {
        Ok(password) => password,
        Err(_) => made_up_password()?,
    };
    let files = KeyFiles::generate(password.as_bytes()).map_err(|error| Failure::failed(&error))?;
    let public = files.public.clone().unwrap_or_default();
    fs::create_dir_all(dir).map_err(|error| unwritable(dir, &error))?;
    let mut content = vec![
        (KeyFiles::KEY, files.key.to_string(), 0o600),
        (KeyFiles::PASSWORD, password.clone(), 0o600),
        (KeyFiles::PUBLIC, public.clone(), 0o644),
    ];
    if let Some(namespace) = namespace {
        let secret = secret(
            namespace,
            &[
                (KeyFiles::KEY, &files.key),
                (KeyFiles::PASSWORD, &password),
                (KeyFiles::PUBLIC, &public),
            ],
        )?;
        content.push(("cosign-key.yaml", secret, 0o600));
    }
    // All or nothing: a half-replaced pair would be worse than none.
    if let Some((name, ..)) = content.iter().find(|(name, ..)| dir.join(name).exists()) {
        let path = dir.join(name).display().to_string();
        return Err(Failure::new(Exit::WrongInput, format!("{path:?} exists"))
            .hint("choose another --dir; keys are never overwritten"));
    }
    for (name, text, mode) in &content {
        let path = dir.join(name);
        let file = OpenOptions::new().write(true).create_new(true).mode(*mode).open(&path);
        file.and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(|error| unwritable(&path, &error))?;
    }
    Ok(content.into_iter().map(|(name, ..)| name).collect())
}

/// The manifest of the Secret, immutable as cosign makes it.
fn secret(namespace: &str, data: &[(&str, &str)]) -> Result<String, Failure> {
    let encode = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
    let data: BTreeMap<_, _> = data.iter().map(|(name, text)| (*name, encode(text))).collect();
    let secret = serde_json::json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": SECRET_NAME, "namespace": namespace},
        "type": "Opaque",
        "immutable": true,
        "data": data,
    });
    crate::yaml::write(&secret).map_err(|message| Failure::new(Exit::Failed, message))
}

/// 32 random bytes, printable.
fn made_up_password() -> Result<String, Failure> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(|error| {
        Failure::new(Exit::Failed, format!("failed to get random bytes: {error}"))
    })?;
    Ok(base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes))
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(Exit::Failed, format!("failed to write {}: {error}", path.display()))
}
