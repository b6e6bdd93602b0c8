//! One thing after the other, and then the report.

use serde::Serialize;

use crate::{
    Options,
    burst::{self, Round},
    child::Server,
    count,
    idle::{self, Idle},
    machine::Machine,
    report, scene,
    single::{self, Single},
    steady::{self, Latency},
    wide::{self, Wide},
};

/// How much of everything.
#[derive(Debug, Clone, Copy)]
struct Size {
    burst: usize,
    rounds: usize,
    steady: usize,
    wide: usize,
    finished: usize,
    idle_seconds: u64,
}

const FULL: Size =
    Size { burst: 2000, rounds: 3, steady: 300, wide: 1000, finished: 10_000, idle_seconds: 30 };
const QUICK: Size =
    Size { burst: 100, rounds: 1, steady: 20, wide: 50, finished: 100, idle_seconds: 2 };

/// Everything that was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Measured {
    pub(crate) machine: Machine,
    /// Version of the API server, and whether it is the one in memory.
    pub(crate) server: String,
    pub(crate) quick: bool,
    pub(crate) single: Option<Single>,
    pub(crate) burst: Vec<Round>,
    pub(crate) steady: Option<Latency>,
    pub(crate) wide: Option<Wide>,
    pub(crate) empty: Option<Idle>,
    pub(crate) finished: Option<Idle>,
}

/// Measures what was asked for and writes the report.
pub(crate) async fn run(options: &Options) {
    let machine = Machine::look();
    let mut server = Server::new(options.kubeconfig.as_deref()).await;
    let (client, _) = count::client(Some(&server.kubeconfig)).await;
    scene::set(&client).await;
    scene::clear(&client).await;
    let size = if options.quick { QUICK } else { FULL };
    let version = client.apiserver_version().await.unwrap().git_version;
    let own = if server.is_own() { ", in memory" } else { "" };
    let mut measured = Measured {
        machine,
        server: format!("{version}{own}"),
        quick: options.quick,
        single: None,
        burst: Vec::new(),
        steady: None,
        wide: None,
        empty: None,
        finished: None,
    };
    let wanted = |name: &str| {
        let wanted = options.only.as_ref().is_none_or(|text| name.contains(text.as_str()));
        if wanted {
            eprintln!("{name}");
        }
        wanted
    };
    let arc = options.arc.as_deref();
    if wanted("idle, empty") {
        let size = (0, size.idle_seconds);
        measured.empty = Some(idle::run(&client, &mut server, size, arc).await);
    }
    if wanted("single") {
        measured.single = Some(single::run(&client, &mut server, size.idle_seconds).await);
    }
    if wanted("steady") {
        measured.steady = Some(steady::run(&client, &mut server, size.steady).await);
    }
    if wanted("burst") {
        for _ in 0..size.rounds {
            measured.burst.push(burst::round(&client, &mut server, size.burst).await);
        }
    }
    if wanted("wide") {
        measured.wide = Some(wide::run(&client, &mut server, size.wide).await);
    }
    if wanted("idle, finished") {
        let size = (size.finished, size.idle_seconds);
        measured.finished = Some(idle::run(&client, &mut server, size, arc).await);
    }
    report::report(&measured, !options.no_write && !options.quick && options.only.is_none());
}
