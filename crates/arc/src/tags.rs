//! `arc tags`: what tags a repository has, all or those that a filter lets through.

use arc_steps::Exit;

use crate::cli::{Output, Tags};
use crate::registry_access::{connect, failed, parse_repository};
use crate::report::Failure;
use crate::sync::filter::{Filter, TagRules};

/// Runs the command.
#[expect(clippy::print_stdout, reason = "the tags are the outcome")]
pub(crate) async fn run(args: &Tags) -> Result<Exit, Failure> {
    let (remote, repository) = parse_repository(&args.repository)?;
    let rules = TagRules {
        glob: args.glob.clone(),
        regex: args.regex.clone(),
        semver: args.semver.clone(),
        newest: args.newest,
        ..TagRules::default()
    };
    let filter = Filter::new(&rules).map_err(|message| Failure::new(Exit::WrongInput, message))?;
    let client = connect(&args.registry, remote, &repository)?;
    let all = client.tags(&repository).await.map_err(failed)?;
    let tags = filter.choose(&all);
    match args.output {
        Output::Text => tags.iter().for_each(|tag| println!("{tag}")),
        Output::Json => {
            let value = serde_json::json!({"repository": args.repository, "tags": tags});
            println!("{value:#}");
        }
    }
    Ok(Exit::Done)
}
