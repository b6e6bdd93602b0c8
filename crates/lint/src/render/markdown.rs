//! The table of all rules, as `docs/lint.md` shows it.

use std::fmt::Write as _;

use crate::rules::RULES;

/// Returns the table of rules.
pub fn markdown() -> String {
    let mut table = String::from(
        "| rule | severity | what is wrong | why, and what to do |\n| --- | --- | --- | --- |\n",
    );
    for rule in RULES {
        // Writing to a string cannot fail.
        let _ = writeln!(
            table,
            "| `{}` | {} | {} | {} |",
            rule.id,
            rule.severity.as_str(),
            rule.summary,
            rule.help.replace('|', "\\|")
        );
    }
    table
}
