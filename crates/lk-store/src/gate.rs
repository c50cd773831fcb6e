//! The fair write gate of SQLite.
//!
//! SQLite lets one connection write at a time and makes the others poll, which starves whoever
//! sleeps longest. All writers of this process (the journal's thread, configuration writes, the
//! checkpointer, retention) therefore queue here first. It is a `tokio::sync::Semaphore` with one
//! permit: first come, first served, usable from tasks and, because its future needs no runtime,
//! from plain threads. Other processes are met by SQLite's own lock and `busy_timeout`.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A first-come-first-served lock that tasks and threads share.
#[derive(Debug, Clone)]
pub struct WriteGate {
    semaphore: Arc<Semaphore>,
}

/// The right to write until it is dropped.
#[derive(Debug)]
#[must_use = "the turn ends when this is dropped"]
pub struct WriteTurn {
    _permit: Option<OwnedSemaphorePermit>,
}

impl WriteGate {
    /// A gate with nobody in it.
    pub fn new() -> Self {
        Self {
            semaphore: Arc::new(Semaphore::new(1)),
        }
    }

    /// Waits for the turn, from a task.
    pub async fn acquire(&self) -> WriteTurn {
        // The semaphore is never closed; were it, writing without a turn is still correct (SQLite
        // has its own lock), only less fair.
        WriteTurn {
            _permit: Arc::clone(&self.semaphore).acquire_owned().await.ok(),
        }
    }

    /// Waits for the turn, from a thread that runs no tasks. Blocks it.
    pub fn acquire_blocking(&self) -> WriteTurn {
        block_on(self.acquire())
    }

    /// Takes the turn if nobody has it and nobody waits.
    pub fn try_acquire(&self) -> Option<WriteTurn> {
        let permit = Arc::clone(&self.semaphore).try_acquire_owned().ok()?;
        Some(WriteTurn { _permit: Some(permit) })
    }
}

impl Default for WriteGate {
    fn default() -> Self {
        Self::new()
    }
}

/// Wakes a parked thread.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Runs a future that needs no runtime to its end on this thread.
fn block_on<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn turns_come_in_the_order_of_asking_across_tasks_and_threads() {
        let gate = WriteGate::new();
        let first = gate.acquire().await;
        assert!(gate.try_acquire().is_none());
        let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
        let mut threads = Vec::new();
        for n in 0..8 {
            let (gate, sender) = (gate.clone(), sender.clone());
            let (asked, is_asked) = std::sync::mpsc::channel();
            threads.push(std::thread::spawn(move || {
                let mut waiting = Box::pin(gate.acquire());
                let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
                let pending = waiting.as_mut().poll(&mut Context::from_waker(&waker)).is_pending();
                asked.send(pending).expect("the test listens");
                let _turn = block_on(waiting);
                sender.send(n).expect("the test listens");
            }));
            assert!(is_asked.recv().expect("the thread asks"), "the gate is held");
        }
        drop(first);
        for expected in 0..8 {
            assert_eq!(receiver.recv().await, Some(expected));
        }
        for thread in threads {
            thread.join().expect("no panic");
        }
        assert!(gate.try_acquire().is_some());
    }
}
