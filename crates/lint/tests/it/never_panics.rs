//! Whatever the text is, there are findings and never a panic: mutated manifests, and soup of the same words.

use std::sync::LazyLock;

use arc_lint::{Origin, Source, lint, render};
use proptest::prelude::*;

use crate::harness::{folder, root};

/// Texts that are mutated: everything that the linter has a rule for.
static SEEDS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let cases = root().join("crates/lint/tests/cases");
    let mut texts = Vec::new();
    for entry in std::fs::read_dir(cases).expect("the cases are there") {
        let path = entry.expect("a case can be read").path();
        texts.extend(folder(&path, Origin::Named).into_iter().map(|source| source.text));
    }
    texts
});

/// Pieces that YAML, Argo, Kubernetes or we look at.
const PIECES: [&str; 40] = [
    "apiVersion: arc.opendefense.cloud/v1alpha1\n",
    "apiVersion: argoproj.io/v1alpha1\n",
    "kind: Order\n",
    "kind: Endpoint\n",
    "kind: ClusterArtifactType\n",
    "kind: WorkflowTemplate\n",
    "kind: List\nitems:\n- ",
    "metadata: {name: a}\n",
    "metadata:\n  name: [a]\n",
    "spec:\n",
    "  artifacts:\n  - name: a\n    type: oci\n",
    "    spec: {tag: 3.10, repository: a}\n",
    "  defaults: {srcRef: {name: a}}\n",
    "  specSchema:\n    type: object\n    properties: {a: {type: string, pattern: \"(\"}}\n",
    "  parameters:\n  - {name: scanSeverity, value: X}\n",
    "  workflowTemplateRef: {name: a}\n",
    "  templates:\n  - name: main\n    script:\n      image: a\n      command: [sh]\n      source: |\n        {{inputs.parameters.x}}\n",
    "    container: {image: \"a:latest\", command: [sh, -c, \"{{item}}\"]}\n",
    "  volumes: [{name: a, secret: {secretName: a, items: [{key: a}]}}]\n",
    "  remoteURL: http://[::1\n",
    "parameters:\n- name: verifyKeys\n  value: 5\n",
    "# arc-lint: allow yaml — because\n",
    "# arc-lint: allow\n",
    "---\n",
    "&a ",
    "*a ",
    "<<: *a\n",
    "{{",
    "}}",
    "\"",
    "'",
    "|\n",
    ">-\n  ",
    "[",
    "]",
    "{",
    "}",
    "\t",
    "\u{0}",
    "äöü🦀\r\n",
];

fn judged(text: String) {
    let source = Source { name: "f.yaml".to_owned(), text, origin: Origin::Named };
    for is_complete in [false, true] {
        let report = lint(std::slice::from_ref(&source), is_complete);
        for finding in &report.findings {
            let lines = source.text.lines().count() as u64;
            assert!(finding.line <= lines.max(1), "{finding:?}");
        }
        let _ = (render::text(&report), render::json(&report), render::sarif(&report, "0"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mutated_manifests_are_judged(
        seed in any::<prop::sample::Index>(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0..12_usize, prop::sample::select(&PIECES[..])), 1..4),
    ) {
        let mut text = SEEDS[seed.index(SEEDS.len())].clone();
        for (at, cut, piece) in edits {
            let mut start = at.index(text.len() + 1);
            while !text.is_char_boundary(start) { start -= 1; }
            let mut end = (start + cut).min(text.len());
            while !text.is_char_boundary(end) { end += 1; }
            text.replace_range(start..end, piece);
        }
        judged(text);
    }

    #[test]
    fn soup_is_judged(pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..24)) {
        judged(pieces.concat());
    }
}
