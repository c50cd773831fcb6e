//! Which check is due when. The journal says after each commit, the scheduler takes.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use lk_core::Time;
use lk_core::observation::IntegrationRid;
use tokio::sync::Notify;

use crate::timers::Timers;

/// Integrations are leased to nodes by this many shards.
pub(crate) const SHARDS: i64 = 64;

/// The shard of an integration.
pub(crate) const fn shard(rid: IntegrationRid) -> u8 {
    (rid.0.rem_euclid(SHARDS)) as u8
}

#[derive(Default)]
struct Board {
    timers: Timers,
    shards: HashSet<u8>,
    /// What was taken and is not done, with the moment it was taken for and what was said since.
    under_way: HashMap<IntegrationRid, (Time, Option<Time>)>,
}

/// The due moments of the shards this node holds.
#[derive(Default)]
pub(crate) struct Due {
    board: Mutex<Board>,
    sooner: Notify,
}

impl Due {
    fn lock(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says when an integration is due next; `None` for never. Integrations of other nodes' shards
    /// are left to those.
    pub(crate) fn set(&self, rid: IntegrationRid, at: Option<Time>) {
        let mut board = self.lock();
        if !board.shards.contains(&shard(rid)) {
            return;
        }
        if let Some((taken, later)) = board.under_way.get_mut(&rid) {
            // Other observations repeat the moment that is being answered just now.
            if at.is_none_or(|at| at > *taken) {
                *later = at;
            }
            return;
        }
        self.place(board, rid, at);
    }

    /// Brings a moment forward; one that is sooner already stays.
    pub(crate) fn sooner_than(&self, rid: IntegrationRid, at: Time) {
        let board = self.lock();
        if board.timers.get(rid).is_some_and(|planned| planned > at) {
            self.place(board, rid, Some(at));
        }
    }

    /// What was taken is done: its next moment counts from now on, `otherwise` where none was said.
    pub(crate) fn done(&self, rid: IntegrationRid, otherwise: Option<Time>) {
        let mut board = self.lock();
        let later = board.under_way.remove(&rid).and_then(|(_, later)| later);
        let next = later.or(otherwise);
        if board.shards.contains(&shard(rid)) && next.is_some() {
            self.place(board, rid, next);
        }
    }

    fn place(&self, mut board: MutexGuard<'_, Board>, rid: IntegrationRid, at: Option<Time>) {
        let first = board.timers.next();
        board.timers.set(rid, at);
        let now_first = board.timers.next();
        drop(board);
        if now_first < first || first.is_none() {
            self.sooner.notify_one();
        }
    }

    /// Takes over the shards this node holds now. Whose shard is another node's is forgotten; the
    /// shards that are new here are returned, so that their moments can be read.
    pub(crate) fn hold(&self, shards: &HashSet<u8>) -> Vec<u8> {
        let mut board = self.lock();
        let mut new: Vec<u8> = shards.difference(&board.shards).copied().collect();
        new.sort_unstable();
        if board.shards.difference(shards).next().is_some() {
            board.timers.retain(|rid| shards.contains(&shard(rid)));
        }
        board.shards.clone_from(shards);
        new
    }

    /// Moves every moment as `moved` says.
    pub(crate) fn move_all(&self, moved: impl Fn(IntegrationRid, Time) -> Time) {
        let mut board = self.lock();
        let all = board.timers.all();
        for (rid, at) in all {
            board.timers.set(rid, Some(moved(rid, at)));
        }
        drop(board);
        self.sooner.notify_one();
    }

    /// Takes up to `most` whose moment has come, with the moment.
    pub(crate) fn take(&self, now: Time, most: usize) -> Vec<(IntegrationRid, Time)> {
        let mut board = self.lock();
        let taken = board.timers.due(now, most);
        board
            .under_way
            .extend(taken.iter().map(|(rid, at)| (*rid, (*at, None))));
        taken
    }

    /// The next moment, and how many are waited for.
    pub(crate) fn next(&self) -> (Option<Time>, usize) {
        let board = self.lock();
        (board.timers.next(), board.timers.len())
    }

    /// Returns when a moment was set that is sooner than all before.
    pub(crate) async fn sooner(&self) {
        self.sooner.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_held_shards_count_and_come_in_order() {
        let due = Due::default();
        let (one, other) = (IntegrationRid(1), IntegrationRid(2));
        due.set(one, Some(Time(5)));
        assert_eq!(due.next(), (None, 0));
        assert_eq!(due.hold(&HashSet::from([1, 2])), [1, 2]);
        due.set(one, Some(Time(5)));
        due.set(other, Some(Time(3)));
        due.set(IntegrationRid(66), Some(Time(4)));
        assert_eq!(due.next(), (Some(Time(3)), 3));
        assert_eq!(due.hold(&HashSet::from([1])), [] as [u8; 0]);
        assert_eq!(due.take(Time(9), 10), [(one, Time(5))]);
        // A webhook's commit repeats the old moment, the check's own brings the next.
        due.set(one, Some(Time(5)));
        assert_eq!(due.next(), (None, 0));
        due.set(one, Some(Time(20)));
        due.set(one, Some(Time(5)));
        due.set(one, Some(Time(20)));
        due.done(one, Some(Time(7)));
        assert_eq!(due.take(Time(30), 10), [(one, Time(20))]);
        due.done(one, Some(Time(40)));
        assert_eq!(due.next(), (Some(Time(40)), 1));
        due.set(one, None);
        assert_eq!(due.next(), (None, 0));
    }
}
