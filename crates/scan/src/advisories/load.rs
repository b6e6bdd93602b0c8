//! Reads a database from disk: walks folders, opens zips, parses records, and adds up the digest.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::{Claim, Database, Error, Record};
use crate::ecosystem::{Ecosystem, Family};
use crate::osv;

/// Largest single record; the largest published one has about 5 MB.
const MAX_ADVISORY_BYTES: u64 = 32 << 20;
/// Bytes of all records; the dump of all ecosystems together unpacks to about 8 GB.
const MAX_DATABASE_BYTES: u64 = 32 << 30;
/// Most records; all ecosystems together have about 700,000.
const MAX_ADVISORIES: u64 = 5_000_000;
/// Deepest folder: a dump has one level per ecosystem, a mirror of it a few more.
const MAX_DEPTH: usize = 16;
/// First bytes of a zip with something in it.
const ZIP: &[u8] = b"PK\x03\x04";

type FileDigest = [u8; 32];

pub(super) fn load(path: &Path) -> Result<Database, Error> {
    let mut loader = Loader::default();
    loader.add(path, 0)?;
    if loader.count == 0 {
        return Err(Error::EmptyDatabase { path: path.to_owned() });
    }
    Ok(Database {
        digest: loader.digest(),
        count: loader.count,
        newest: loader.newest,
        ecosystems: loader.ecosystems,
        records: loader.records,
        claims: loader.claims,
    })
}

#[derive(Default)]
struct Loader {
    files: BTreeSet<FileDigest>,
    bytes: u64,
    count: usize,
    newest: Option<Timestamp>,
    ecosystems: BTreeSet<Ecosystem>,
    records: Vec<Record>,
    claims: BTreeMap<(Family, String), Vec<Claim>>,
}

impl Loader {
    fn add(&mut self, path: &Path, depth: usize) -> Result<(), Error> {
        let failed = |source| Error::ReadDatabase { path: path.to_owned(), source };
        // Follows links: a mounted ConfigMap consists of them.
        if !fs::metadata(path).map_err(failed)?.is_dir() {
            return self.add_file(path);
        }
        if depth >= MAX_DEPTH {
            let (limit, what) = (MAX_DEPTH as u64, "nested folders");
            return Err(Error::ExceedLimit { path: path.to_owned(), limit, what });
        }
        let entries =
            fs::read_dir(path).map_err(failed)?.collect::<Result<Vec<_>, _>>().map_err(failed)?;
        let mut paths: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
        // The first malformed record is always the same one.
        paths.sort();
        for path in paths {
            let failed = |source| Error::ReadDatabase { path: path.clone(), source };
            // A mounted ConfigMap keeps its files a second time in a hidden folder.
            if path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b".")) {
                continue;
            }
            let is_folder = fs::metadata(&path).map_err(failed)?.is_dir();
            if is_folder || has_extension(&path, "json") || has_extension(&path, "zip") {
                self.add(&path, depth + 1)?;
            }
        }
        Ok(())
    }

    fn add_file(&mut self, path: &Path) -> Result<(), Error> {
        let failed = |source| Error::ReadDatabase { path: path.to_owned(), source };
        let mut file = File::open(path).map_err(failed)?;
        let mut start = Vec::new();
        (&mut file).take(ZIP.len() as u64).read_to_end(&mut start).map_err(failed)?;
        file.seek(SeekFrom::Start(0)).map_err(failed)?;
        if start == ZIP || has_extension(path, "zip") {
            return self.add_zip(path, file);
        }
        let text = self.read(path, file)?;
        self.add_record(&path.display().to_string(), &text)
    }

    fn add_zip(&mut self, path: &Path, file: File) -> Result<(), Error> {
        let failed = |source| Error::ReadZip { path: path.to_owned(), source };
        let mut zip = zip::ZipArchive::new(std::io::BufReader::new(file)).map_err(failed)?;
        for index in 0..zip.len() {
            let entry = zip.by_index(index).map_err(failed)?;
            let name = entry.name().map_err(failed)?.into_owned();
            if entry.is_file() && has_extension(Path::new(&name), "json") {
                let text = self.read(path, entry)?;
                self.add_record(&format!("{}:{name}", path.display()), &text)?;
            }
        }
        Ok(())
    }

    /// Reads a file whose size nobody has bounded yet.
    fn read(&mut self, path: &Path, reader: impl Read) -> Result<Vec<u8>, Error> {
        let exceeded = |limit, what| Error::ExceedLimit { path: path.to_owned(), limit, what };
        let failed = |source| Error::ReadDatabase { path: path.to_owned(), source };
        let mut text = Vec::new();
        reader.take(MAX_ADVISORY_BYTES + 1).read_to_end(&mut text).map_err(failed)?;
        self.bytes += text.len() as u64;
        if text.len() as u64 > MAX_ADVISORY_BYTES {
            return Err(exceeded(MAX_ADVISORY_BYTES, "bytes in one advisory"));
        }
        if self.bytes > MAX_DATABASE_BYTES {
            return Err(exceeded(MAX_DATABASE_BYTES, "bytes of advisories"));
        }
        if self.files.len() as u64 >= MAX_ADVISORIES {
            return Err(exceeded(MAX_ADVISORIES, "advisories"));
        }
        Ok(text)
    }

    fn add_record(&mut self, file: &str, text: &[u8]) -> Result<(), Error> {
        // The same record twice, as where a dump lies beside its unpacked files, counts once.
        if !self.files.insert(Sha256::digest(text).into()) {
            return Ok(());
        }
        let invalid = |problem| Error::InvalidAdvisory { file: file.to_owned(), problem };
        if text.trim_ascii_start().starts_with(b"[") {
            return Err(invalid("it is a list; expected one record"));
        }
        let advisory: osv::Advisory = serde_json::from_slice(text)
            .map_err(|source| Error::ParseAdvisory { file: file.to_owned(), source })?;
        if advisory.id.trim().is_empty() {
            return Err(invalid("`id` is empty"));
        }
        let modified =
            advisory.modified.as_deref().ok_or_else(|| invalid("`modified` is missing"))?;
        if advisory.withdrawn.is_some() {
            return Ok(());
        }
        // A date in an unusual form does not make the advisory less true.
        self.newest = self.newest.max(modified.parse().ok());
        self.count += 1;
        self.index(advisory);
        Ok(())
    }

    fn index(&mut self, mut advisory: osv::Advisory) {
        let record = self.records.len();
        let mut is_indexed = false;
        for affected in std::mem::take(&mut advisory.affected) {
            let Some(package) = &affected.package else { continue };
            let Some(ecosystem) = Ecosystem::parse(&package.ecosystem) else { continue };
            let key = (ecosystem.family, package.name.clone());
            let rating = advisory.severity(&affected);
            self.ecosystems.insert(ecosystem.clone());
            self.claims
                .entry(key)
                .or_default()
                .push(Claim::new(record, ecosystem, rating, affected));
            is_indexed = true;
        }
        if is_indexed {
            let (summary, url) = (advisory.headline(), advisory.url());
            let mut aliases = advisory.aliases;
            aliases.extend(advisory.upstream);
            aliases.sort();
            aliases.dedup();
            self.records.push(Record { id: advisory.id, aliases, summary, url });
        }
    }

    /// Returns the digest over the sorted digests of all records, so that neither names nor order matter.
    fn digest(&self) -> String {
        let mut hash = Sha256::new();
        self.files.iter().for_each(|file| hash.update(file));
        hash.finalize().iter().fold("sha256:".to_owned(), |mut digest, byte| {
            // Writing to a string cannot fail.
            let _ = write!(digest, "{byte:02x}");
            digest
        })
    }
}

fn has_extension(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|found| found.eq_ignore_ascii_case(extension))
}
