//! What a store does, checked on SQLite and on PostgreSQL by the same cases.
//!
//! PostgreSQL is the one at `TEST_POSTGRES_URL` (default `postgres://postgres@127.0.0.1:5432/postgres`);
//! every case makes a database of its own there and drops it. Without a server the cases fail.

mod audit;
mod connections;
mod events;
mod feedback;
mod harness;
mod history;
mod identities;
mod inspect;
mod integrations;
mod journal;
mod opening;
mod people;
mod problems;
mod projects;
mod reseal;
mod retention;
mod totp;
mod webhooks;

/// Runs each case once on each database.
macro_rules! on_both {
    ($($family:ident :: $case:ident,)+) => {
        mod sqlite {
            $(#[test] fn $case() { crate::harness::on_sqlite(|db| Box::pin(crate::$family::$case(db))); })+
        }
        mod postgres {
            $(#[test] fn $case() { crate::harness::on_postgres(|db| Box::pin(crate::$family::$case(db))); })+
        }
    };
}

on_both! {
    opening::opening_twice_changes_nothing,
    opening::many_opening_a_new_database_at_once,
    opening::a_newer_schema_is_refused_in_a_sentence,
    opening::a_reader_does_not_hold_the_log,
    opening::every_write_leaves_an_audit_row,
    opening::what_is_watched_moves_the_generation_and_people_do_not,
    opening::a_permit_opens_only_its_own_doors,
    opening::writers_from_everywhere_all_get_through,
    inspect::a_look_reads_and_writes_nothing,
    inspect::whose_tables_they_are_is_told,
    people::the_first_owner_comes_once_through_the_link,
    people::users_and_members,
    people::owners_are_for_owners_and_the_last_one_stays,
    people::sessions_end,
    people::keys_work_until_revoked_or_expired,
    people::sessions_are_listed_proven_and_ended_one_by_one,
    people::a_reset_link_sets_one_password_once,
    people::the_last_operator_stays,
    projects::changed_by_one_at_a_time,
    projects::a_permit_of_one_project_writes_in_no_other,
    projects::a_deleted_one_is_gone_and_its_slug_free,
    projects::invitations_are_used_once_in_time_by_whom_they_are_for,
    projects::a_member_who_accepts_keeps_the_higher_role,
    totp::a_step_and_a_recovery_code_count_once,
    audit::a_whole_log_is_whole,
    audit::a_failed_write_leaves_no_gap,
    audit::each_edited_field_shows,
    audit::missing_rows_show_wherever_they_were,
    audit::the_chain_cannot_be_made_to_begin_later,
    audit::rows_put_in_beside_the_chain_show,
    audit::filters_find_their_rows,
    people::of_two_owners_who_leave_at_once_one_stays,
    people::of_many_changes_of_one_version_one_is_made,
    people::a_session_begins_only_with_what_still_holds,
    projects::what_a_removed_admin_made_goes_with_them,
    identities::an_identity_belongs_to_one_person,
    identities::a_person_is_added_with_their_identity,
    integrations::from_creation_to_deletion,
    integrations::credentials_come_and_go,
    integrations::a_stale_version_changes_nothing_and_shows_the_row,
    integrations::the_short_address_stays_with_the_first,
    integrations::the_demo_comes_and_goes,
    connections::a_refresh_is_one_owners_and_its_result_is_fenced,
    connections::an_open_intent_allows_one_more_try,
    connections::a_consent_comes_first_and_is_for_the_same_account,
    connections::a_flow_is_used_once_in_its_session_and_in_time,
    connections::tokens_are_sealed_anew_and_go_with_the_integration,
    connections::what_needs_no_consent_begins_anew_with_other_settings,
    webhooks::of_two_first_handshakes_one_is_believed,
    webhooks::secrets_rotate_without_a_gap,
    webhooks::nothing_secret_lies_in_the_clear,
    webhooks::rejections_are_counted,
    reseal::every_kind_is_sealed_anew_and_opens,
    reseal::a_concurrent_change_is_never_overwritten,
    reseal::what_does_not_open_is_told_and_left,
    reseal::many_rows_go_in_small_steps,
    reseal::a_new_key_file_is_noticed_with_the_generation,
    reseal::nothing_sealed_is_readable_in_the_files,
    events::each_filter_finds_its_events,
    events::rows_carry_the_names_people_know,
    events::pages_join_without_gap_or_overlap,
    events::a_page_says_how_far_it_looked,
    events::times_are_found_without_an_index,
    events::projects_do_not_mix,
    events::one_event_with_its_payload_and_its_like,
    events::the_tail_sees_all_in_order,
    problems::listed_and_counted,
    problems::changed_by_people,
    feedback::counts_once_and_pins,
    feedback::only_events_of_the_project,
    history::results_are_read_as_they_were_written,
    history::hours_and_months_are_summed_up_once,
    history::old_results_go_and_deleted_integrations_take_theirs,
    history::shards_are_shared_and_taken_over,
    history::one_incident_of_a_provider_is_open_at_a_time,
    retention::events_go_oldest_first_in_small_steps,
    retention::keys_sessions_and_links_expire,
    retention::a_deleted_integration_leaves_nothing,
    journal::a_batch_is_loaded_again_as_it_was_written,
    journal::what_is_abandoned_or_fails_leaves_nothing,
    journal::delivery_keys_are_seen_for_a_week,
    journal::an_effect_is_tried_until_it_is_done,
    journal::a_tail_misses_nothing_of_two_writers,
    journal::a_configuration_change_is_noticed,
}
