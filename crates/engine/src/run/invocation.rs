//! The command line of a container is a value: as a child process, or through podman or docker.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::folders::PodFolders;
use super::inside;
use crate::prepare::{MOUNT_ROOT, Programs, is_arc};
use crate::template::Container;
use crate::text::{Error, Scope, Text};

/// What a step gets from the engine's own environment.
const PASSED_ON: [&str; 12] = [
    "PATH",
    "HOME",
    "TMPDIR",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "RUST_LOG",
];

/// What podman and docker need in addition, to find their service, storage and credentials.
const FOR_RUNTIME: [&str; 11] = [
    "USER",
    "XDG_RUNTIME_DIR",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "DBUS_SESSION_BUS_ADDRESS",
    "CONTAINER_HOST",
    "DOCKER_HOST",
    "DOCKER_CONFIG",
    "DOCKER_CONTEXT",
    "DOCKER_CERT_PATH",
    "DOCKER_TLS_VERIFY",
];

/// Where Argo puts the source of a script.
const SCRIPT: &str = "/argo/staging/script";

/// A command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Invocation {
    pub(super) program: PathBuf,
    pub(super) args: Vec<String>,
    pub(super) env: BTreeMap<String, String>,
    pub(super) dir: PathBuf,
}

/// A container with every placeholder filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Filled {
    pub(super) image: String,
    pub(super) command: Vec<String>,
    pub(super) args: Vec<String>,
    pub(super) env: Vec<(String, String)>,
    pub(super) working_dir: Option<String>,
    pub(super) source: Option<String>,
}

/// A file that must exist before a container starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SideFile {
    pub(super) path: PathBuf,
    pub(super) text: String,
    pub(super) mode: u32,
}

/// What the engine passes on to its children; read once, here.
pub(super) fn own_environment() -> BTreeMap<String, String> {
    PASSED_ON
        .into_iter()
        .chain(FOR_RUNTIME)
        .filter_map(|name| Some((name.to_owned(), std::env::var(name).ok()?)))
        .collect()
}

impl Filled {
    /// Fills in the placeholders of a container.
    pub(super) fn new(container: &Container, scope: &Scope) -> Result<Self, Error> {
        let all = |texts: &[Text]| -> Result<Vec<String>, Error> {
            texts.iter().map(|text| text.render(scope)).collect()
        };
        Ok(Self {
            image: container.image.render(scope)?,
            command: all(&container.command)?,
            args: all(&container.args)?,
            env: container
                .env
                .iter()
                .map(|(name, value)| Ok((name.clone(), value.render(scope)?)))
                .collect::<Result<_, Error>>()?,
            working_dir: container.working_dir.clone(),
            source: container.source.as_ref().map(|source| source.render(scope)).transpose()?,
        })
    }

    /// Whether the container runs as a child process.
    pub(super) fn is_arc(&self) -> bool {
        self.source.is_none() && is_arc(&self.image, self.command.first().map(String::as_str))
    }
}

/// Returns the command line of a container that is a child process.
pub(super) fn as_child(
    filled: &Filled,
    programs: &Programs,
    folders: &PodFolders,
    own: &BTreeMap<String, String>,
) -> Invocation {
    let mut env: BTreeMap<String, String> = own
        .iter()
        .filter(|(name, _)| PASSED_ON.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    env.extend(filled.env.iter().cloned());
    env.insert(MOUNT_ROOT.to_owned(), folders.root.to_string_lossy().into_owned());
    let dir = filled.working_dir.as_deref().map(|path| inside(&folders.root, path));
    Invocation {
        program: programs.arc.clone(),
        args: filled.command.iter().skip(1).chain(&filled.args).cloned().collect(),
        env,
        dir: dir.filter(|dir| dir.is_dir()).unwrap_or_else(|| folders.root.clone()),
    }
}

/// How a container runtime is called for one container.
#[derive(Clone, Debug)]
pub(super) struct Runtime<'run> {
    pub(super) program: &'run Path,
    /// The container's name on this machine.
    pub(super) name: String,
    pub(super) folders: &'run PodFolders,
    pub(super) own: &'run BTreeMap<String, String>,
    pub(super) container: &'run str,
}

impl Runtime<'_> {
    /// Returns the command line that runs the container, and the files it needs.
    ///
    /// The network is the host's, because steps talk to registries on loopback too.
    /// Docker runs containers as root of this machine, so it is told the user; podman maps root to the user itself.
    pub(super) fn run(&self, filled: &Filled, user: &str) -> (Invocation, Vec<SideFile>) {
        let mut files = Vec::new();
        let mut args: Vec<String> =
            ["run", "--name", &self.name, "--network", "host"].map(str::to_owned).to_vec();
        if self.is_docker() {
            args.extend(["--user".to_owned(), user.to_owned()]);
        }
        self.environment(filled, &mut args, &mut files);
        for mount in &self.folders.mounts {
            let mode = if mount.read_only { ":ro" } else { "" };
            let volume = format!("{}:{}{mode}", mount.folder.display(), mount.path);
            args.extend(["-v".to_owned(), volume]);
        }
        if let Some(source) = &filled.source {
            let path = self.folders.pod.join(format!("script-{}", self.container));
            args.extend(["-v".to_owned(), format!("{}:{SCRIPT}:ro", path.display())]);
            files.push(SideFile { path, text: source.clone(), mode: 0o755 });
        }
        if let Some(dir) = &filled.working_dir {
            args.extend(["-w".to_owned(), dir.clone()]);
        }
        let mut command = filled.command.iter();
        if let Some(entrypoint) = command.next() {
            args.extend(["--entrypoint".to_owned(), entrypoint.clone()]);
        }
        args.push(filled.image.clone());
        args.extend(command.chain(&filled.args).cloned());
        args.extend(filled.source.as_ref().map(|_| SCRIPT.to_owned()));
        (self.call(args), files)
    }

    /// Returns the command line that copies a file out of the ended container.
    pub(super) fn copy(&self, path: &str, to: &Path) -> Invocation {
        self.call(vec![
            "cp".to_owned(),
            format!("{}:{path}", self.name),
            to.to_string_lossy().into_owned(),
        ])
    }

    /// Returns the command line that removes the container, running or not.
    pub(super) fn remove(&self) -> Invocation {
        self.call(["rm", "-f", &self.name].map(str::to_owned).to_vec())
    }

    fn call(&self, args: Vec<String>) -> Invocation {
        Invocation {
            program: self.program.to_owned(),
            args,
            env: self.own.clone(),
            dir: self.folders.pod.clone(),
        }
    }

    fn is_docker(&self) -> bool {
        self.program.file_name().is_some_and(|name| name.to_string_lossy().contains("docker"))
    }

    /// A file of variables has one line for each, so values of several lines go on the command line.
    fn environment(&self, filled: &Filled, args: &mut Vec<String>, files: &mut Vec<SideFile>) {
        let mut text = String::new();
        for (name, value) in &filled.env {
            let (name, value) = (name.as_str(), value.as_str());
            if value.contains(['\n', '\r']) {
                args.extend(["--env".to_owned(), format!("{name}={value}")]);
            } else {
                text.extend([name, "=", value, "\n"]);
            }
        }
        if !text.is_empty() {
            let path = self.folders.pod.join(format!("env-{}", self.container));
            args.extend(["--env-file".to_owned(), path.to_string_lossy().into_owned()]);
            files.push(SideFile { path, text, mode: 0o600 });
        }
    }
}
