//! The election over the fake API server, with time in the tests' hands: whatever happens, never two at work.

use std::sync::{Mutex, PoisonError};

use arc_kube_fake::{ApiServer, Effect, Fault, Matching, Rule, Times, Verb};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use super::*;

const LEASES: &str = "leases.coordination.k8s.io";
const PATH: &str = "/apis/coordination.k8s.io/v1/namespaces/default/leases/arc";
const LEASE: Duration = Duration::from_secs(15);

/// Who worked from when to when.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<Shift>>>);

#[derive(Clone, Debug)]
struct Shift {
    who: String,
    from: Instant,
    to: Option<Instant>,
}

impl Log {
    fn shifts(&self) -> Vec<Shift> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn at_work(&self) -> Vec<String> {
        let shifts = self.shifts().into_iter().filter(|shift| shift.to.is_none());
        shifts.map(|shift| shift.who).collect()
    }

    fn begin(&self, who: &str) -> OnShift {
        let mut shifts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        shifts.push(Shift { who: who.to_owned(), from: Instant::now(), to: None });
        OnShift { log: self.clone(), index: shifts.len() - 1 }
    }

    #[track_caller]
    fn assert_never_two(&self) {
        let shifts = self.shifts();
        for pair in shifts.windows(2) {
            let ended = pair[0].to.is_some_and(|end| end <= pair[1].from);
            assert!(ended, "two at work: {pair:?}");
        }
    }
}

/// Ends when the work is dropped.
struct OnShift {
    log: Log,
    index: usize,
}

impl Drop for OnShift {
    fn drop(&mut self) {
        let mut shifts = self.log.0.lock().unwrap_or_else(PoisonError::into_inner);
        shifts[self.index].to = Some(Instant::now());
    }
}

struct Replica {
    metrics: Arc<Metrics>,
    shutdown: CancellationToken,
    task: JoinHandle<Result<Option<()>, Error>>,
}

impl Replica {
    /// Starts a replica whose work ends when asked to, after a while.
    fn start(server: &ApiServer, log: &Log, who: &str, winding_down: Duration) -> Self {
        let options = Options {
            lease_namespace: "default".to_owned(),
            lease_name: "arc".to_owned(),
            lease_duration: LEASE,
            identity: who.to_owned(),
            ..Options::default()
        };
        server.grant(
            who,
            vec![Rule::new("coordination.k8s.io", &["leases"], &["get", "create", "update"])],
        );
        let metrics = Arc::new(Metrics::new());
        let election =
            Election::new(&server.client_as(who), &options, Arc::clone(&metrics)).unwrap();
        let shutdown = CancellationToken::new();
        let (log, who, token) = (log.clone(), who.to_owned(), shutdown.clone());
        let task = tokio::spawn(async move {
            let work = |stop: CancellationToken| {
                let shift = log.begin(&who);
                async move {
                    stop.cancelled().await;
                    sleep(winding_down).await;
                    drop(shift);
                }
            };
            election.lead(&token, work).await
        });
        Self { metrics, shutdown, task }
    }

    fn leads(&self) -> bool {
        self.metrics.text().unwrap().contains("\narc_leader 1\n")
    }
}

fn server() -> ApiServer {
    ApiServer::default()
}

fn start(server: &ApiServer, log: &Log, who: &str) -> Replica {
    Replica::start(server, log, who, Duration::ZERO)
}

fn holder(server: &ApiServer) -> String {
    let lease = server.object(LEASES, "default", "arc").unwrap_or_default();
    let holder = lease["spec"]["holderIdentity"].as_str().unwrap_or_default();
    holder.split('_').next().unwrap_or_default().to_owned()
}

/// Waits until this one works, and gives the time it took.
async fn until_at_work(log: &Log, who: &str) -> Duration {
    let start = Instant::now();
    let wait = async {
        while log.at_work() != [who] {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(Duration::from_secs(120), wait).await.unwrap();
    start.elapsed()
}

#[tokio::test(start_paused = true)]
async fn of_two_candidates_one_works_and_keeps_working() {
    let (server, log) = (server(), Log::default());
    let a = start(&server, &log, "a");
    let b = start(&server, &log, "b");
    sleep(Duration::from_secs(600)).await;
    let shifts = log.shifts();
    assert_eq!((shifts.len(), shifts[0].to), (1, None));
    assert_eq!([holder(&server)], log.at_work()[..]);
    assert_ne!(a.leads(), b.leads());
}

#[tokio::test(start_paused = true)]
async fn a_killed_leader_is_replaced_within_the_lease_time() {
    for millisecond in [0, 700, 1_900, 3_300, 4_999] {
        let (server, log) = (server(), Log::default());
        let a = start(&server, &log, "a");
        until_at_work(&log, "a").await;
        let _b = start(&server, &log, "b");
        sleep(Duration::from_millis(30_000 + millisecond)).await;
        a.task.abort();
        let took = until_at_work(&log, "b").await;
        assert!(took <= LEASE, "{took:?}");
        assert!(took >= LEASE / 3, "{took:?}");
        log.assert_never_two();
    }
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_cannot_reach_the_api_server_stops_before_another_may_start() {
    for effect in [
        Effect::Close,
        Effect::CloseAfter,
        Effect::Answer { code: 500, reason: "InternalError" },
        Effect::Answer { code: 403, reason: "Forbidden" },
        Effect::Delay(Duration::from_secs(60)),
    ] {
        let (server, log) = (server(), Log::default());
        let a = start(&server, &log, "a");
        until_at_work(&log, "a").await;
        let _b = start(&server, &log, "b");
        sleep(Duration::from_secs(31)).await;
        let cut = Instant::now();
        let is_harmless = effect == Effect::CloseAfter;
        server.inject(Fault::new(Matching::any().by("a"), Times::Always, effect.clone()));
        sleep(LEASE * 2).await;
        let first = log.shifts()[0].to.unwrap_or_else(|| panic!("{effect:?}: still at work"));
        assert!(
            first - cut <= LEASE * 2 / 3 + Duration::from_secs(1),
            "{effect:?} {:?}",
            first - cut
        );
        // Writes that arrive although no answer comes back keep the lease for a while: nobody works, which is safe.
        if !is_harmless {
            assert_eq!(log.at_work(), ["b"], "{effect:?}");
        }
        server.clear_faults();
        sleep(LEASE * 2).await;
        assert_eq!(log.at_work().len(), 1, "{effect:?}");
        log.assert_never_two();
        drop(a);
    }
}

/// Writes the lease as somebody with kubectl would.
fn edit(server: &ApiServer, change: &Value) {
    let answer = server.call("PATCH", PATH, change);
    assert_eq!(answer["kind"], "Lease", "{answer}");
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_another_one_holds_is_lost_at_the_next_renewal() {
    let (server, log) = (server(), Log::default());
    let a = start(&server, &log, "a");
    until_at_work(&log, "a").await;
    edit(&server, &json!({ "spec": { "holderIdentity": "somebody", "leaseDurationSeconds": 60 } }));
    sleep(LEASE / 3 + Duration::from_secs(1)).await;
    assert_eq!(log.at_work(), Vec::<String>::new());
    assert!(!a.leads());
    // And taken again when the other one is silent for its own duration.
    sleep(Duration::from_secs(40)).await;
    assert_eq!(log.at_work(), Vec::<String>::new());
    sleep(Duration::from_secs(20)).await;
    assert_eq!(log.at_work(), ["a"]);
}

#[tokio::test(start_paused = true)]
async fn an_annotation_or_a_lost_answer_does_not_cost_the_lease() {
    let (server, log) = (server(), Log::default());
    let _a = start(&server, &log, "a");
    until_at_work(&log, "a").await;
    edit(&server, &json!({ "metadata": { "annotations": { "looked-at": "today" } } }));
    sleep(LEASE).await;
    let update = Matching::of(Verb::Update, "leases");
    server.inject(Fault::new(update, Times::First(1), Effect::CloseAfter));
    sleep(LEASE).await;
    let shifts = log.shifts();
    assert_eq!((shifts.len(), shifts[0].to), (1, None));
}

#[tokio::test(start_paused = true)]
async fn a_deleted_lease_does_not_let_two_work() {
    let (server, log) = (server(), Log::default());
    let _a = start(&server, &log, "a");
    until_at_work(&log, "a").await;
    let _b = start(&server, &log, "b");
    sleep(LEASE + Duration::from_secs(1)).await;
    server.call("DELETE", PATH, &Value::Null);
    sleep(LEASE * 3).await;
    assert_eq!(log.at_work(), [holder(&server)]);
    log.assert_never_two();
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_lets_the_work_end_and_hands_over_at_once() {
    let (server, log) = (server(), Log::default());
    let a = Replica::start(&server, &log, "a", Duration::from_secs(12));
    until_at_work(&log, "a").await;
    let _b = start(&server, &log, "b");
    sleep(LEASE).await;
    a.shutdown.cancel();
    sleep(Duration::from_secs(11)).await;
    // Still winding down, and still renewing.
    assert_eq!(log.at_work(), ["a"]);
    let took = until_at_work(&log, "b").await;
    assert!(took <= Duration::from_secs(3), "{took:?}");
    assert!(matches!(a.task.await.unwrap(), Ok(Some(()))));
    log.assert_never_two();
}

#[tokio::test(start_paused = true)]
async fn work_that_does_not_end_is_cut_short_and_the_lease_given_back() {
    let (server, log) = (server(), Log::default());
    let a = Replica::start(&server, &log, "a", Duration::from_secs(3_600));
    until_at_work(&log, "a").await;
    a.shutdown.cancel();
    let start = Instant::now();
    assert!(matches!(a.task.await.unwrap(), Ok(None)));
    assert_eq!(start.elapsed().as_secs(), Options::default().shutdown_grace.as_secs());
    assert_eq!(holder(&server), "");
}

#[tokio::test(start_paused = true)]
async fn times_in_a_lease_are_not_believed() {
    for renewed in ["1999-01-01T00:00:00.000000Z", "2999-01-01T00:00:00.000000Z"] {
        let (server, log) = (server(), Log::default());
        let lease = json!({
            "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
            "metadata": { "name": "arc" },
            "spec": { "holderIdentity": "gone", "leaseDurationSeconds": 15, "renewTime": renewed },
        });
        let collection = PATH.trim_end_matches("/arc");
        assert_eq!(server.call("POST", collection, &lease)["kind"], "Lease");
        let _a = start(&server, &log, "a");
        let took = until_at_work(&log, "a").await;
        assert!(took >= LEASE * 13 / 15 && took <= LEASE, "{renewed}: {took:?}");
        let _b = start(&server, &log, "b");
        sleep(LEASE * 4).await;
        assert_eq!(log.at_work(), ["a"]);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_allowed_is_said_instead_of_tried_for_ever() {
    let (server, log) = (server(), Log::default());
    let a = start(&server, &log, "a");
    server.inject(Fault::new(
        Matching::of(Verb::Get, "leases"),
        Times::Always,
        Effect::Answer { code: 403, reason: "Forbidden" },
    ));
    let error = a.task.await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "failed to get lease \"arc\" in namespace \"default\"");
}

/// A small generator, so that a failing seed can be run again.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

fn trouble(dice: &mut Dice) -> Effect {
    match dice.roll(6) {
        0 => Effect::Close,
        1 => Effect::CloseAfter,
        2 => Effect::Conflict,
        3 => Effect::Answer { code: 503, reason: "ServiceUnavailable" },
        4 => Effect::AnswerAfter { code: 500, reason: "InternalError" },
        _ => Effect::Delay(Duration::from_millis(dice.roll(20_000))),
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_goes_wrong_never_two_work_and_in_the_end_one_does() {
    for seed in 0..120 {
        let (server, log, mut dice) = (server(), Log::default(), Dice(seed));
        let mut replicas: Vec<Replica> =
            ["a", "b", "c"].iter().map(|who| start(&server, &log, who)).collect();
        for _ in 0..20 {
            sleep(Duration::from_millis(dice.roll(9_000))).await;
            let index = usize::try_from(dice.roll(3)).unwrap();
            let who = ["a", "b", "c"][index];
            match dice.roll(5) {
                0 => {
                    replicas[index].task.abort();
                    replicas[index] = start(&server, &log, who);
                }
                1 => server.clear_faults(),
                _ => {
                    let times = match dice.roll(3) {
                        0 => Times::Always,
                        1 => Times::Every(2),
                        _ => Times::First(3),
                    };
                    server.inject(Fault::new(Matching::any().by(who), times, trouble(&mut dice)));
                }
            }
            log.assert_never_two();
        }
        server.clear_faults();
        sleep(LEASE * 4).await;
        assert_eq!(log.at_work().len(), 1, "seed {seed}");
        log.assert_never_two();
        for replica in replicas {
            replica.task.abort();
        }
    }
}
