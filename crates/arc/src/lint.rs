//! `arc lint`: what is wrong with manifests and policies before anybody applies them.
//!
//! Reads the files, has `arc-lint` judge them, and prints what it says.

mod live;

use arc_lint::{lint, render};
use arc_steps::Exit;

use crate::cli::{Lint, LintOutput};
use crate::manifests;
use crate::report::Failure;

/// Runs the command.
#[expect(clippy::print_stdout, reason = "the findings are the outcome")]
pub(crate) async fn run(args: &Lint) -> Result<Exit, Failure> {
    let mut sources = manifests::sources(&args.files).map_err(|error| Failure::input(&error))?;
    if args.live {
        sources.extend(live::sources(&sources, args.context.clone()).await?);
    }
    let report = lint(&sources, args.live);
    match args.output {
        LintOutput::Text => println!("{}{}", render::text(&report), render::summary(&report)),
        LintOutput::Json => println!("{:#}", render::json(&report)),
        LintOutput::Sarif => {
            println!("{:#}", render::sarif(&report, env!("CARGO_PKG_VERSION")));
        }
    }
    let counts = report.counts();
    let is_wrong = counts.errors > 0 || args.strict && counts.warnings > 0;
    Ok(if is_wrong { Exit::WrongInput } else { Exit::Done })
}
