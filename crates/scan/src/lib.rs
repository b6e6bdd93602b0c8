//! Package databases to SBOM to advisories to verdict. No network.
