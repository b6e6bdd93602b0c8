//! Reads one tar header: the 512 bytes before each entry (POSIX ustar, GNU and the old format).

/// The size of a header, and the unit everything in an archive is padded to.
pub(super) const BLOCK: usize = 512;
/// A header's bytes.
pub(super) type Header = [u8; BLOCK];

/// What kind of entry a header introduces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    /// A file as written before POSIX: a directory if its final name ends in a slash.
    OldFile,
    HardLink,
    Symlink,
    Directory,
    /// A device or a pipe: it takes the place of a file, but there is nothing to read.
    Special,
    /// GNU: the next entry's name.
    LongName,
    /// GNU: the next entry's link target.
    LongLink,
    /// POSIX: extended attributes of the next entry.
    Extended,
    /// POSIX: extended attributes of all following entries; no tool that builds layers uses them for names.
    Global,
    /// GNU: a file with holes, whose map may go on after the header.
    Sparse,
}

/// The fields of a header that matter here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fields {
    pub(super) kind: Kind,
    pub(super) size: u64,
    pub(super) name: Vec<u8>,
    pub(super) link: Vec<u8>,
    /// Whether the map of a sparse file goes on in another block.
    pub(super) is_extended: bool,
}

/// Reads a header that is not the end marker.
pub(super) fn parse(header: &Header) -> Result<Fields, &'static str> {
    if !checksum_matches(header) {
        return Err("the header's checksum is wrong");
    }
    let kind = match header[156] {
        b'0' | b'7' => Kind::File,
        0 => Kind::OldFile,
        b'1' => Kind::HardLink,
        b'2' => Kind::Symlink,
        b'3' | b'4' | b'6' => Kind::Special,
        b'5' => Kind::Directory,
        b'L' => Kind::LongName,
        b'K' => Kind::LongLink,
        b'x' => Kind::Extended,
        b'g' => Kind::Global,
        b'S' => Kind::Sparse,
        _ => return Err("the entry is of an unknown kind"),
    };
    let size = match kind {
        // These have no content, whatever the field says.
        Kind::HardLink | Kind::Symlink | Kind::Directory | Kind::Special => 0,
        _ => number(&header[124..136]).ok_or("the entry's size is not a number")?,
    };
    Ok(Fields {
        kind,
        size,
        name: name_with_prefix(header),
        link: text(&header[157..257]),
        is_extended: kind == Kind::Sparse && header[482] != 0,
    })
}

/// Returns the name with the POSIX prefix before it; GNU archives use the prefix's bytes for something else.
fn name_with_prefix(header: &Header) -> Vec<u8> {
    let prefix = match (&header[257..263], &header[508..512]) {
        // The star program keeps times in the last bytes of the prefix.
        (b"ustar\0", b"tar\0") => text(&header[345..476]),
        (b"ustar\0", _) => text(&header[345..500]),
        _ => Vec::new(),
    };
    let name = text(&header[..100]);
    if prefix.is_empty() { name } else { [prefix, name].join(&b'/') }
}

/// Returns whether a header's checksum is right, computed with signed or unsigned bytes as tools differ.
pub(super) fn checksum_matches(header: &Header) -> bool {
    let Some(stated) = number(&header[148..156]).and_then(|stated| i64::try_from(stated).ok())
    else {
        return false;
    };
    let bytes = || {
        header
            .iter()
            .enumerate()
            .map(|(i, byte)| if (148..156).contains(&i) { b' ' } else { *byte })
    };
    let unsigned: i64 = bytes().map(i64::from).sum();
    let signed: i64 = bytes().map(|byte| i64::from(byte.cast_signed())).sum();
    stated == unsigned || stated == signed
}

/// Returns a field's bytes up to the first zero.
fn text(field: &[u8]) -> Vec<u8> {
    field.iter().copied().take_while(|byte| *byte != 0).collect()
}

/// Reads an octal number, or a binary one as GNU writes large sizes; negative or too large is nothing.
fn number(field: &[u8]) -> Option<u64> {
    if let Some((first, rest)) = field.split_first()
        && first & 0x80 != 0
    {
        // Bit 6 is the sign; the remaining bits are the number's first.
        if first & 0x7f != 0 {
            return None;
        }
        return rest.iter().try_fold(0u64, |number, byte| {
            number.checked_mul(256).map(|number| number | u64::from(*byte))
        });
    }
    let digits = field.iter().copied().skip_while(|byte| *byte == b' ');
    let digits: Vec<u8> = digits.take_while(|byte| *byte != 0 && *byte != b' ').collect();
    digits.iter().try_fold(0u64, |number, digit| match digit {
        b'0'..=b'7' => number.checked_mul(8).map(|number| number | u64::from(digit - b'0')),
        _ => None,
    })
}
