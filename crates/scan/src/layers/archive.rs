//! Reads the entries of one layer's tar archive and applies them to the tree.
//!
//! Our own reader instead of a crate's, because every length in the archive is hostile: names, extended attributes
//! and contents must be bounded before they are read, and an archive without its end marker is a cut-off layer.

use std::io::{BufRead, Read};

use super::entry::{self, BLOCK, Fields, Header, Kind};
use super::tree::{self, Tree};
use super::{Budget, Error};

/// Longest extended header; Go's reader, which container runtimes use, has the same bound.
const MAX_EXTENDED_BYTES: u64 = 1 << 20;
/// Longest name or link target; no runtime could unpack a longer one (the kernel's `PATH_MAX`).
const MAX_PATH_BYTES: usize = 4096;

/// Applies a layer's entries to the tree and reads the layer to its very end, so that its checksum is verified.
pub(super) fn read(
    reader: Box<dyn BufRead>,
    budget: &mut Budget,
    tree: &mut Tree,
) -> Result<(), Error> {
    let mut archive = Archive { reader, offset: 0, budget };
    let mut pending = Pending::default();
    while let Some(header) = archive.header()? {
        let fields = entry::parse(&header).map_err(|problem| archive.invalid(problem))?;
        archive.budget.spend_entry()?;
        match fields.kind {
            Kind::LongName => pending.long_name = Some(archive.long_text(fields.size)?),
            Kind::LongLink => pending.long_link = Some(archive.long_text(fields.size)?),
            Kind::Extended => {
                let records = archive.bounded(fields.size)?;
                pending.read_records(&records).map_err(|problem| archive.invalid(problem))?;
            }
            Kind::Global => {
                archive.bounded(fields.size)?;
            }
            _ => archive.apply(&std::mem::take(&mut pending).complete(fields), tree)?,
        }
    }
    archive.drain()
}

/// What the headers before an entry say about it.
#[derive(Default)]
struct Pending {
    long_name: Option<Vec<u8>>,
    long_link: Option<Vec<u8>>,
    name: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
    is_sparse: bool,
}

impl Pending {
    /// Reads extended attributes: `length key=value\n`, where the length counts the whole record.
    fn read_records(&mut self, mut records: &[u8]) -> Result<(), &'static str> {
        const BROKEN: &str = "an extended attribute is malformed";
        while !records.is_empty() {
            let blank = records.iter().position(|byte| *byte == b' ').ok_or(BROKEN)?;
            let length = std::str::from_utf8(&records[..blank])
                .ok()
                .and_then(|text| text.parse::<usize>().ok());
            let length =
                length.filter(|l| (blank + 1..=records.len()).contains(l)).ok_or(BROKEN)?;
            let (record, rest) = records.split_at(length);
            let record = record[blank + 1..].strip_suffix(b"\n").ok_or(BROKEN)?;
            let equals = record.iter().position(|byte| *byte == b'=').ok_or(BROKEN)?;
            self.set(&record[..equals], &record[equals + 1..])?;
            records = rest;
        }
        Ok(())
    }

    fn set(&mut self, key: &[u8], value: &[u8]) -> Result<(), &'static str> {
        // An empty value takes the attribute back.
        let given = (!value.is_empty()).then(|| value.to_vec());
        match key {
            b"path" => self.name = given,
            b"linkpath" => self.link = given,
            b"size" => {
                let size = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
                self.size = Some(size.ok_or("the entry's extended size is not a number")?);
            }
            b"GNU.sparse.name" => {
                self.name = given;
                self.is_sparse = true;
            }
            key if key.starts_with(b"GNU.sparse.") => self.is_sparse = true,
            _ => {}
        }
        Ok(())
    }

    /// Puts what was said before together with the entry's own header.
    fn complete(self, mut fields: Fields) -> Fields {
        if let Some(name) = self.long_name.or(self.name) {
            fields.name = name;
        }
        if let Some(link) = self.long_link.or(self.link) {
            fields.link = link;
        }
        let has_content = matches!(fields.kind, Kind::File | Kind::OldFile | Kind::Sparse);
        if let Some(size) = self.size.filter(|_| has_content) {
            fields.size = size;
        }
        if fields.kind == Kind::OldFile {
            fields.kind = if fields.name.ends_with(b"/") { Kind::Directory } else { Kind::File };
        }
        if fields.kind == Kind::File && self.is_sparse {
            fields.kind = Kind::Sparse;
        }
        fields
    }
}

/// An archive being read.
struct Archive<'a> {
    reader: Box<dyn BufRead>,
    offset: u64,
    budget: &'a mut Budget,
}

impl Archive<'_> {
    fn invalid(&self, problem: &'static str) -> Error {
        Error::InvalidArchive { layer: self.budget.layer, offset: self.offset, problem }
    }

    /// Returns the next header, or nothing at the end marker (two blocks of zeros).
    fn header(&mut self) -> Result<Option<Header>, Error> {
        let mut header = self.block()?;
        if header.iter().any(|byte| *byte != 0) {
            return Ok(Some(header));
        }
        // Some tools write a single block; anything else than zeros after it makes readers disagree.
        if self.fill_buf()?.is_empty() {
            return Ok(None);
        }
        header = self.block()?;
        if header.iter().any(|byte| *byte != 0) {
            return Err(self.invalid("there is data after the first half of the end marker"));
        }
        Ok(None)
    }

    fn block(&mut self) -> Result<Header, Error> {
        let mut block = [0; BLOCK];
        self.budget.spend_bytes(BLOCK as u64)?;
        self.reader.read_exact(&mut block).map_err(|source| self.failed(source))?;
        self.offset += BLOCK as u64;
        Ok(block)
    }

    fn failed(&self, source: std::io::Error) -> Error {
        let source = match source.kind() {
            std::io::ErrorKind::UnexpectedEof => super::compression::unexpected_end(),
            _ => source,
        };
        Error::ReadLayer { layer: self.budget.layer, source }
    }

    fn fill_buf(&mut self) -> Result<&[u8], Error> {
        let layer = self.budget.layer;
        self.reader.fill_buf().map_err(|source| Error::ReadLayer { layer, source })
    }

    /// Reads an entry's content, which the caller has bounded.
    fn content(&mut self, size: u64) -> Result<Vec<u8>, Error> {
        self.budget.spend_bytes(size)?;
        let mut content = Vec::new();
        (&mut self.reader)
            .take(size)
            .read_to_end(&mut content)
            .map_err(|source| self.failed(source))?;
        if content.len() as u64 != size {
            return Err(self.failed(super::compression::unexpected_end()));
        }
        self.offset += size;
        self.skip(padding(size))?;
        Ok(content)
    }

    fn bounded(&mut self, size: u64) -> Result<Vec<u8>, Error> {
        if size > MAX_EXTENDED_BYTES {
            return Err(self.invalid("an extended header is too long"));
        }
        self.content(size)
    }

    /// Reads a GNU long name, which ends at its first zero.
    fn long_text(&mut self, size: u64) -> Result<Vec<u8>, Error> {
        let mut text = self.bounded(size)?;
        text.truncate(text.iter().position(|byte| *byte == 0).unwrap_or(text.len()));
        Ok(text)
    }

    fn skip(&mut self, mut size: u64) -> Result<(), Error> {
        self.budget.spend_bytes(size)?;
        self.offset = self.offset.saturating_add(size);
        while size > 0 {
            let available = self.fill_buf()?.len();
            if available == 0 {
                return Err(self.failed(super::compression::unexpected_end()));
            }
            let step = available.min(usize::try_from(size).unwrap_or(available));
            self.reader.consume(step);
            size -= step as u64;
        }
        Ok(())
    }

    fn skip_content(&mut self, size: u64) -> Result<(), Error> {
        self.skip(size)?;
        self.skip(padding(size))
    }

    /// Reads what follows the end marker; runtimes ignore it, but a checksum may come after it.
    fn drain(&mut self) -> Result<(), Error> {
        loop {
            let available = self.fill_buf()?.len();
            if available == 0 {
                return Ok(());
            }
            self.budget.spend_bytes(available as u64)?;
            self.reader.consume(available);
        }
    }

    fn apply(&mut self, fields: &Fields, tree: &mut Tree) -> Result<(), Error> {
        let layer = self.budget.layer;
        if fields.name.len().max(fields.link.len()) > MAX_PATH_BYTES {
            return Err(self.invalid("a name is longer than a path can be"));
        }
        let name = String::from_utf8_lossy(&fields.name).into_owned();
        let link = String::from_utf8_lossy(&fields.link).into_owned();
        if fields.is_extended {
            while self.block()?[504] != 0 {}
        }
        if let Some(hidden) = tree::whiteout(&name) {
            let hidden = hidden.map_err(|problem| self.invalid(problem))?;
            tree.hide(&hidden, layer)?;
            self.budget.hold_visits(tree.visits())?;
            return self.skip_content(fields.size);
        }
        let path = tree.place(&name)?;
        if path.is_empty() && fields.kind != Kind::Directory {
            return Err(self.invalid("an entry takes the place of the root folder"));
        }
        match fields.kind {
            Kind::File
                if tree::is_of_interest(&path) && fields.size <= self.budget.limits.file_bytes =>
            {
                let content = self.content(fields.size)?;
                tree.put_file(path, content, layer);
            }
            Kind::Symlink => tree.put_link(path, link, layer),
            Kind::HardLink => tree.put_hard_link(path, &link, layer)?,
            Kind::Directory => {
                tree.put_directory(&path);
                self.skip_content(fields.size)?;
            }
            _ => {
                tree.put_unread(path, layer);
                self.skip_content(fields.size)?;
            }
        }
        self.budget.hold_kept(tree.kept_bytes())
    }
}

/// Returns how many bytes fill up the last block of a content.
fn padding(size: u64) -> u64 {
    size.wrapping_neg() % BLOCK as u64
}
