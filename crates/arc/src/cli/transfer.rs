//! The arguments of the commands that look at registries and copy between them.

use std::path::PathBuf;

use arc_oci::copy;
use clap::Args;

use super::{Output, RegistryAccess};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  arc copy registry.example/team/app:1.2 mirror.example/team/app:1.2
  arc copy http://127.0.0.1:5000/app:1.2 http://127.0.0.1:5001/app --platform linux/amd64
  arc copy registry.example/team/app:1.2 mirror.example/team/app --dry-run -o json
  arc copy registry.example/team/app:1.2 oci-archive:app.tar
  arc copy docker-archive:saved.tar:app:1.2 oci:./layout:1.2")]
pub(crate) struct Copy {
    /// What to copy: registry/repository:tag or @digest; http:// before it for a registry without TLS. Or an image layout,
    /// oci:DIR[:NAME]; one in a tar file, oci-archive:FILE[:NAME]; what docker save wrote, docker-archive:FILE[:NAME].
    pub(crate) source: String,
    /// Where to, a registry, oci:DIR or oci-archive:FILE; without a tag it gets the source's.
    pub(crate) destination: String,
    /// Only this platform of an index, as in linux/arm64/v8; may be repeated. The result is a new, smaller index.
    #[arg(long, value_name = "OS/ARCH")]
    pub(crate) platform: Vec<String>,
    #[command(flatten)]
    pub(crate) how: CopyHow,
    /// How to print the outcome.
    #[arg(short, long, default_value = "text")]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
#[command(after_help = "A file:
  entries:
  - source: registry.example/team/app
    destination: mirror.example/team/app
    tags: {semver: \">=1.2 <2\", newest: 5}
  - source: registry.example/team/tools       # the whole repository
    destination: mirror.example/team/tools
    platforms: [linux/amd64]
  - source: http://127.0.0.1:5000             # a whole registry, where it lists its repositories
    destination: mirror.example/from-local
    repositories: [\"team/*\"]
    tags: {names: [latest], glob: [\"v*\"], regex: [\"^2025-\"]}

A tag is copied when `names`, `glob`, `regex` or `semver` asks for it, all are when none of them is given;
`newest` then keeps the highest versions. `referrers: false` leaves signatures and the like behind, `referrers: \"sig,att\"`
takes those of these types only.

Examples:
  arc sync -f sync.yaml --dry-run
  arc sync -f sync.yaml -o json")]
pub(crate) struct Sync {
    /// File that says what to copy where; - for standard input.
    #[arg(short, long, value_name = "PATH")]
    pub(crate) file: PathBuf,
    /// How many images are copied at the same time.
    #[arg(long, default_value_t = 64, value_name = "N")]
    pub(crate) parallel: usize,
    #[command(flatten)]
    pub(crate) how: CopyHow,
    /// How to print the outcome.
    #[arg(short, long, default_value = "text")]
    pub(crate) output: Output,
}

/// What copying one image and many have in common.
#[derive(Debug, Args)]
pub(crate) struct CopyHow {
    /// Leave signatures, attestations and everything else that refers to an image behind.
    #[arg(long)]
    pub(crate) no_referrers: bool,
    /// Which referrers travel: all, none, or artifact types separated by commas, with * for any characters; sig, att and sbom
    /// stand for cosign's tags.
    #[arg(long, default_value = "all", conflicts_with = "no_referrers", value_name = "WHAT")]
    pub(crate) referrers: String,
    /// Most memory for the content of blobs under way, in MiB; the process itself takes about 15 more.
    #[arg(long, default_value_t = 16, value_name = "MIB")]
    pub(crate) memory: u64,
    /// Compare images in full whose tag is at the destination already: finds signatures that came later.
    #[arg(long)]
    pub(crate) recheck: bool,
    /// Say what would be copied; write nothing. Blobs that the destination could mount are counted too.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// File with extra trusted certificates, PEM.
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_bundle: Option<PathBuf>,
    /// Folder with the source's `username` and `password`, or `.dockerconfigjson`. Default: the Docker configuration of this user.
    #[arg(long, value_name = "DIR")]
    pub(crate) source_credentials: Option<PathBuf>,
    /// The same for the destination.
    #[arg(long, value_name = "DIR")]
    pub(crate) destination_credentials: Option<PathBuf>,
}

impl CopyHow {
    /// Which referrers travel.
    pub(crate) fn referrers(&self) -> copy::Referrers {
        if self.no_referrers {
            copy::Referrers::None
        } else {
            copy::Referrers::parse(&self.referrers)
        }
    }

    /// Most memory for blobs under way, in bytes.
    pub(crate) fn memory(&self) -> u64 {
        self.memory.saturating_mul(1 << 20)
    }

    /// How to reach the source.
    pub(crate) fn source(&self) -> RegistryAccess {
        let (ca_bundle, credentials) = (self.ca_bundle.clone(), self.source_credentials.clone());
        RegistryAccess { ca_bundle, credentials }
    }

    /// How to reach the destination.
    pub(crate) fn destination(&self) -> RegistryAccess {
        let credentials = self.destination_credentials.clone();
        RegistryAccess { ca_bundle: self.ca_bundle.clone(), credentials }
    }
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  arc digest registry.example/team/app:1.2")]
pub(crate) struct Digest {
    /// registry/repository:tag; http:// before it for a registry without TLS.
    pub(crate) reference: String,
    #[command(flatten)]
    pub(crate) registry: RegistryAccess,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  arc tags registry.example/team/app
  arc tags registry.example/team/app --semver '>=1.2 <2' --newest 3
  arc tags registry.example/team/app --match 'v1.*' -o json")]
pub(crate) struct Tags {
    /// registry/repository; http:// before it for a registry without TLS.
    pub(crate) repository: String,
    /// Only tags like this, with * for anything and ? for one character; may be repeated.
    #[arg(long = "match", value_name = "GLOB")]
    pub(crate) glob: Vec<String>,
    /// Only tags that a part of this expression matches; may be repeated.
    #[arg(long, value_name = "REGEX")]
    pub(crate) regex: Vec<String>,
    /// Only versions in this range.
    #[arg(long, value_name = "RANGE")]
    pub(crate) semver: Option<String>,
    /// Only the highest versions among them.
    #[arg(long, value_name = "N")]
    pub(crate) newest: Option<usize>,
    #[command(flatten)]
    pub(crate) registry: RegistryAccess,
    /// How to print the outcome.
    #[arg(short, long, default_value = "text")]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  arc inspect registry.example/team/app:1.2
  arc inspect registry.example/team/app:1.2 --raw | sha256sum")]
pub(crate) struct Inspect {
    /// registry/repository:tag or @digest; http:// before it for a registry without TLS.
    pub(crate) reference: String,
    /// Print the manifest itself, byte for byte.
    #[arg(long, conflicts_with = "output")]
    pub(crate) raw: bool,
    #[command(flatten)]
    pub(crate) registry: RegistryAccess,
    /// How to print the outcome.
    #[arg(short, long, default_value = "text")]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  arc referrers registry.example/team/app:1.2")]
pub(crate) struct Referrers {
    /// registry/repository:tag or @digest; http:// before it for a registry without TLS.
    pub(crate) reference: String,
    #[command(flatten)]
    pub(crate) registry: RegistryAccess,
    /// How to print the outcome.
    #[arg(short, long, default_value = "text")]
    pub(crate) output: Output,
}
