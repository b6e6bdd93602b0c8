//! `arc order list`: is it done, what is stuck, why.

use arc_api::Order;
use arc_steps::Exit;
use comfy_table::{Table, presets};
use jiff::Timestamp;
use kube::api::ListParams;
use kube::{Api, ResourceExt};

use super::cluster::{Cluster, failed};
use super::tree::age;
use super::unwritable;
use crate::cli::{OrderList, OrderOutput};
use crate::report::Failure;

/// Characters of a message in a table that is not wide.
const SHORT_MESSAGE: usize = 60;

/// Runs the command.
#[expect(clippy::print_stdout, reason = "the list is the outcome")]
pub(super) async fn run(args: &OrderList) -> Result<Exit, Failure> {
    let cluster = Cluster::connect(&args.place).await?;
    let orders: Api<Order> = if args.all_namespaces {
        Api::all(cluster.client.clone())
    } else {
        Api::namespaced(cluster.client.clone(), &cluster.namespace)
    };
    let found = orders.list(&ListParams::default()).await;
    let mut found = found.map_err(|error| failed("list orders", &error))?.items;
    found.sort_by_key(|order| (order.namespace(), order.name_any()));
    match args.output {
        OrderOutput::Text | OrderOutput::Wide => {
            println!("{}", table(&found, args, Timestamp::now()));
        }
        OrderOutput::Json => println!("{:#}", serde_json::json!({"orders": found})),
        OrderOutput::Yaml => {
            let value = serde_json::json!({"orders": found});
            print!("{}", crate::yaml::write(&value).map_err(unwritable)?);
        }
    }
    Ok(Exit::Done)
}

fn table(orders: &[Order], args: &OrderList, now: Timestamp) -> String {
    if orders.is_empty() {
        return "no orders".to_owned();
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    let first = args.all_namespaces.then_some("NAMESPACE");
    let columns = ["NAME", "PHASE", "DELIVERED", "FAILED", "HELD", "AGE", "MESSAGE"];
    table.set_header(first.into_iter().chain(columns));
    for order in orders {
        let namespace = args.all_namespaces.then(|| order.namespace().unwrap_or_default());
        let is_wide = args.output == OrderOutput::Wide;
        table.add_row(namespace.into_iter().chain(cells(order, is_wide, now)));
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

fn cells(order: &Order, is_wide: bool, now: Timestamp) -> [String; 7] {
    let status = order.status.clone().unwrap_or_default();
    let counts = status.counts.unwrap_or_default();
    let message = status.message.unwrap_or_default();
    let message = if is_wide || message.chars().count() <= SHORT_MESSAGE {
        message
    } else {
        message.chars().take(SHORT_MESSAGE - 1).chain(['…']).collect()
    };
    [
        order.name_any(),
        status.phase.map(|phase| phase.to_string()).unwrap_or_default(),
        status.progress.unwrap_or_default(),
        counts.failed.to_string(),
        counts.blocked.to_string(),
        order.creation_timestamp().map(|made| age(&made, now)).unwrap_or_default(),
        message,
    ]
}
