//! The fenced blocks of a page.

/// One fenced block.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Block {
    /// Line of its first fence, from 1.
    pub(super) line: usize,
    pub(super) kind: Kind,
    /// What stands between the fences.
    pub(super) text: String,
}

/// What is done with a block.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Commands to run.
    Run,
    /// Commands that are left out, with the reason.
    Left(String),
    /// A file to write, with its name.
    File(String),
    /// A piece of YAML.
    Fragment,
    /// For reading.
    Prose,
}

/// A block whose second fence has not come.
struct Open<'a> {
    line: usize,
    indent: usize,
    language: &'a str,
    text: String,
}

/// Reads the blocks of a page, or says what is wrong with its fences.
pub(super) fn blocks(page: &str) -> Result<Vec<Block>, String> {
    let mut found = Vec::new();
    let mut open: Option<Open<'_>> = None;
    let mut reason = None;
    for (index, line) in page.lines().enumerate() {
        let indent = line.len() - line.trim_start().len();
        let fence = line.trim_start().strip_prefix("```");
        match (fence, open.take()) {
            (Some(language), None) => {
                open = Some(Open { line: index + 1, indent, language, text: String::new() });
            }
            (Some(_), Some(Open { line, language, text, .. })) => {
                let kind = kind(language, &text, reason.take());
                found.push(Block { line, kind, text });
            }
            (None, Some(mut block)) => {
                // A block inside a list is indented as its fence is.
                block.text.push_str(&line[indent.min(block.indent)..]);
                block.text.push('\n');
                open = Some(block);
            }
            (None, None) => {
                let comment = line.strip_prefix("<!-- not run: ");
                if let Some(why) = comment.and_then(|rest| rest.strip_suffix(" -->")) {
                    reason = Some(why.to_owned());
                } else if !line.trim().is_empty() {
                    reason = None;
                }
            }
        }
    }
    open.map_or(Ok(found), |open| Err(format!("the fence in line {} is not closed", open.line)))
}

fn kind(language: &str, text: &str, reason: Option<String>) -> Kind {
    match (language, reason) {
        ("sh", None) => Kind::Run,
        ("sh", Some(reason)) => Kind::Left(reason),
        ("yaml" | "json", _) => {
            let named = text.lines().next().and_then(|line| line.strip_prefix("# file: "));
            named.map_or(Kind::Fragment, |name| Kind::File(name.trim().to_owned()))
        }
        _ => Kind::Prose,
    }
}

#[test]
fn blocks_are_told_apart() {
    let page = "a\n```sh\narc demo\n```\n<!-- not run: needs helm -->\n```sh\nhelm\n```\n```yaml\n# file: a.yaml\nx: 1\n```\n```yaml\nx: 1\n```\n```text\nout\n```\n";
    let kinds: Vec<_> = blocks(page).unwrap().into_iter().map(|block| block.kind).collect();
    assert_eq!(
        kinds,
        [
            Kind::Run,
            Kind::Left("needs helm".to_owned()),
            Kind::File("a.yaml".to_owned()),
            Kind::Fragment,
            Kind::Prose,
        ]
    );
    assert!(blocks("```sh\n").is_err());
}
