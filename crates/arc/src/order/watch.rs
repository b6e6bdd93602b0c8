//! `arc order watch`: the tree, alive, until everything has ended.

use std::io::{IsTerminal as _, Write as _};
use std::pin::pin;
use std::time::Duration;

use arc_api::argo::Workflow;
use arc_api::{ArtifactWorkflow, Order, Phase};
use arc_steps::Exit;
use futures::{Stream, StreamExt as _};
use kube::runtime::watcher::{self, Event};
use kube::runtime::{WatchStreamExt as _, watcher as watch};
use kube::{Api, ResourceExt};

use super::cluster::Cluster;
use super::story::{Story, of_order};
use super::style::Style;
use super::tree;
use crate::report::Failure;

/// How often durations on the screen go on.
const REDRAW: Duration = Duration::from_secs(1);

/// Follows the order to its end and returns how it ended.
pub(super) async fn follow(
    cluster: &Cluster,
    name: &str,
    timeout: Option<Duration>,
) -> Result<Exit, Failure> {
    let mut story = Story::read(cluster, name).await?;
    let mut screen = Screen::new();
    let following = to_the_end(cluster, &mut story, &mut screen);
    let Some(timeout) = timeout else { return following.await };
    match tokio::time::timeout(timeout, following).await {
        Ok(ended) => ended,
        Err(_elapsed) => {
            let held = story.rows().iter().any(|row| row.phase == Phase::Pending);
            let exit = if held { Exit::WrongInput } else { Exit::Failed };
            let message = format!("order {name:?} has not ended after {}s", timeout.as_secs());
            Err(Failure::new(exit, message)
                .hint(format!("`arc order status {name}` says what it waits for")))
        }
    }
}

async fn to_the_end(
    cluster: &Cluster,
    story: &mut Story,
    screen: &mut Screen,
) -> Result<Exit, Failure> {
    let mut changes = pin!(changes(cluster, &story.order));
    screen.show(story);
    while !story.has_ended() {
        tokio::select! {
            change = changes.next() => match change {
                Some(Change::OrderGone) => {
                    let name = story.order.name_any();
                    return Err(Failure::new(Exit::Failed, format!("order {name:?} was deleted")));
                }
                Some(change) => take(story, change),
                None => return Err(Failure::new(Exit::Failed, "the cluster ended the watch")),
            },
            () = tokio::time::sleep(REDRAW), if screen.is_live => {}
        }
        screen.show(story);
    }
    screen.end(story);
    Ok(story.exit())
}

/// Something about the order that is new.
enum Change {
    Order(Box<Order>),
    OrderGone,
    Delivery(Box<ArtifactWorkflow>),
    DeliveryGone(String),
    Workflow(Box<Workflow>),
    WorkflowGone(String),
    /// A watch that was broken and comes back by itself, or that we may not have.
    Nothing,
}

fn take(story: &mut Story, change: Change) {
    match change {
        Change::Order(order) => story.order = *order,
        Change::Delivery(delivery) => {
            story.deliveries.insert(delivery.name_any(), *delivery);
        }
        Change::DeliveryGone(name) => {
            story.deliveries.remove(&name);
        }
        Change::Workflow(workflow) => {
            story.workflows.insert(name(&workflow), *workflow);
        }
        Change::WorkflowGone(name) => {
            story.workflows.remove(&name);
        }
        Change::OrderGone | Change::Nothing => {}
    }
}

fn name(workflow: &Workflow) -> String {
    workflow.metadata.name.clone().unwrap_or_default()
}

fn changes(cluster: &Cluster, order: &Order) -> impl Stream<Item = Change> + use<> {
    let selector = of_order(order).label_selector.unwrap_or_default();
    let of_order = watcher::Config::default().labels(&selector);
    let itself = watcher::Config::default().fields(&format!("metadata.name={}", order.name_any()));
    let orders: Api<Order> = Api::namespaced(cluster.client.clone(), &cluster.namespace);
    let orders = watch(orders, itself).default_backoff().map(|event| match event {
        Ok(Event::Apply(order) | Event::InitApply(order)) => Change::Order(Box::new(order)),
        Ok(Event::Delete(_)) => Change::OrderGone,
        _ => Change::Nothing,
    });
    let deliveries: Api<ArtifactWorkflow> =
        Api::namespaced(cluster.client.clone(), &cluster.namespace);
    let deliveries =
        watch(deliveries, of_order.clone()).default_backoff().map(|event| match event {
            Ok(Event::Apply(one) | Event::InitApply(one)) => Change::Delivery(Box::new(one)),
            Ok(Event::Delete(one)) => Change::DeliveryGone(one.name_any()),
            _ => Change::Nothing,
        });
    let workflows: Api<Workflow> = Api::namespaced(cluster.client.clone(), &cluster.namespace);
    let workflows = watch(workflows, of_order).default_backoff().map(|event| match event {
        Ok(Event::Apply(one) | Event::InitApply(one)) => Change::Workflow(Box::new(one)),
        Ok(Event::Delete(one)) => Change::WorkflowGone(name(&one)),
        _ => Change::Nothing,
    });
    futures::stream::select(orders, futures::stream::select(deliveries, workflows))
}

/// A terminal that is drawn again and again, or a file that gets a line for each change.
struct Screen {
    is_live: bool,
    drawn: usize,
    told: Vec<String>,
}

impl Screen {
    fn new() -> Self {
        Self { is_live: std::io::stdout().is_terminal(), drawn: 0, told: Vec::new() }
    }

    fn show(&mut self, story: &Story) {
        if self.is_live { self.draw(story) } else { self.tell(story) }
    }

    /// The last picture stays; lines that were too long are whole now.
    #[expect(clippy::print_stdout, reason = "this is the outcome")]
    fn end(&mut self, story: &Story) {
        if self.is_live {
            self.clear();
        }
        let style = Style::of_stdout(false);
        for line in tree::lines(story, style, jiff::Timestamp::now()) {
            println!("{line}");
        }
    }

    #[expect(clippy::print_stdout, reason = "this is the outcome")]
    fn draw(&mut self, story: &Story) {
        self.clear();
        let lines = tree::lines(story, Style::of_stdout(false), jiff::Timestamp::now());
        let shown = &lines[..lines.len().min(height())];
        // Lines are cut and not wrapped, so that as many rows are cleared as lines were drawn.
        print!("\x1b[?7l");
        for line in shown {
            println!("{line}");
        }
        print!("\x1b[?7h");
        self.drawn = shown.len();
        // A terminal that went away is nothing that could be told to it.
        let _ = std::io::stdout().flush();
    }

    #[expect(clippy::print_stdout, reason = "this is the outcome")]
    fn clear(&mut self) {
        if self.drawn > 0 {
            print!("\x1b[{}A\x1b[J", self.drawn);
            self.drawn = 0;
        }
    }

    #[expect(clippy::print_stdout, reason = "this is the outcome")]
    fn tell(&mut self, story: &Story) {
        let now: Vec<String> = story
            .rows()
            .iter()
            .map(|row| {
                let reason = row.reason.as_deref().unwrap_or_default();
                let message = row.message.as_deref().unwrap_or_default();
                format!("{}: {} {reason} {message}", row.name, row.phase).trim_end().to_owned()
            })
            .collect();
        for line in now.iter().filter(|line| !self.told.contains(line)) {
            println!("{line}");
        }
        self.told = now;
    }
}

/// Rows of the terminal, less one for the cursor.
fn height() -> usize {
    let size = rustix::termios::tcgetwinsize(std::io::stdout());
    size.map_or(usize::MAX, |size| usize::from(size.ws_row).saturating_sub(1).max(1))
}
