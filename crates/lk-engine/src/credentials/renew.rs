//! One renewal: look, take the lease, note the intent, call, store, tell. Whoever waits for it may
//! leave; it goes on.

use std::time::Duration;

use lk_core::Time;
use lk_core::credential::{EXPIRING_MS, KEEP_ALIVE_MS};
use lk_core::time::SECOND;
use lk_core::words::CredentialState;
use lk_provider::Secret;
use lk_store::{Begun, Connection, FailedRefresh, OpenConnection, StoreError};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::{CredentialTrouble, Credentials, Kept, MOVED, Opened, Subject};
use crate::crash;

/// How long one waits for a renewal that another process is at.
const OTHERS_WITHIN: Duration = Duration::from_secs(15);
/// Between two looks at it.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// A token that is younger than this is not renewed because it was refused: it would not help.
const YOUNG_MS: i64 = 10 * SECOND;

/// What somebody needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// A token that can be used.
    Usable,
    /// Another token than this one, which was refused.
    Other(i64),
    /// Nothing now: it is looked after.
    Upkeep,
}

/// What is to be done with a connection as it is.
enum Next {
    /// Use this token.
    Use(Opened),
    /// There is none to use.
    Stop(CredentialTrouble),
    /// Fetch one, with the refresh token where there is one.
    Call(Option<Secret>),
    /// Note where it stands by now, and look again.
    Mark(FailedRefresh),
}

impl Credentials {
    /// Gives what is wanted, one caller at a time for each integration.
    pub(super) async fn renew(&self, subject: Subject, wanted: Wanted) -> Result<Opened, CredentialTrouble> {
        let Some(renewer) = &self.0.renewer else {
            return self.look(&subject).await;
        };
        let (reply, answer) = oneshot::channel();
        let this = self.clone();
        // Not the caller's to cancel: between the call and the storing lies the only copy of a token.
        renewer.tasks.spawn_short(async move {
            let turn = this.turn(subject.rid);
            let _mine = turn.lock().await;
            let given = this.renew_in_turn(&subject, wanted).await;
            // Nobody may be waiting any more.
            drop(reply.send(given));
        });
        answer.await.unwrap_or_else(|_| Err(away("it was interrupted")))
    }

    /// What there is, without renewing it.
    async fn look(&self, subject: &Subject) -> Result<Opened, CredentialTrouble> {
        let known = self
            .0
            .store
            .open_connection(&subject.id)
            .await
            .map_err(|e| unopened(&e))?;
        match self.next(subject, known.as_ref(), Wanted::Usable) {
            Next::Use(opened) => Ok(opened),
            Next::Stop(trouble) => Err(trouble),
            Next::Mark(failed) => Err(trouble_of(failed.state, &failed.reason, failed.message)),
            Next::Call(_) => match known.as_ref().and_then(|known| valid(known, self.now())) {
                Some(token) => Ok(opened_as(subject, known.as_ref(), token)),
                None => Err(away("its token has ended, and only a running server renews it")),
            },
        }
    }

    async fn renew_in_turn(&self, subject: &Subject, wanted: Wanted) -> Result<Opened, CredentialTrouble> {
        let began = Instant::now();
        let store = &self.0.store;
        if !subject.asks_a_person() {
            let made = store.ensure_connection(&subject.id, subject.kind.as_str(), &subject.home, self.now());
            made.await.map_err(|e| unopened(&e))?;
        }
        loop {
            let known = store.open_connection(&subject.id).await.map_err(|e| unopened(&e))?;
            let refresh = match self.next(subject, known.as_ref(), wanted) {
                Next::Use(opened) => return Ok(self.used(subject, known.as_ref(), opened)),
                Next::Stop(trouble) => {
                    self.forget(subject.rid);
                    return Err(trouble);
                }
                Next::Mark(failed) => {
                    self.mark(subject, known.as_ref(), failed).await?;
                    continue;
                }
                Next::Call(refresh) => refresh,
            };
            let Some(known) = known else {
                return Err(gone());
            };
            match self.take_lease(subject, &known.facts, refresh.as_ref()).await? {
                Begun::Fence { fence, again } => {
                    self.call(subject, &known.facts, (fence, again), refresh.as_ref())
                        .await?;
                    if wanted != Wanted::Usable {
                        return self.after_call(subject).await;
                    }
                }
                Begun::Held => match valid(&known, self.now()).filter(|_| wanted == Wanted::Usable) {
                    Some(token) => return Ok(opened_as(subject, Some(&known), token)),
                    None if began.elapsed() > OTHERS_WITHIN || wanted == Wanted::Upkeep => {
                        return Err(away("another process is renewing it"));
                    }
                    None => tokio::time::sleep(LOOK_EVERY).await,
                },
                Begun::Changed => {}
                Begun::Spent => self.mark(subject, Some(&known), unknown_outcome()).await?,
                Begun::Gone => return Err(gone()),
            }
        }
    }

    /// What there is after a renewal that was not for use alone; its failure is an answer as well.
    async fn after_call(&self, subject: &Subject) -> Result<Opened, CredentialTrouble> {
        let known = self
            .0
            .store
            .open_connection(&subject.id)
            .await
            .map_err(|e| unopened(&e))?;
        match self.next(subject, known.as_ref(), Wanted::Usable) {
            Next::Use(opened) => Ok(self.used(subject, known.as_ref(), opened)),
            Next::Stop(trouble) => Err(trouble),
            Next::Mark(_) | Next::Call(_) => Err(away("it could not be renewed yet")),
        }
    }

    async fn take_lease(
        &self,
        subject: &Subject,
        known: &Connection,
        refresh: Option<&Secret>,
    ) -> Result<Begun, CredentialTrouble> {
        crash::point("refresh.due");
        let owner = self.0.renewer.as_ref().map_or("", |renewer| renewer.owner.as_str());
        // What needs no refresh token can be asked for as often as one likes.
        let hash = refresh.map_or_else(
            || format!("{owner} {}", self.now().ms()).into_bytes(),
            |token| blake3::hash(token.expose().as_bytes()).as_bytes().to_vec(),
        );
        let begun = self
            .0
            .store
            .begin_refresh(&subject.id, known.version, owner, &hash, self.now());
        let begun = begun.await.map_err(|e| unopened(&e))?;
        if matches!(begun, Begun::Fence { .. }) {
            crash::point("refresh.begun");
        }
        Ok(begun)
    }

    /// Notes where a connection stands, and tells it when that is news.
    async fn mark(
        &self,
        subject: &Subject,
        known: Option<&OpenConnection>,
        failed: FailedRefresh,
    ) -> Result<(), CredentialTrouble> {
        let Some(known) = known else { return Err(gone()) };
        let (store, version) = (&self.0.store, known.facts.version);
        let marked = store.mark_connection(&subject.id, version, &failed, self.now());
        let marked = marked.await.map_err(|e| unopened(&e))?;
        if marked && known.facts.state != failed.state {
            self.tell(subject, failed.state, &failed.message).await;
        }
        Ok(())
    }

    /// Keeps the token that is used in memory.
    fn used(&self, subject: &Subject, known: Option<&OpenConnection>, opened: Opened) -> Opened {
        if let Some(known) = known
            && let Some(access) = &known.access
        {
            let facts = &known.facts;
            let ends = facts.expires_at.unwrap_or(self.now() + KEEP_ALIVE_MS);
            let token = Kept {
                token: Secret::new(access.expose()),
                home: subject.home.clone(),
                version: facts.version,
                missing: opened.missing.clone(),
                ends: opened.ends,
                only_a_person: opened.only_a_person,
                good_until: facts.refresh_at.unwrap_or(ends).min(ends),
            };
            self.keep(subject.rid, token);
        }
        opened
    }

    fn next(&self, subject: &Subject, known: Option<&OpenConnection>, wanted: Wanted) -> Next {
        let now = self.now();
        let Some(known) = known.filter(|known| known.facts.version > 0 || !subject.asks_a_person()) else {
            return Next::Stop(pending());
        };
        let facts = &known.facts;
        if facts.home != subject.home {
            return moved(facts);
        }
        let valid = valid(known, now);
        let renewable = !subject.asks_a_person() || known.refresh.is_some();
        let call = || Next::Call(known.refresh.as_ref().map(|token| Secret::new(token.expose())));
        match facts.state {
            CredentialState::NeedsReauth | CredentialState::Revoked => return Next::Stop(stored_trouble(facts)),
            CredentialState::Misconfigured => {
                let waits = facts.refresh_at.is_some_and(|at| now < at);
                let same = self.was_refused_with(subject);
                return if waits && same {
                    Next::Stop(stored_trouble(facts))
                } else {
                    call()
                };
            }
            _ => {}
        }
        if let (Wanted::Other(refused), Some(token)) = (wanted, &valid)
            && facts.version == refused
        {
            let young = facts.obtained_at.is_some_and(|at| now.since(at) < YOUNG_MS);
            return if renewable && !young {
                call()
            } else {
                Next::Use(opened_as(subject, Some(known), token.clone()))
            };
        }
        if !renewable {
            return of_limited_life(subject, known, valid, now);
        }
        let due = facts.refresh_at.is_none_or(|at| now >= at);
        match valid {
            // Of one that is switched off only the refresh token is kept alive.
            Some(token) if due && !subject.enabled && !idle(facts, now) => match wanted {
                Wanted::Upkeep => Next::Mark(asleep(facts)),
                _ => Next::Use(opened_as(subject, Some(known), token)),
            },
            Some(token) if !due => Next::Use(opened_as(subject, Some(known), token)),
            None if !due && wanted == Wanted::Upkeep => Next::Stop(away("its renewal is not due")),
            None if !due && facts.failures > 0 => Next::Stop(stored_transient(facts)),
            None if due && !subject.enabled && wanted == Wanted::Upkeep && !idle(facts, now) => {
                Next::Mark(asleep(facts))
            }
            _ => call(),
        }
    }
}

/// A token that nothing but a person renews: used until its end, told of some time before.
fn of_limited_life(subject: &Subject, known: &OpenConnection, valid: Option<Secret>, now: Time) -> Next {
    let facts = &known.facts;
    let Some(token) = valid else {
        return Next::Mark(FailedRefresh {
            state: CredentialState::NeedsReauth,
            reason: "credential_expired".to_owned(),
            message: "Its token has ended, and there is nothing to renew it with: connect it again.".to_owned(),
            retry_at: None,
            doubt: false,
        });
    };
    match facts.expires_at {
        Some(ends) if ends.since(now) < EXPIRING_MS && facts.state != CredentialState::Expiring => {
            Next::Mark(FailedRefresh {
                state: CredentialState::Expiring,
                reason: "credential_expiring".to_owned(),
                message: "Its token ends soon, and only connecting it again renews it.".to_owned(),
                retry_at: Some(ends),
                doubt: false,
            })
        }
        _ => Next::Use(opened_as(subject, Some(known), token)),
    }
}

/// The access token, while it has not ended.
fn valid(known: &OpenConnection, now: Time) -> Option<Secret> {
    let ended = known.facts.expires_at.is_some_and(|ends| now >= ends - SECOND);
    let token = known.access.as_ref().filter(|_| !ended)?;
    Some(Secret::new(token.expose()))
}

fn opened_as(subject: &Subject, known: Option<&OpenConnection>, token: Secret) -> Opened {
    let facts = known.map(|known| &known.facts);
    let limited = facts.filter(|facts| !facts.renewable && subject.asks_a_person());
    let mut opened = subject.opened(
        &token,
        facts.map_or(0, |facts| facts.version),
        facts.map(|facts| facts.missing.clone()).unwrap_or_default(),
        limited.and_then(|facts| facts.expires_at),
    );
    opened.only_a_person = limited.is_some();
    opened
}

/// Whether the refresh token was not used for so long that it is used for its own sake.
fn idle(facts: &Connection, now: Time) -> bool {
    facts.obtained_at.is_none_or(|at| now.since(at) >= KEEP_ALIVE_MS)
}

/// The next look at one that is switched off.
fn asleep(facts: &Connection) -> FailedRefresh {
    FailedRefresh {
        state: facts.state,
        reason: facts.reason.clone().unwrap_or_default(),
        message: facts.message.clone().unwrap_or_default(),
        retry_at: facts.obtained_at.map(|at| at + KEEP_ALIVE_MS),
        doubt: false,
    }
}

fn moved(facts: &Connection) -> Next {
    if facts.state == CredentialState::NeedsReauth {
        return Next::Stop(trouble_of(facts.state, "credential_moved", MOVED.to_owned()));
    }
    Next::Mark(FailedRefresh {
        state: CredentialState::NeedsReauth,
        reason: "credential_moved".to_owned(),
        message: MOVED.to_owned(),
        retry_at: None,
        doubt: false,
    })
}

/// The refresh token may have been used up by a call that nobody saw the end of.
pub(super) fn unknown_outcome() -> FailedRefresh {
    FailedRefresh {
        state: CredentialState::NeedsReauth,
        reason: "credential_unknown_outcome".to_owned(),
        message: "A renewal was interrupted and its result was lost: connect it again.".to_owned(),
        retry_at: None,
        doubt: true,
    }
}

fn pending() -> CredentialTrouble {
    CredentialTrouble {
        state: CredentialState::Pending,
        code: "credential_pending",
        message: "It is not connected yet: connect it.".to_owned(),
        transient: false,
    }
}

fn gone() -> CredentialTrouble {
    away("the integration is gone")
}

/// Nothing can be said of the credential now.
pub(super) fn away(why: &str) -> CredentialTrouble {
    CredentialTrouble {
        state: CredentialState::Active,
        code: "credential_unavailable",
        message: format!("Its credential is not available: {why}."),
        transient: true,
    }
}

fn unopened(error: &StoreError) -> CredentialTrouble {
    match error {
        StoreError::Seal(_) => CredentialTrouble {
            state: CredentialState::Misconfigured,
            code: "credential_unreadable",
            message: "The stored token cannot be opened with the master key in use.".to_owned(),
            transient: false,
        },
        error => {
            tracing::warn!(%error, "a credential cannot be read or stored");
            away("the database does not answer")
        }
    }
}

fn stored_trouble(facts: &Connection) -> CredentialTrouble {
    let message = facts.message.clone().unwrap_or_default();
    trouble_of(facts.state, facts.reason.as_deref().unwrap_or_default(), message)
}

fn stored_transient(facts: &Connection) -> CredentialTrouble {
    CredentialTrouble {
        state: facts.state,
        code: "credential_token_endpoint",
        message: facts.message.clone().unwrap_or_default(),
        transient: true,
    }
}

/// The trouble that a stored reason stands for.
pub(super) fn trouble_of(state: CredentialState, reason: &str, message: String) -> CredentialTrouble {
    let code = match (state, reason) {
        (_, "credential_unknown_outcome") => "credential_unknown_outcome",
        (_, "credential_moved") => "credential_moved",
        (_, "credential_expired") => "credential_expired",
        (_, "credential_key") => "credential_key",
        (CredentialState::Misconfigured, _) => "credential_misconfigured",
        (CredentialState::Revoked, _) => "credential_revoked",
        _ => "credential_needs_reauth",
    };
    CredentialTrouble {
        state,
        code,
        message,
        transient: false,
    }
}
