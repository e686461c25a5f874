//! One set of cases for every Kubernetes API server that tests rely on: the sandbox and the real control plane.
//!
//! A case is written once against a [`world::World`]; `contract!` makes a test of it for each server. Where the two
//! differ, the sandbox is wrong.

mod apply;
mod discovery;
mod objects;
mod same;
mod seam;
mod watch;
mod workloads;
mod world;

/// Makes two tests of each case: `sandbox::NAME` and `real::NAME`.
macro_rules! contract {
    ($($file:ident :: $case:ident),* $(,)?) => {
        mod sandbox {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                crate::$file::$case(&crate::world::World::sandbox(stringify!($case)).await).await;
            })*
        }
        mod real {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                crate::$file::$case(&crate::world::World::real(stringify!($case)).await).await;
            })*
        }
    };
}

contract![
    apply::apply_creates_with_201_and_owns_what_it_sets,
    apply::an_apply_that_changes_nothing_keeps_the_resource_version,
    apply::a_field_that_is_no_longer_applied_is_removed,
    apply::a_field_that_another_manager_holds_is_a_conflict,
    apply::force_takes_the_field,
    apply::an_update_takes_the_field_from_the_applier,
    apply::containers_and_env_merge_by_name,
    apply::a_shared_field_stays_until_its_last_owner_leaves,
    apply::an_unknown_field_is_refused,
    apply::dry_run_stores_nothing,
    apply::scale_has_its_own_entry,
    apply::an_applier_without_name_is_refused,
    discovery::aggregated_discovery_resolves_kinds,
    discovery::plain_discovery_resolves_kinds,
    objects::delete_preconditions_are_held,
    objects::a_stale_replace_is_refused,
    objects::finalizers_hold_an_object,
    objects::dependents_follow_their_owner,
    objects::an_ended_namespace_takes_its_contents,
    objects::selectors_narrow_lists,
    objects::refusals_have_codes_and_reasons,
    seam::the_seam_applies_watches_lists_and_deletes,
    seam::the_seam_names_what_is_refused,
    seam::the_seam_swaps_records,
    watch::a_metadata_list_carries_managed_fields,
    watch::a_watch_continues_from_a_list,
    watch::an_object_that_leaves_the_selector_is_deleted_for_the_watch,
    watch::a_watch_without_version_begins_with_what_is_there,
    watch::a_streaming_list_ends_with_a_bookmark,
    watch::a_watch_from_the_future_is_refused,
    workloads::generation_moves_with_the_spec,
    workloads::a_deployment_becomes_available,
    workloads::a_new_image_rolls_out,
];
