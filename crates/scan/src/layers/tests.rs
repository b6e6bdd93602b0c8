use proptest::prelude::*;
use tar::EntryType;

use super::testing::{Archive, OCI_GZIP, OCI_TAR, OCI_ZSTD, gzip, layer, zstd};
use super::*;

const STATUS: &str = "var/lib/dpkg/status";
const INSTALLED: &str = "lib/apk/db/installed";

fn small() -> Limits {
    Limits { decompressed_bytes: 1 << 20, entries: 100, file_bytes: 1 << 16, kept_bytes: 1 << 17 }
}

#[track_caller]
fn read(layers: Vec<Layer>, path: &str) -> Result<Option<String>, String> {
    let describe = |error: Error| match std::error::Error::source(&error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    };
    apply(layers, &small()).and_then(|tree| tree.read(path)).map_err(describe)
}

#[track_caller]
fn check(layers: Vec<Archive>, path: &str, expected: Option<&str>) {
    let layers = layers.into_iter().map(Archive::layer).collect();
    assert_eq!(read(layers, path), Ok(expected.map(str::to_owned)));
}

#[track_caller]
fn check_refused(layers: Vec<Layer>, path: &str, expected: &str) {
    assert_eq!(read(layers, path), Err(expected.to_owned()));
}

fn with(path: &str, content: &str) -> Archive {
    Archive::new().file(path, content)
}

#[test]
fn upper_layers_replace_files() {
    check(vec![with(STATUS, "old"), with(STATUS, "new")], STATUS, Some("new"));
    check(vec![with(STATUS, "old").file(STATUS, "new")], STATUS, Some("new"));
    check(vec![with("etc/hostname", "x")], STATUS, None);
    check(vec![], STATUS, None);
}

#[test]
fn names_may_be_written_in_many_ways() {
    for name in [
        "./var/lib/dpkg/status",
        "/var/lib/dpkg/status",
        "//var/./lib//dpkg/x/../status",
        "../var/lib/dpkg/status",
    ] {
        check(vec![with(name, "content")], STATUS, Some("content"));
    }
}

#[test]
fn whiteouts_hide_lower_layers() {
    let cases: [(&str, Option<&str>); 9] = [
        ("var/lib/dpkg/.wh.status", None),
        ("var/lib/.wh.dpkg", None),
        ("./.wh.var", None),
        ("var/lib/dpkg/.wh..wh.opq", None),
        ("var/.wh..wh.opq", None),
        (".wh..wh.opq", None),
        ("var/lib/.wh.dpk", Some("old")),
        ("var/lib/dpkg/.wh.status.d", Some("old")),
        ("var/lib/dpkg/.wh..wh.plnk", Some("old")),
    ];
    for (whiteout, expected) in cases {
        check(vec![with(STATUS, "old"), with(whiteout, "")], STATUS, expected);
    }
}

#[test]
fn whiteouts_do_not_hide_their_own_layer() {
    for whiteout in ["var/lib/dpkg/.wh.status", "var/lib/.wh.dpkg", "var/lib/dpkg/.wh..wh.opq"] {
        check(
            vec![with(STATUS, "old"), with(whiteout, "").file(STATUS, "new")],
            STATUS,
            Some("new"),
        );
        check(
            vec![with(STATUS, "old"), with(STATUS, "new").file(whiteout, "")],
            STATUS,
            Some("new"),
        );
    }
}

#[test]
fn a_hidden_file_comes_back_with_a_higher_layer() {
    check(
        vec![with(STATUS, "old"), with("var/.wh.lib", ""), with(STATUS, "new")],
        STATUS,
        Some("new"),
    );
}

#[test]
fn whiteouts_without_a_name_are_refused() {
    for name in ["var/.wh.", "var/.wh...", "var/.wh.."] {
        let expected = "layer 1 is not a valid tar archive at byte 512: a whiteout hides no name";
        check_refused(vec![with(name, "").layer()], STATUS, expected);
    }
}

#[test]
fn links_to_the_file_are_followed() {
    let os_release = || Archive::new().file("usr/lib/os-release", "ID=x");
    check(
        vec![os_release().symlink("etc/os-release", "../usr/lib/os-release")],
        "etc/os-release",
        Some("ID=x"),
    );
    check(
        vec![os_release().symlink("etc/os-release", "/usr/lib/os-release")],
        "etc/os-release",
        Some("ID=x"),
    );
    check(
        vec![Archive::new().symlink("etc/os-release", "../usr/lib/os-release"), os_release()],
        "etc/os-release",
        Some("ID=x"),
    );
    check(
        vec![os_release().hard_link("etc/os-release", "usr/lib/os-release")],
        "etc/os-release",
        Some("ID=x"),
    );
    check(
        vec![os_release(), Archive::new().hard_link("etc/os-release", "/usr/lib/os-release")],
        "etc/os-release",
        Some("ID=x"),
    );
    check(
        vec![Archive::new().symlink("etc/os-release", "../usr/lib/os-release")],
        "etc/os-release",
        None,
    );
}

#[test]
fn merged_folders_are_one_folder() {
    let merged = || Archive::new().symlink("lib", "usr/lib");
    check(vec![merged().file("usr/lib/apk/db/installed", "P:x")], INSTALLED, Some("P:x"));
    check(vec![merged(), with(INSTALLED, "P:x")], "usr/lib/apk/db/installed", Some("P:x"));
    check(
        vec![merged(), with(INSTALLED, "P:x"), with("lib/apk/.wh.db", "")],
        "usr/lib/apk/db/installed",
        None,
    );
    check(
        vec![merged(), with(INSTALLED, "P:x"), with("usr/lib/apk/db/.wh..wh.opq", "")],
        INSTALLED,
        None,
    );
    // A folder over the link takes its place; what the link led to stays where it is.
    check(vec![merged(), with(INSTALLED, "P:x"), Archive::new().folder("lib/")], INSTALLED, None);
    check(
        vec![merged(), with(INSTALLED, "P:x"), Archive::new().folder("lib/")],
        "usr/lib/apk/db/installed",
        Some("P:x"),
    );
}

#[test]
fn folders_and_files_take_each_others_place() {
    check(vec![with(STATUS, "old"), with("var/lib/dpkg", "")], STATUS, None);
    check(
        vec![with(STATUS, "old"), Archive::new().symlink("var/lib/dpkg", "/nowhere")],
        STATUS,
        None,
    );
    check(vec![with(STATUS, "old"), Archive::new().folder("var/lib/dpkg")], STATUS, Some("old"));
    check(vec![with(STATUS, "old"), Archive::new().folder(STATUS)], STATUS, None);
}

#[test]
fn a_database_that_was_not_kept_is_an_error() {
    let leads = |target: &str| {
        format!(
            "{STATUS:?} leads to {target:?}, which is too large, not a plain file, or not where such a file belongs"
        )
    };
    let link = Archive::new().file("opt/hidden", "x").symlink(STATUS, "/opt/hidden");
    check_refused(vec![link.layer()], STATUS, &leads("opt/hidden"));
    let hard_link = Archive::new().file("opt/hidden", "x").hard_link(STATUS, "opt/hidden");
    check_refused(vec![hard_link.layer()], STATUS, &leads(STATUS));
    check_refused(vec![with(STATUS, &"x".repeat(70_000)).layer()], STATUS, &leads(STATUS));
    let device = Archive::new().entry(EntryType::Char, STATUS, "", b"");
    check_refused(vec![device.layer()], STATUS, &leads(STATUS));
    let sparse = Archive::new().extended(
        &[("GNU.sparse.major", "1"), ("GNU.sparse.name", STATUS)],
        EntryType::Regular,
        "x",
        b"y",
    );
    check_refused(vec![sparse.layer()], STATUS, &leads(STATUS));
}

#[test]
fn links_in_circles_are_an_error() {
    let circle = || Archive::new().symlink("a", "b").symlink("b", "a");
    check_refused(
        vec![circle().file("a/status", "x").layer()],
        "a/status",
        "\"a\" passes through too many symbolic links",
    );
    check_refused(
        vec![circle().symlink(STATUS, "/a").layer()],
        STATUS,
        &format!("{STATUS:?} passes through too many symbolic links"),
    );
    let swelling = Archive::new()
        .symlink("a", &"b/../".repeat(500))
        .symlink("b", &"c/../".repeat(500))
        .symlink(STATUS, &"/a".repeat(500));
    check_refused(
        vec![swelling.layer()],
        STATUS,
        &format!("{STATUS:?} passes through too many symbolic links"),
    );
}

#[test]
fn long_names_and_extended_attributes_are_read() {
    let folder = "d".repeat(150);
    let long = format!("{folder}/{STATUS}");
    check(vec![with(&long, "content")], &long, Some("content"));
    let link = Archive::new().symlink("var", &format!("/{folder}/var")).file(&long, "content");
    check(vec![link], STATUS, Some("content"));
    let pax = Archive::new().extended(
        &[("mtime", "1.5"), ("path", STATUS), ("comment", "a=b\nc")],
        EntryType::Regular,
        "x",
        b"content",
    );
    check(vec![pax], STATUS, Some("content"));
    let emptied = Archive::new().extended(
        &[("path", "x"), ("path", "")],
        EntryType::Regular,
        STATUS,
        b"content",
    );
    check(vec![emptied], STATUS, Some("content"));
    let old = Archive::new().entry(EntryType::new(0), STATUS, "", b"content");
    check(vec![old], STATUS, Some("content"));
    let ustar = {
        let mut header = tar::Header::new_ustar();
        header.set_path(&long).unwrap();
        header.set_size(7);
        header.set_cksum();
        let mut builder = tar::Builder::new(Vec::new());
        builder.append(&header, &b"content"[..]).unwrap();
        builder.into_inner().unwrap()
    };
    assert_eq!(read(vec![layer(OCI_TAR, ustar)], &long), Ok(Some("content".into())));
}

#[test]
fn every_compression_is_recognised_by_its_bytes() {
    let tar = || with(STATUS, "content").bytes();
    let half = tar().len() / 2;
    let members = [gzip(&tar()[..half]), gzip(&tar()[half..])].concat();
    let frames = [zstd(&tar()[..half]), zstd(&tar()[half..])].concat();
    let skippable = [&[0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 9, 9][..], &zstd(&tar())].concat();
    for bytes in [tar(), gzip(&tar()), zstd(&tar()), members, frames, skippable] {
        for suffix in ["tar", "tar+gzip", "tar+zstd"] {
            for base in [
                "application/vnd.oci.image.layer.v1.",
                "application/vnd.oci.image.layer.nondistributable.v1.",
            ] {
                let layers = vec![layer(&format!("{base}{suffix}"), bytes.clone())];
                assert_eq!(read(layers, STATUS), Ok(Some("content".into())));
            }
        }
        for docker in [
            "application/vnd.docker.image.rootfs.diff.tar.gzip",
            "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
        ] {
            assert_eq!(
                read(vec![layer(docker, bytes.clone())], STATUS),
                Ok(Some("content".into()))
            );
        }
    }
}

#[test]
fn what_is_no_layer_is_an_error() {
    for media_type in [
        "",
        "application/json",
        "application/vnd.in-toto+json",
        "application/vnd.oci.image.layer.v1.tar+encrypted",
        "application/vnd.oci.image.layer.v1.tar+gzip+encrypted",
    ] {
        let expected = format!("layer 1 has the unsupported media type {media_type:?}");
        check_refused(vec![layer(media_type, with(STATUS, "x").bytes())], STATUS, &expected);
    }
    for bytes in [
        b"".to_vec(),
        b"not an archive".to_vec(),
        vec![b'x'; 2000],
        b"BZh91AY&SY".to_vec(),
        vec![0; 100],
    ] {
        let expected = "layer 2 is neither a tar archive nor one compressed with gzip or zstd";
        check_refused(vec![with("x", "").layer(), layer(OCI_GZIP, bytes)], STATUS, expected);
    }
}

#[test]
fn every_truncation_is_an_error() {
    let tar = with("etc/hostname", "name").file(STATUS, &"x".repeat(600)).bytes();
    // The second block of the end marker may be missing, as some tools leave it out.
    let end = tar.len() - 512;
    for length in 0..end {
        assert!(
            read(vec![layer(OCI_TAR, tar[..length].to_vec())], STATUS).is_err(),
            "{length} of {}",
            tar.len()
        );
    }
    assert!(read(vec![layer(OCI_TAR, tar[..end].to_vec())], STATUS).is_ok());
    for (media_type, bytes) in [(OCI_GZIP, gzip(&tar)), (OCI_ZSTD, zstd(&tar))] {
        for length in 0..bytes.len() {
            assert!(
                read(vec![layer(media_type, bytes[..length].to_vec())], STATUS).is_err(),
                "{media_type} {length}"
            );
        }
    }
    let cut = tar[..tar.len() - 1024].to_vec();
    check_refused(
        vec![layer(OCI_TAR, cut)],
        STATUS,
        "failed to read layer 1: the layer ends before its archive does",
    );
}

#[test]
fn a_wrong_checksum_of_the_compression_is_an_error() {
    let mut bytes = gzip(&with(STATUS, "content").bytes());
    let crc = bytes.len() - 6;
    bytes[crc] ^= 1;
    assert!(read(vec![layer(OCI_GZIP, bytes)], STATUS).is_err());
}

#[test]
fn broken_headers_are_errors() {
    let broken = |at: usize, byte: u8, fix: bool| {
        let mut bytes = with(STATUS, "content").bytes();
        bytes[at] = byte;
        if fix {
            let mut header = tar::Header::new_gnu();
            header.as_mut_bytes().copy_from_slice(&bytes[..512]);
            header.set_cksum();
            bytes[..512].copy_from_slice(header.as_bytes());
        }
        vec![layer(OCI_TAR, bytes)]
    };
    let invalid =
        |problem: &str| format!("layer 1 is not a valid tar archive at byte 512: {problem}");
    check_refused(broken(0, b'w', false), STATUS, &invalid("the header's checksum is wrong"));
    check_refused(broken(156, b'?', true), STATUS, &invalid("the entry is of an unknown kind"));
    check_refused(broken(124, b'9', true), STATUS, &invalid("the entry's size is not a number"));
    check_refused(broken(124, 0xff, true), STATUS, &invalid("the entry's size is not a number"));
    let rooted = Archive::new().file("./", "x").layer();
    check_refused(vec![rooted], STATUS, &invalid("an entry takes the place of the root folder"));
    let pax = Archive::new().entry(EntryType::XHeader, "x", "", b"999 path=x\n").layer();
    check_refused(
        vec![pax],
        STATUS,
        "layer 1 is not a valid tar archive at byte 1024: an extended attribute is malformed",
    );
    let long = Archive::new().file(&"d/".repeat(3000), "x").layer();
    check_refused(
        vec![long],
        STATUS,
        "layer 1 is not a valid tar archive at byte 7168: a name is longer than a path can be",
    );
}

#[test]
fn every_limit_holds() {
    let exceed = |limit: u64, what: &str| format!("layer 1 exceeds the limit of {limit} {what}");
    let bomb = gzip(&with("x", &"0".repeat(2 << 20)).bytes());
    assert!(bomb.len() < 50_000);
    check_refused(
        vec![layer(OCI_GZIP, bomb)],
        STATUS,
        &exceed(1 << 20, "bytes after decompression"),
    );
    let after_end = gzip(&[with("x", "").bytes(), vec![0; 2 << 20]].concat());
    check_refused(
        vec![layer(OCI_GZIP, after_end)],
        STATUS,
        &exceed(1 << 20, "bytes after decompression"),
    );
    let many = (0..101).fold(Archive::new(), |archive, n| archive.file(&format!("f{n}"), ""));
    check_refused(vec![many.layer()], STATUS, &exceed(100, "archive entries"));
    let kept = (0..3).fold(Archive::new(), |archive, n| {
        archive.file(&format!("d{n}/status"), &"x".repeat(60_000))
    });
    check_refused(
        vec![kept.layer()],
        STATUS,
        &exceed(1 << 17, "bytes of package databases and links"),
    );
    let long_header =
        Archive::new().entry(EntryType::XHeader, "x", "", &vec![b'x'; (1 << 20) + 1]).layer();
    let expected = "layer 1 is not a valid tar archive at byte 512: an extended header is too long";
    check_refused(vec![long_header], STATUS, expected);
}

#[test]
fn replaced_files_do_not_count_as_kept() {
    let layers = (0..20).map(|n| with(STATUS, &format!("{n}").repeat(10_000))).collect();
    check(layers, STATUS, Some(&"19".repeat(10_000)));
}

#[test]
fn a_claimed_size_costs_nothing_before_it_is_read() {
    let mut header = tar::Header::new_gnu();
    header.as_old_mut().name[..6].copy_from_slice(b"status");
    header.set_size(u64::MAX >> 1);
    header.set_cksum();
    let bytes = [header.as_bytes().as_slice(), &[0; 1024]].concat();
    check_refused(
        vec![layer(OCI_TAR, bytes)],
        STATUS,
        "layer 1 exceeds the limit of 1048576 bytes after decompression",
    );
}

#[test]
fn a_folder_lists_its_own_files_only() {
    let archive = with("var/lib/dpkg/status.d/a", "")
        .file("var/lib/dpkg/status.d/b", "")
        .file("var/lib/dpkg/status.d/c/d", "");
    let tree = apply([archive.file(STATUS, "").layer()], &small()).unwrap();
    let expected =
        ["var/lib/dpkg/status.d/a", "var/lib/dpkg/status.d/b"].map(str::to_owned).to_vec();
    assert_eq!(tree.list("var/lib/dpkg/status.d").unwrap(), expected);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        let _ = apply([layer(OCI_TAR, bytes)], &small());
    }

    #[test]
    fn no_damage_makes_the_reader_panic(damage in prop::collection::vec((0usize..4096, any::<u8>()), 1..8), fix in any::<bool>()) {
        let archive = with("./a/b", "x").symlink("lib", "usr/lib").hard_link("c", "a/b");
        let mut bytes = archive.extended(&[("path", STATUS)], EntryType::Regular, "p", b"content").bytes();
        for (at, byte) in damage {
            let at = at % bytes.len();
            bytes[at] = byte;
            let block = at / 512 * 512;
            if fix && let Some(block) = bytes.get_mut(block..block + 512) {
                let mut header = tar::Header::new_gnu();
                header.as_mut_bytes().copy_from_slice(block);
                header.set_cksum();
                block.copy_from_slice(header.as_bytes());
            }
        }
        let _ = apply([layer(OCI_TAR, bytes)], &small());
    }

    #[test]
    fn no_names_make_the_tree_panic(entries in prop::collection::vec(("[./a.wh]{0,12}(status)?", "[./a]{0,8}", 0u8..5), 0..30)) {
        let archive = entries.iter().fold(Archive::new(), |archive, (path, target, kind)| match kind {
            0 => archive.file(path, "x"),
            1 => archive.folder(path),
            2 => archive.symlink(path, target),
            3 => archive.hard_link(path, target),
            _ => archive.entry(EntryType::Fifo, path, "", b""),
        });
        if let Ok(tree) = apply([archive.layer()], &small()) {
            let _ = tree.read("a/status");
            let _ = tree.list("a");
        }
    }
}
