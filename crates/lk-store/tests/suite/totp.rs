//! Authenticators and recovery codes.

use lk_core::access::Verb;
use lk_store::{SecretText, StoreError};

use crate::harness::{NOW, TestDb, permit, permit_for};
use crate::people::add;

pub(crate) async fn a_step_and_a_recovery_code_count_once(db: &TestDb) {
    let (store, grace) = (&db.store, add(db, "grace@example.test").await);
    let own = permit_for(Verb::ManageAccount, &grace.id);
    assert!(store.authenticator(&grace.id).await.expect("reads").is_none());
    for secret in ["FIRSTSECRET", "SECONDSECRET"] {
        store
            .begin_authenticator(&own, &SecretText::new(secret), NOW)
            .await
            .expect("begins");
    }
    assert!(
        !store.use_totp_step(&grace.id, 100, 101).await.expect("asks"),
        "not confirmed yet"
    );
    store
        .confirm_authenticator(&own, 100, &[[1; 32], [2; 32]], NOW)
        .await
        .expect("confirms");
    let set_up = store.authenticator(&grace.id).await.expect("reads").expect("exists");
    assert_eq!(set_up.secret.expose(), "SECONDSECRET");
    assert_eq!(set_up.last_step, 100);
    let state = store.authenticator_state(&grace.id).await.expect("reads");
    assert_eq!(state, Some((NOW, 2)));
    let another = store.begin_authenticator(&own, &SecretText::new("THIRD"), NOW).await;
    assert!(matches!(another, Err(StoreError::Invalid(_))), "{another:?}");

    let step = async |step, latest| store.use_totp_step(&grace.id, step, latest).await.expect("asks");
    assert!(!step(100, 101).await, "the one that confirmed it");
    assert!(!step(99, 101).await && step(101, 102).await && !step(101, 102).await);
    // A clock that was an hour ahead left a step that lies in the future now.
    assert!(step(221, 222).await && step(102, 103).await && !step(102, 103).await);

    let code = async |hash: u8| {
        store
            .use_recovery_code(&grace.id, &[hash; 32], None, NOW)
            .await
            .expect("asks")
    };
    assert!(code(1).await && !code(1).await && !code(9).await);
    store
        .replace_recovery_codes(&own, &[[3; 32]], NOW)
        .await
        .expect("replaces");
    assert!(!code(2).await && code(3).await);
    store.remove_own_authenticator(&own, NOW).await.expect("removes");
    assert!(store.authenticator(&grace.id).await.expect("reads").is_none());
    let gone = store
        .remove_authenticator_of(&permit(Verb::ManageUsers), &grace.id, NOW)
        .await;
    assert!(matches!(gone, Err(StoreError::NotFound { .. })), "{gone:?}");
}
