//! The stories that are told on every cluster: the API server in memory, and a real one where the machine has it.

use futures::future::LocalBoxFuture;

use crate::{harness::Cluster, held, lives, reruns, schedules};

/// A story.
type Story = for<'a> fn(&'a Cluster) -> LocalBoxFuture<'a, ()>;

macro_rules! stories {
    ($($module:ident :: $name:ident,)*) => {
        $(
            #[tokio::test(start_paused = true)]
            async fn $name() {
                $module::$name(&Cluster::fake()).await;
            }
        )*

        /// All of them, by name.
        pub(crate) const STORIES: &[(&str, Story)] =
            &[$((stringify!($name), |cluster| Box::pin($module::$name(cluster))),)*];
    };
}

stories! {
    held::what_is_missing_holds_one_artifact_and_releases_it_within_a_second,
    reruns::force_at_does_everything_once_more_and_only_once,
    reruns::one_artifact_can_be_forced_alone,
    reruns::retry_failed_does_once_more_what_failed_and_nothing_else,
    reruns::stop_at_ends_what_runs,
    reruns::a_rotated_credential_retries_a_failure_and_never_a_success,
    reruns::the_same_delivery_of_two_orders_runs_one_after_the_other,
    lives::a_suspended_order_begins_nothing_and_goes_on_when_it_is_let,
    lives::a_dry_run_reports_and_is_told_to_the_steps,
    lives::a_workflow_deleted_by_hand_is_reported_and_replaced,
    lives::what_an_order_no_longer_asks_for_is_stopped_or_kept_as_a_record,
    schedules::runs_of_a_schedule_are_the_status_and_its_history,
    schedules::a_suspended_order_suspends_its_schedules,
}
