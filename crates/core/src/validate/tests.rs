//! What the golden cases do not show: schedules, limits, and that no problem hides another.

use arc_api::{Cron, OrderDefaults, OrderSpec};

use super::*;

fn order(artifacts: Vec<OrderArtifact>) -> Order {
    Order::new("demo", OrderSpec { artifacts, ..OrderSpec::default() })
}

fn problems(order: &Order) -> Vec<String> {
    validate(order, &Fetched::default())
        .all_problems()
        .into_iter()
        .map(ToString::to_string)
        .collect()
}

fn cron(schedules: &[&str], enabled: Option<bool>) -> Cron {
    let schedules = schedules.iter().map(|schedule| (*schedule).to_owned()).collect();
    Cron { schedules, enabled, ..Cron::default() }
}

fn cron_of(own: Option<Cron>, default: Option<Cron>) -> (Option<Cron>, Vec<String>) {
    let mut order = order(vec![OrderArtifact { cron: own, ..OrderArtifact::default() }]);
    order.spec.defaults = Some(OrderDefaults { cron: default, ..OrderDefaults::default() });
    let path = "spec.artifacts[0]".to_owned();
    let fetched = Fetched::default();
    let schemas = spec::Schemas::default();
    let mut check = Check {
        order: &order,
        fetched: &fetched,
        schemas: &schemas,
        artifact: &order.spec.artifacts[0],
        path,
        problems: vec![],
    };
    let found = cron::resolve(&mut check);
    (found, check.problems.iter().map(ToString::to_string).collect())
}

#[test]
fn an_artifact_s_schedule_wins_and_may_switch_the_default_off() {
    let daily = || Some(cron(&["@daily"], None));
    let hourly = || Some(cron(&["@hourly"], None));
    assert_eq!(cron_of(None, None), (None, vec![]));
    assert_eq!(cron_of(None, daily()), (daily(), vec![]));
    assert_eq!(cron_of(hourly(), daily()), (hourly(), vec![]));
    assert_eq!(cron_of(Some(cron(&[], Some(false))), daily()), (None, vec![]));
}

#[test]
fn a_schedule_without_entries_or_with_an_expression_is_a_problem() {
    let (_, problems) = cron_of(None, Some(cron(&[], None)));
    assert_eq!(
        problems,
        ["spec.artifacts[0].cron: the schedule in spec.defaults.cron has no entry in `schedules`"]
    );
    let (_, problems) = cron_of(Some(cron(&["{{=1}}"], None)), None);
    assert_eq!(problems, ["spec.artifacts[0].cron.schedules[0]: Argo could evaluate \"{{=1}}\""]);
}

#[test]
fn an_empty_order_is_fine() {
    assert_eq!(validate(&order(vec![]), &Fetched::default()), ValidatedOrder::default());
}

#[test]
fn too_many_artifacts_are_one_problem_of_the_order() {
    let validated = validate(&order(vec![OrderArtifact::default(); 1001]), &Fetched::default());
    let messages: Vec<String> = validated.problems.iter().map(ToString::to_string).collect();
    assert_eq!(messages, ["spec.artifacts: 1001 artifacts; at most 1000 are allowed"]);
}

#[test]
fn one_artifact_reports_everything_that_is_wrong_with_it() {
    let artifact = OrderArtifact {
        name: Some("Bad".to_owned()),
        type_: "ocu".to_owned(),
        spec: serde_json::json!({"a": "$(A)", "": 1}).as_object().cloned(),
        ..OrderArtifact::default()
    };
    assert_eq!(
        problems(&order(vec![artifact])),
        [
            "spec.artifacts[0].dstRef: the artifact has no destination",
            "spec.artifacts[0].name: \"Bad\" is not a DNS label",
            "spec.artifacts[0].spec.a: the kubelet could evaluate \"$(A)\"",
            "spec.artifacts[0].spec[\"\"]: the key \"\" has no letters or digits",
            "spec.artifacts[0].srcRef: the artifact has no source",
            "spec.artifacts[0].type: \"ocu\" is not an artifact type; known types are none",
        ]
    );
}

#[test]
fn an_order_without_a_usable_name_is_refused_as_a_whole() {
    for (name, ok) in [("demo", true), ("a.b", true), ("", false), ("Demo", false), ("a b", false)]
    {
        let mut order = order(vec![]);
        order.metadata.name = Some(name.to_owned());
        assert_eq!(validate(&order, &Fetched::default()).problems.is_empty(), ok, "{name:?}");
    }
    let mut order = order(vec![]);
    order.metadata.uid = Some("{{workflow.uid}}".to_owned());
    assert_eq!(problems(&order), ["metadata.uid: Argo could evaluate \"{{workflow.uid}}\""]);
}

#[test]
fn a_schedule_is_read_as_argo_reads_it() {
    let problems = |cron: Cron| cron_of(Some(cron), None).1;
    let path = "spec.artifacts[0].cron";
    for (schedules, expected) in [
        (&["0 3 * * *", "@every 6h"][..], None),
        (
            &["0 3 * * *", "0 25 * * *"],
            Some(
                "schedules[1]: \"0 25 * * *\" cannot be read as a schedule: \"25\" is not a hour (0 to 23)",
            ),
        ),
        (
            &["*/5 * * * *"],
            Some(
                "schedules: two runs are only 5m apart; the shortest time that this installation allows is 10m",
            ),
        ),
        (
            &["@every 30s"],
            Some(
                "schedules: two runs are only 30s apart; the shortest time that this installation allows is 10m",
            ),
        ),
        (&["@daily"; 17], Some("schedules: 17 entries; at most 16 are allowed")),
    ] {
        let expected: Vec<String> = expected.iter().map(|text| format!("{path}.{text}")).collect();
        assert_eq!(problems(cron(schedules, None)), expected, "{schedules:?}");
    }
    let wrong = Cron {
        timezone: Some("europe/berlin".to_owned()),
        starting_deadline_seconds: Some(-1),
        when: Some("{{workflow.uid}}".to_owned()),
        ..cron(&["@daily"], None)
    };
    assert_eq!(
        problems(wrong),
        [
            "spec.artifacts[0].cron.timezone: \"europe/berlin\" is not a time zone",
            "spec.artifacts[0].cron.startingDeadlineSeconds: -1 seconds are not a time to be late",
            "spec.artifacts[0].cron.when: the condition cannot be taken: \"workflow.uid\" is not about the schedule",
        ]
    );
    let good = Cron {
        timezone: Some("Europe/Berlin".to_owned()),
        when: Some("{{= cronworkflow.failed < 3 }}".to_owned()),
        ..cron(&["@daily"], None)
    };
    assert_eq!(problems(good), Vec::<String>::new());
}

#[test]
fn a_laptop_has_no_shortest_interval() {
    let often =
        OrderArtifact { cron: Some(cron(&["* * * * *"], None)), ..OrderArtifact::default() };
    let count = |limits| {
        let fetched = Fetched { limits, ..Fetched::default() };
        let validated = validate(&order(vec![often.clone()]), &fetched);
        let of_schedule = |problem: &&&Problem| problem.reason == arc_api::Reason::InvalidSchedule;
        validated.all_problems().iter().filter(of_schedule).count()
    };
    assert_eq!((count(crate::Limits::default()), count(crate::Limits::NONE)), (1, 0));
}
