//! Texts to look at, and the documents in them.

use arc_engine::TemplateSource;
use arc_engine::yaml::{self, Node, Position};

/// How a text came here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Named by the user: whatever is no manifest is a finding.
    Named,
    /// Found in a folder that the user named: other YAML is left alone.
    Folder,
    /// Not judged, only known: the pipelines of the binary, or what a cluster holds.
    Context,
}

/// A text to look at.
#[derive(Clone, Debug)]
pub struct Source {
    /// What findings call it.
    pub name: String,
    /// The text, YAML or JSON, of any number of documents.
    pub text: String,
    /// How it came here.
    pub origin: Origin,
}

/// A text that has been read.
#[derive(Debug)]
pub(crate) struct Parsed<'a> {
    pub(crate) source: &'a Source,
    pub(crate) lines: Vec<&'a str>,
    pub(crate) documents: Vec<Node>,
    /// Why there are no documents.
    pub(crate) problem: Option<(Position, String)>,
}

impl<'a> Parsed<'a> {
    pub(crate) fn new(source: &'a Source) -> Self {
        let template = TemplateSource { file: source.name.clone(), text: source.text.clone() };
        let (documents, problem) = match yaml::parse(&template) {
            Ok(documents) => (documents, None),
            Err(problem) => {
                let at = Position { line: problem.line, column: problem.column };
                (Vec::new(), Some((at, problem.message)))
            }
        };
        Self { source, lines: source.text.lines().collect(), documents, problem }
    }

    pub(crate) fn is_context(&self) -> bool {
        self.source.origin == Origin::Context
    }

    /// The text of a line, from 1.
    pub(crate) fn line(&self, line: u64) -> &'a str {
        let index = usize::try_from(line).ok().and_then(|line| line.checked_sub(1));
        index.and_then(|index| self.lines.get(index)).copied().unwrap_or_default()
    }
}
