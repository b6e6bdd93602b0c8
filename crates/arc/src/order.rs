//! `arc order`: what a platform engineer does with orders on a cluster.

mod change;
mod cluster;
mod create;
mod list;
mod logs;
mod story;
mod style;
mod tree;
mod watch;

use arc_steps::Exit;

use crate::cli::{Order, OrderOutput, OrderStatus};
use crate::report::Failure;

use self::cluster::Cluster;
use self::story::Story;
use self::style::Style;

/// Runs the command.
pub(crate) async fn run(command: &Order) -> Result<Exit, Failure> {
    match command {
        Order::Create(args) => create::run(args).await,
        Order::List(args) => list::run(args).await,
        Order::Status(args) => status(args).await,
        Order::Watch(args) => {
            let cluster = Cluster::connect(&args.place).await?;
            watch::follow(&cluster, &args.name, args.timeout).await
        }
        Order::Retry(args) => change::retry(args).await,
        Order::Cancel(args) => change::cancel(args).await,
        Order::Logs(args) => logs::run(args).await,
    }
}

#[expect(clippy::print_stdout, reason = "the story is the outcome")]
async fn status(args: &OrderStatus) -> Result<Exit, Failure> {
    let cluster = Cluster::connect(&args.place).await?;
    let story = Story::read(&cluster, &args.name).await?;
    match args.output {
        OrderOutput::Text | OrderOutput::Wide => {
            let style = Style::of_stdout(args.output == OrderOutput::Wide);
            for line in tree::lines(&story, style, jiff::Timestamp::now()) {
                println!("{line}");
            }
        }
        OrderOutput::Json => println!("{:#}", story.to_json()),
        OrderOutput::Yaml => {
            print!("{}", crate::yaml::write(&story.to_json()).map_err(unwritable)?);
        }
    }
    Ok(Exit::Done)
}

fn unwritable(problem: String) -> Failure {
    Failure::new(Exit::Failed, problem)
}
