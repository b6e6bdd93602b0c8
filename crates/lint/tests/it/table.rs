//! The table of rules in the documentation is the code's.

use arc_lint::render::markdown;

use crate::harness::{golden, root};

#[test]
fn the_documentation_has_every_rule() {
    let path = root().join("docs/lint.md");
    let page = std::fs::read_to_string(&path).expect("the page is there");
    let (before, rest) = page.split_once("<!-- rules -->\n").expect("the table has a beginning");
    let (_, after) = rest.split_once("<!-- end -->").expect("the table has an end");
    golden(&path, &format!("{before}<!-- rules -->\n{}<!-- end -->{after}", markdown()));
}
