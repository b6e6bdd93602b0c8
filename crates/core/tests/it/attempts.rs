//! Stories of one delivery, from the first attempt to the last.

use arc_api::argo::{self, CronCondition, CronWorkflowStatus, NodeStatus, NodeType};
use arc_api::{ArtifactWorkflow, Phase, labels};
use arc_core::attempt::{Actions, Note, rival};
use kube::ResourceExt;
use proptest::prelude::*;

use crate::world::{BEGIN, NAME, World, time};

const SUCCEEDED: argo::Phase = argo::Phase::Succeeded;
const FAILED: argo::Phase = argo::Phase::Failed;

fn summary(phase: Phase, reason: &str, attempt: u32) -> (Phase, String, u32) {
    (phase, reason.to_owned(), attempt)
}

#[test]
fn an_undisturbed_delivery_costs_one_workflow_and_two_statuses_and_no_note() {
    let mut world = World::new();
    let actions = world.pass();
    let workflow = actions.create.expect("the first attempt");
    assert_eq!(workflow.name_any(), NAME);
    let annotations = workflow.annotations();
    assert_eq!(annotations[labels::ATTEMPT], "1");
    assert_eq!(annotations[labels::SUBMITTED_AT], BEGIN.to_string());
    assert_eq!(annotations[labels::CREDENTIALS].len(), 16);
    assert_eq!(workflow.metadata.owner_references.unwrap()[0].uid, "delivery");
    assert_eq!(world.summary(), summary(Phase::Running, "Running", 1));
    world.assert_quiet("handed over");

    // Argo takes it over and goes on step by step.
    let running = world.workflows.get_mut(NAME).unwrap();
    for phase in [argo::Phase::Pending, argo::Phase::Running] {
        running.status = Some(argo::WorkflowStatus { phase, ..argo::WorkflowStatus::default() });
    }
    world.now += 5;
    world.assert_quiet("under way");

    world.end(SUCCEEDED);
    world.pass();
    world.assert_quiet("ended");
    assert_eq!(world.summary(), summary(Phase::Succeeded, "Succeeded", 1));
    assert_eq!((world.writes, world.notes.len(), world.logs.len()), (2, 0, 0));
    let status = world.status();
    assert_eq!((status.steps.len(), status.log, status.history.len()), (1, None, 0));
    assert_eq!(status.submitted_at, Some(time(BEGIN)));
    assert_eq!(status.observed_generation, Some(1));
}

#[test]
fn a_failure_says_which_step_and_what_it_wrote() {
    let mut world = World::run_to(FAILED);
    let status = world.status();
    assert_eq!(
        status.message.as_deref(),
        Some(
            "step \"scan\" ended with exit code 1: failed, a retry may help; no answer from harbor.example; \
             password=[redacted]"
        )
    );
    assert_eq!(
        status.log.as_deref(),
        Some("connecting\nerror: no answer from harbor.example; password=[redacted]")
    );
    assert_eq!(world.logs, [format!("{NAME}/{NAME}/scan")]);
    assert_eq!(world.notes, ["StepFailed"]);
    let ready = &status.conditions[0];
    assert_eq!(
        (ready.type_.as_str(), ready.status.as_str(), ready.reason.as_str()),
        ("Ready", "False", "StepFailed")
    );
    // Neither the log nor the status is asked for or written again.
    world.now += 60;
    world.assert_quiet("after a minute");
}

#[test]
fn an_image_that_cannot_be_pulled_is_written_once() {
    let mut world = World::new();
    world.pass();
    for message in ["ErrImagePull: no such host", "ImagePullBackOff: Back-off", "ErrImagePull: no"]
    {
        let node = NodeStatus {
            type_: NodeType::Pod,
            phase: argo::Phase::Pending,
            message: message.to_owned(),
            ..NodeStatus::default()
        };
        let nodes = [("a".to_owned(), node)].into();
        let phase = argo::Phase::Running;
        world.workflows.get_mut(NAME).unwrap().status =
            Some(argo::WorkflowStatus { phase, nodes, ..argo::WorkflowStatus::default() });
        world.pass();
        world.assert_quiet(message);
    }
    assert_eq!(world.summary(), summary(Phase::Running, "ImagePullFailed", 1));
    assert_eq!(world.status().message.as_deref(), Some("ErrImagePull: no such host"));
    assert_eq!(world.writes, 2);
}

#[test]
fn workflows_go_when_their_time_is_over_and_their_end_is_in_the_store() {
    for (phase, own, seconds) in [
        (SUCCEEDED, None, 600),
        (FAILED, None, 24 * 3600),
        (SUCCEEDED, Some("1h"), 3600),
        (FAILED, Some("5m"), 300),
        (SUCCEEDED, Some("0"), 60),
    ] {
        let mut world = World::new();
        world.delivery.spec.ttl_after_finished = own.map(str::to_owned);
        world.delivery.spec.ttl_after_failed = own.map(str::to_owned);
        world.pass();
        world.end(phase);
        let ended = world.now;
        world.now += seconds;
        // Its time is over, and yet it stays until the store has the status.
        assert_eq!(world.pass().delete, Vec::<String>::new());
        world.now -= 1;
        assert_eq!(
            world.ask(None, None).look_again,
            Some(time(ended + seconds).0),
            "{phase} {own:?}"
        );
        world.now += 1;
        let recorded = world.status();
        assert_eq!(world.pass().delete, [NAME]);
        world.assert_quiet("deleted");
        assert_eq!(world.status(), recorded);
    }
}

#[test]
fn a_workflow_that_vanishes_is_confirmed_reported_and_replaced_three_times() {
    let mut world = World::new();
    world.pass();
    for attempt in 2..=4 {
        world.now += 100;
        world.workflows.clear();
        // The store may lag, so nothing happens before the API server was asked.
        let asked = world.ask(None, None);
        assert_eq!(asked.confirm_gone.as_deref(), world.status().workflow.as_deref());
        assert_eq!((asked.create, asked.status), (None, world.status()));
        world.pass();
        world.assert_quiet("replaced");
        assert_eq!(world.summary(), summary(Phase::Running, "Running", attempt));
    }
    assert_eq!(
        world.made,
        [NAME, &format!("{NAME}-2"), &format!("{NAME}-3"), &format!("{NAME}-4")]
    );
    world.workflows.clear();
    world.pass();
    world.assert_quiet("given up");
    assert_eq!(world.summary(), summary(Phase::Failed, "WorkflowNotFound", 4));
    assert_eq!(
        world.notes,
        ["WorkflowReplaced", "WorkflowReplaced", "WorkflowReplaced", "WorkflowNotFound"]
    );
    // A human may begin again, with three more.
    world.now += 10;
    world.annotate(labels::RETRY_FAILED, world.now);
    world.pass();
    world.workflows.clear();
    world.pass();
    assert_eq!(world.summary(), summary(Phase::Running, "Running", 6));
}

#[test]
fn what_vanishes_while_it_is_to_be_stopped_or_held_is_not_replaced() {
    let mut world = World::new();
    world.pass();
    world.annotate_order(labels::STOP_AT, BEGIN);
    world.workflows.clear();
    world.pass();
    world.assert_quiet("stopped");
    assert_eq!(world.summary(), summary(Phase::Failed, "Stopped", 1));

    let mut world = World::new();
    world.pass();
    world.order().spec.suspend = true;
    world.workflows.clear();
    world.pass();
    world.assert_quiet("held");
    assert_eq!(world.summary(), summary(Phase::Suspended, "Suspended", 1));
    assert_eq!(world.status().history.len(), 1);
    world.order().spec.suspend = false;
    world.pass();
    world.assert_quiet("released");
    assert_eq!(world.summary(), summary(Phase::Running, "Running", 2));
    assert_eq!(world.status().history.len(), 1);

    // An order that is deleted takes everything with it; nobody is told.
    let mut world = World::new();
    world.pass();
    world.workflows.clear();
    world.order().metadata.deletion_timestamp = Some(time(world.now));
    world.assert_quiet("going");
    world.order = None;
    world.assert_quiet("gone");
}

#[test]
fn a_controller_that_dies_between_two_writes_loses_nothing_and_does_nothing_twice() {
    let mut world = World::new();
    let actions = world.decide();
    world.carry_out(&actions, 1);
    assert_eq!(world.status(), arc_api::ArtifactWorkflowStatus::default());
    world.now += 30;
    world.pass();
    world.assert_quiet("the workflow was found");
    assert_eq!(world.made, [NAME]);
    // What the workflow carries is enough to know when and with what it was submitted.
    assert_eq!(world.status().submitted_at, Some(time(BEGIN)));
    assert!(world.status().credentials.is_some());

    // The same with a forced attempt: the moment is not taken for a wish that is still open.
    world.end(SUCCEEDED);
    world.pass();
    world.annotate(labels::FORCE_AT, world.now);
    let actions = world.decide();
    world.carry_out(&actions, 1);
    // The API server's clock is behind.
    world.workflows.get_mut(&format!("{NAME}-2")).unwrap().metadata.creation_timestamp =
        Some(time(BEGIN));
    world.pass();
    world.end(SUCCEEDED);
    world.pass();
    world.assert_quiet("forced once");
    assert_eq!(world.made.len(), 2);
    assert_eq!(world.status().history.len(), 1);
}

#[test]
fn earlier_attempts_stay_in_the_history_up_to_ten() {
    let mut world = World::run_to(FAILED);
    for _ in 0..12 {
        world.annotate(labels::RETRY_FAILED, world.now);
        world.pass();
        world.now += 10;
        world.end(FAILED);
        world.pass();
        world.now += 10;
    }
    let status = world.status();
    assert_eq!(status.attempt, 13);
    let attempts: Vec<u32> = status.history.iter().map(|one| one.attempt).collect();
    assert_eq!(attempts, (3..=12).collect::<Vec<_>>());
    let last = status.history.last().unwrap();
    assert_eq!(last.workflow.as_deref(), Some(format!("{NAME}-12").as_str()));
    assert_eq!((last.phase, last.reason.as_deref()), (Some(Phase::Failed), Some("StepFailed")));
    assert!(last.started_at.is_some() && last.completed_at.is_some());
}

#[test]
fn a_delivery_waits_for_another_of_the_same_thing_and_says_so() {
    let mut world = World::new();
    world.rival = Some("other-0");
    world.pass();
    world.assert_quiet("waits");
    assert_eq!(world.summary(), summary(Phase::Pending, "SameDeliveryRunning", 0));
    let message =
        "waits for artifact workflow \"other-0\", which brings the same thing to the same place";
    assert_eq!(world.status().message.as_deref(), Some(message));
    world.rival = None;
    world.now += 10;
    world.pass();
    assert_eq!(world.summary(), summary(Phase::Running, "Running", 1));
    assert_eq!(world.notes, ["SameDeliveryRunning", "Released"]);
}

#[test]
fn a_namespace_that_is_no_tenant_holds_what_has_not_begun_and_what_has_a_schedule() {
    for mut world in [World::new(), World::scheduled()] {
        world.is_forbidden = true;
        let status = world.ask(None, None).status;
        assert_eq!(status.phase, Some(Phase::Pending));
        assert_eq!(status.reason.as_deref(), Some("NotATenant"));
        let message = "ARC may not start workflows in namespace \"team-a\", which is no tenant; add it to `tenants` of \
                       the installation, and this begins";
        assert_eq!(status.message.as_deref(), Some(message));
        assert_eq!(status.conditions[0].status, "False");
        assert_eq!((status.attempt, status.workflow), (0, None), "nothing was begun");
    }
}

#[test]
fn a_success_stays_one_when_its_namespace_is_a_tenant_no_longer() {
    let mut world = World::run_to(argo::Phase::Succeeded);
    let before = world.status();
    assert_eq!(before.phase, Some(Phase::Succeeded));
    world.now += 10;
    world.is_forbidden = true;
    world.annotate_order(labels::FORCE_AT, world.now);
    let actions = world.ask(None, None);
    assert_eq!((actions.status, actions.create, actions.notes), (before, None, Vec::new()));
}

#[test]
fn a_secret_that_is_missing_holds_the_first_attempt_and_every_retry() {
    let mut world = World::new();
    world.secrets.clear();
    world.pass();
    world.assert_quiet("held");
    assert_eq!(world.summary(), summary(Phase::Pending, "SecretNotFound", 0));
    let message =
        "secret \"quay\" does not exist in namespace \"team-a\"; create it, and this begins";
    assert_eq!(world.status().message.as_deref(), Some(message));

    let mut world = World::run_to(FAILED);
    world.secrets.clear();
    world.annotate(labels::FORCE_AT, world.now);
    world.assert_quiet("a failure stays what it is");
    world.secrets.insert("quay".to_owned(), "2".to_owned());
    assert!(world.pass().create.is_some());
}

#[test]
fn workflows_of_an_earlier_object_of_the_name_are_none_of_ours() {
    let mut world = World::new();
    world.pass();
    world.end(SUCCEEDED);
    let mut again = World::new();
    again.delivery.metadata.uid = Some("another".to_owned());
    again.workflows = world.workflows;
    assert_eq!(again.ask(None, None).create.map(|one| one.name_any()).as_deref(), Some(NAME));
}

#[test]
fn a_stop_in_the_second_of_a_start_lets_it_begin_a_second_later() {
    let mut world = World::new();
    world.annotate_order(labels::STOP_AT, world.now);
    world.pass();
    world.assert_quiet("held for a second");
    assert_eq!(world.ask(None, None).look_again, Some(time(BEGIN + 1).0));
    world.now += 1;
    assert!(world.pass().create.is_some());
    world.assert_quiet("begun");
}

// Schedules.

#[test]
fn a_schedule_becomes_a_cron_workflow_and_says_when_it_runs() {
    let mut world = World::scheduled();
    let applied = world.pass().cron_workflow.expect("a schedule");
    world.assert_quiet("applied");
    assert_eq!(applied.name_any(), NAME);
    let spec = &applied.spec;
    assert_eq!(
        (spec.schedules.as_slice(), spec.concurrency_policy.as_deref(), spec.suspend),
        (["0 3 * * *".to_owned()].as_slice(), Some("Forbid"), false)
    );
    assert_eq!(world.summary(), summary(Phase::Pending, "Scheduled", 0));
    let message = "waits for its first run at 2027-01-16T03:00:00Z";
    assert_eq!(world.status().message.as_deref(), Some(message));
    assert_eq!(world.status().conditions[0].status, "Unknown");
    assert!(world.made.is_empty() && world.notes.is_empty());

    world.order().spec.suspend = true;
    assert!(world.pass().cron_workflow.expect("a change").spec.suspend);
    world.assert_quiet("suspended");
    assert_eq!(world.summary(), summary(Phase::Suspended, "Suspended", 0));
    world.order().spec.suspend = false;
    world.secrets.insert("quay".to_owned(), "2".to_owned());
    assert!(world.pass().cron_workflow.is_some(), "runs carry the versions they were started with");
    world.assert_quiet("rotated");
}

#[test]
fn runs_of_a_schedule_come_into_the_status_one_after_the_other() {
    let mut world = World::scheduled();
    world.pass();
    for run in 1..=4 {
        world.now += 86_400;
        world.begin_run();
        world.pass();
        world.assert_quiet("begun");
        assert_eq!(world.summary(), summary(Phase::Running, "Running", run));
        world.end(SUCCEEDED);
        world.pass();
        world.assert_quiet("ended");
        assert_eq!(world.summary(), summary(Phase::Succeeded, "Succeeded", run));
    }
    assert_eq!(world.status().history.len(), 3);
    assert!(world.made.is_empty() && world.notes.is_empty());
    // Two runs while nobody looked.
    for phase in [FAILED, SUCCEEDED] {
        world.now += 86_400;
        world.begin_run();
        world.end(phase);
    }
    world.settle();
    let status = world.status();
    let phases: Vec<_> = status.history.iter().map(|one| one.phase.unwrap()).collect();
    assert_eq!(
        phases,
        [Phase::Succeeded; 4].into_iter().chain([Phase::Failed]).collect::<Vec<_>>()
    );
    assert_eq!(world.summary(), summary(Phase::Succeeded, "Succeeded", 6));
    assert_eq!(world.logs, Vec::<String>::new());
    // Argo's own history limit deletes what it likes; nothing goes backwards.
    world.pass();
    world.workflows.clear();
    world.assert_quiet("all runs are gone");
}

#[test]
fn a_failed_run_may_be_repeated_before_its_time() {
    let mut world = World::scheduled();
    world.pass();
    world.now += 86_400;
    world.begin_run();
    world.end(FAILED);
    world.pass();
    assert_eq!(world.summary(), summary(Phase::Failed, "StepFailed", 1));
    world.now += 10;
    world.secrets.insert("quay".to_owned(), "2".to_owned());
    let extra = world.pass().create.expect("a retry with the new credentials");
    world.assert_quiet("retried");
    assert_eq!(extra.name_any(), format!("{NAME}-2"));
    world.end(SUCCEEDED);
    world.pass();
    assert_eq!(world.summary(), summary(Phase::Succeeded, "Succeeded", 2));
    world.now += 86_400;
    world.begin_run();
    world.pass();
    assert_eq!(world.summary(), summary(Phase::Running, "Running", 3));
    // A run that somebody deletes is not replaced: the schedule brings the next.
    world.workflows.clear();
    world.pass();
    world.assert_quiet("vanished");
    assert_eq!(world.summary(), summary(Phase::Error, "WorkflowNotFound", 3));
    assert_eq!(world.made.len(), 1);
}

#[test]
fn what_argo_says_against_a_schedule_is_shown() {
    let mut world = World::scheduled();
    world.pass();
    let condition = CronCondition {
        type_: "SubmissionError".to_owned(),
        status: "True".to_owned(),
        message: "no such template".to_owned(),
    };
    world.cron_workflow.as_mut().unwrap().status =
        Some(CronWorkflowStatus { conditions: vec![condition], ..CronWorkflowStatus::default() });
    world.pass();
    world.assert_quiet("shown");
    assert_eq!(world.summary(), summary(Phase::Pending, "WorkflowError", 0));
    let message = "Argo cannot run the schedule: no such template";
    assert_eq!(world.status().message.as_deref(), Some(message));
    assert_eq!(world.notes, ["WorkflowError"]);
}

// Rivals.

fn same(name: &str, second: i64, status: Option<(Phase, &str)>) -> ArtifactWorkflow {
    let mut one = World::new().delivery;
    one.metadata.name = Some(name.to_owned());
    one.metadata.uid = Some(name.to_owned());
    one.metadata.creation_timestamp = Some(time(second));
    one.labels_mut().insert(labels::DELIVERY.to_owned(), "same".to_owned());
    one.status = status.map(|(phase, reason)| arc_api::ArtifactWorkflowStatus {
        phase: Some(phase),
        reason: Some(reason.to_owned()),
        ..arc_api::ArtifactWorkflowStatus::default()
    });
    one
}

#[test]
fn the_oldest_goes_first_and_who_is_held_holds_up_nobody() {
    let own = same("b", 10, None);
    for (other, expected) in [
        (same("a", 5, None), Some("a")),
        (same("a", 10, None), Some("a")),
        (same("c", 10, None), None),
        (same("c", 20, None), None),
        (same("c", 20, Some((Phase::Running, "Running"))), Some("c")),
        (same("a", 5, Some((Phase::Running, "ImagePullFailed"))), Some("a")),
        (same("a", 5, Some((Phase::Pending, "SameDeliveryRunning"))), Some("a")),
        (same("a", 5, Some((Phase::Pending, "SecretNotFound"))), None),
        (same("a", 5, Some((Phase::Pending, "Scheduled"))), None),
        (same("a", 5, Some((Phase::Suspended, "Suspended"))), None),
        (same("a", 5, Some((Phase::Succeeded, "Succeeded"))), None),
        (same("a", 5, Some((Phase::Failed, "StepFailed"))), None),
    ] {
        assert_eq!(
            rival(&own, [&own, &other]),
            expected,
            "{:?} {:?}",
            other.name_any(),
            other.status
        );
    }
    let mut elsewhere = same("a", 5, None);
    elsewhere.metadata.namespace = Some("team-b".to_owned());
    assert_eq!(rival(&own, [&elsewhere]), None);
    let unlabelled = World::new().delivery;
    assert_eq!(rival(&unlabelled, [&unlabelled]), None);
}

// What holds for any sequence of events.

/// Something that happens to a delivery.
#[derive(Clone, Copy, Debug)]
enum Event {
    Pass,
    PassCutShort(usize),
    Succeed,
    Fail,
    Vanish,
    Rotate,
    Suspend(bool),
    Force(i64),
    Retry(i64),
    Stop(i64),
    Rival(bool),
    SecretGone,
    Run,
    Later(i64),
}

fn any_event() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => Just(Event::Pass),
        3 => (0..3_usize).prop_map(Event::PassCutShort),
        3 => Just(Event::Succeed),
        3 => Just(Event::Fail),
        1 => Just(Event::Vanish),
        1 => Just(Event::Rotate),
        1 => any::<bool>().prop_map(Event::Suspend),
        1 => (-100..100_i64).prop_map(Event::Force),
        1 => (-100..100_i64).prop_map(Event::Retry),
        1 => (-100..100_i64).prop_map(Event::Stop),
        1 => any::<bool>().prop_map(Event::Rival),
        1 => Just(Event::SecretGone),
        1 => Just(Event::Run),
        4 => prop_oneof![0..50_i64, 500..100_000_i64].prop_map(Event::Later),
    ]
}

impl World {
    /// A pass, and the deletions that may follow once its status is in the store; then there is nothing more to do.
    fn settle(&mut self) {
        let before = self.status();
        self.pass();
        if self.status() != before {
            let actions = self.decide();
            let only = Actions {
                delete: actions.delete.clone(),
                status: self.status(),
                look_again: actions.look_again,
                ..Actions::default()
            };
            assert_eq!(actions, only, "only deletions follow");
            self.carry_out(&actions, usize::MAX);
        }
        self.assert_quiet("settled");
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Pass => self.settle(),
            Event::PassCutShort(writes) => {
                let actions = self.decide();
                self.carry_out(&actions, writes);
            }
            Event::Succeed => self.end(SUCCEEDED),
            Event::Fail => self.end(FAILED),
            Event::Vanish => self.workflows.retain(|_, one| crate::world::has_ended(one)),
            Event::Rotate => {
                let version = self.now.to_string();
                self.secrets.insert("quay".to_owned(), version);
            }
            Event::Suspend(suspend) => self.order().spec.suspend = suspend,
            Event::Force(second) => self.annotate_order(labels::FORCE_AT, self.now + second),
            Event::Retry(second) => self.annotate(labels::RETRY_FAILED, self.now + second),
            Event::Stop(second) => self.annotate(labels::STOP_AT, self.now + second),
            Event::Rival(is_there) => self.rival = is_there.then_some("other"),
            Event::SecretGone => self.secrets.clear(),
            Event::Run => {
                let suspended = self.cron_workflow.as_ref().is_none_or(|cron| cron.spec.suspend);
                if !suspended && self.under_way().is_empty() {
                    self.begin_run();
                }
            }
            Event::Later(seconds) => self.now += seconds,
        }
    }

    /// Tells whether these actions make an attempt after one that succeeded, although nobody forced another.
    fn repeats(&self, actions: &Actions) -> bool {
        let force = self.order.as_ref().and_then(|order| order.annotations().get(labels::FORCE_AT));
        let last = actions.status.history.last().and_then(|last| last.phase);
        actions.create.is_some() && last == Some(Phase::Succeeded) && force.is_none()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// `World::make` fails at a second unfinished attempt, `assert_quiet` at a second pass that asks for something.
    #[test]
    fn no_sequence_of_events_makes_two_attempts_at_once_or_repeats_a_success(
        events in prop::collection::vec(any_event(), 1..60), scheduled in any::<bool>(),
    ) {
        let mut world = if scheduled { World::scheduled() } else { World::new() };
        for event in events {
            let actions = world.decide();
            prop_assert!(!world.repeats(&actions), "{event:?}");
            world.happen(event);
        }
        let status = world.status();
        prop_assert!(status.history.len() <= 10);
        let numbers: Vec<u32> = status.history.iter().map(|one| one.attempt).collect();
        prop_assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
        prop_assert!(numbers.last().is_none_or(|last| *last <= status.attempt));
        // Left alone, it comes to an end.
        world.order().spec.suspend = false;
        world.rival = None;
        world.secrets.insert("quay".to_owned(), "9".to_owned());
        for _ in 0..8 {
            world.now += 1000;
            world.settle();
            world.end(SUCCEEDED);
        }
        let (phase, reason, _) = world.summary();
        let is_at_rest = phase.is_terminal() || scheduled && reason == "Scheduled";
        prop_assert!(is_at_rest, "{phase} {reason}");
    }
}

#[test]
fn notes_are_for_what_changed() {
    let mut world = World::new();
    world.secrets.clear();
    let actions = world.pass();
    let note = Note {
        reason: arc_api::Reason::SecretNotFound,
        message: world.status().message.unwrap(),
        is_warning: true,
    };
    assert_eq!(actions.notes, [note]);
}
