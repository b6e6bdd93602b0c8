//! Which advisories speak about which distribution: OSV's ecosystem names such as `Debian:12` or `Alpine:v3.18`.

use crate::{Distribution, Manager};

/// A distribution family whose advisories and packages this crate can compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Family {
    Alpine,
    Chainguard,
    Debian,
    Ubuntu,
    Wolfi,
}

impl Family {
    /// Returns the family of an `os-release` identifier or ecosystem name.
    ///
    /// Derivatives are not their parent: their packages and fixes have other versions.
    fn of(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "alpine" => Self::Alpine,
            "chainguard" => Self::Chainguard,
            "debian" => Self::Debian,
            "ubuntu" => Self::Ubuntu,
            "wolfi" => Self::Wolfi,
            _ => return None,
        })
    }

    /// Returns the package manager, which decides how versions compare.
    pub(crate) fn manager(self) -> Manager {
        match self {
            Self::Debian | Self::Ubuntu => Manager::Dpkg,
            Self::Alpine | Self::Chainguard | Self::Wolfi => Manager::Apk,
        }
    }

    /// Returns whether advisories name installed packages rather than the sources they are built from.
    pub(crate) fn names_installed_packages(self) -> bool {
        matches!(self, Self::Chainguard | Self::Wolfi)
    }

    /// Returns a release as advisories name it: without point releases, `v` or `LTS`.
    fn release(self, version: &str) -> Option<String> {
        let version = version.trim().trim_start_matches(['v', 'V']);
        let n_parts = match self {
            Self::Debian => 1,
            Self::Alpine | Self::Ubuntu => 2,
            // Rolling: every version is the newest.
            Self::Chainguard | Self::Wolfi => return None,
        };
        let version = version.split([':', '_', '-']).next().unwrap_or_default();
        let parts: Vec<&str> = version.split('.').take(n_parts).collect();
        Some(parts.join(".")).filter(|release| !release.is_empty())
    }
}

/// A family and, unless it stands for all of them, one release of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ecosystem {
    pub(crate) family: Family,
    pub(crate) release: Option<String>,
}

impl Ecosystem {
    /// Reads an OSV ecosystem name; nothing for those whose packages this crate cannot list.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let (family, release) = name.trim().split_once(':').unwrap_or((name.trim(), ""));
        let family = Family::of(family)?;
        // Fixes of Ubuntu Pro are not in the public archive, so an image from it cannot have them.
        if family == Family::Ubuntu && release.to_ascii_lowercase().starts_with("pro") {
            return None;
        }
        Some(Self { family, release: family.release(release) })
    }

    /// Returns the ecosystem of an image's distribution.
    pub(crate) fn of(distribution: &Distribution) -> Option<Self> {
        let family = Family::of(&distribution.id)?;
        Some(Self { family, release: family.release(&distribution.version_id) })
    }

    /// Returns whether an advisory for this ecosystem speaks about the given image's.
    pub(crate) fn includes(&self, image: &Self) -> bool {
        self.family == image.family && (self.release.is_none() || self.release == image.release)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ecosystem_names_are_families_and_releases() {
        let ecosystem = |family, release: &str| {
            Some(Ecosystem { family, release: Some(release.to_owned()).filter(|r| !r.is_empty()) })
        };
        let cases = [
            ("Debian:12", ecosystem(Family::Debian, "12")),
            ("debian:11", ecosystem(Family::Debian, "11")),
            ("Debian", ecosystem(Family::Debian, "")),
            ("Alpine:v3.18", ecosystem(Family::Alpine, "3.18")),
            ("ALPINE:3.18", ecosystem(Family::Alpine, "3.18")),
            ("Alpine", ecosystem(Family::Alpine, "")),
            ("Alpine:edge", ecosystem(Family::Alpine, "edge")),
            ("Ubuntu:22.04:LTS", ecosystem(Family::Ubuntu, "22.04")),
            ("Ubuntu:Pro:22.04:LTS", None),
            ("Wolfi", ecosystem(Family::Wolfi, "")),
            ("npm", None),
            ("Debianish:12", None),
            ("", None),
        ];
        for (name, expected) in cases {
            assert_eq!(Ecosystem::parse(name), expected, "{name:?}");
        }
    }

    #[test]
    fn an_advisory_speaks_about_its_own_release_or_all() {
        let image = |id: &str, version_id: &str| {
            let (id, version_id) = (id.to_owned(), version_id.to_owned());
            Ecosystem::of(&Distribution { id, version_id, name: String::new() })
        };
        let cases = [
            ("Debian:12", "debian", "12", true),
            ("Debian:12", "debian", "12.5", true),
            ("Debian:11", "debian", "12", false),
            ("Debian:12", "debian", "", false),
            ("Debian", "debian", "", true),
            ("Alpine:v3.18", "alpine", "3.18.4", true),
            ("Alpine:v3.1", "alpine", "3.18.4", false),
            ("Alpine:v3.20", "alpine", "3.20_alpha20240329", true),
            ("Ubuntu:22.04:LTS", "ubuntu", "22.04", true),
            ("Debian:12", "alpine", "12", false),
            ("Wolfi", "wolfi", "20230201", true),
        ];
        for (advisory, id, version_id, expected) in cases {
            let image = image(id, version_id).unwrap();
            assert_eq!(
                Ecosystem::parse(advisory).unwrap().includes(&image),
                expected,
                "{advisory} {id} {version_id}"
            );
        }
    }

    #[test]
    fn a_derivative_is_not_its_parent() {
        let mint =
            Distribution { id: "linuxmint".into(), version_id: "21".into(), name: String::new() };
        assert_eq!(Ecosystem::of(&mint), None);
    }
}
