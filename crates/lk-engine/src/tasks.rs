//! Background tasks: started in one place, stopped together, and never silently dead.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

/// How long tasks may take to end after they were told to stop.
const STOP_WITHIN: Duration = Duration::from_secs(10);

/// The tasks of one engine.
#[derive(Debug, Clone)]
pub struct Tasks {
    running: Arc<Mutex<JoinSet<()>>>,
    short: Arc<Mutex<JoinSet<()>>>,
    stop: watch::Sender<bool>,
}

impl Default for Tasks {
    fn default() -> Self {
        Self {
            running: Arc::default(),
            short: Arc::default(),
            stop: watch::Sender::new(false),
        }
    }
}

impl Tasks {
    /// Starts a task. A panic in it is logged and counted; the others go on.
    #[expect(clippy::disallowed_methods, reason = "the one place that spawns tasks")]
    pub fn spawn(&self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        let watched = async move {
            let ended = tokio::spawn(task).await;
            if ended.is_err_and(|error| error.is_panic()) {
                metrics::counter!("lk_task_panics_total", "task" => name).increment(1);
                tracing::error!(task = name, "a background task panicked");
            }
        };
        self.running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .spawn(watched);
    }

    /// Starts a piece of work that ends by itself; when the tasks are stopped it is waited for as
    /// they are.
    pub fn spawn_short(&self, work: impl Future<Output = ()> + Send + 'static) {
        let mut running = self.short.lock().unwrap_or_else(PoisonError::into_inner);
        // What has ended is forgotten as new work comes.
        while let Some(ended) = running.try_join_next() {
            if ended.is_err_and(|error| error.is_panic()) {
                metrics::counter!("lk_task_panics_total", "task" => "short").increment(1);
                tracing::error!("a piece of background work panicked");
            }
        }
        running.spawn(work);
    }

    /// A signal that turns true when tasks should end.
    pub fn stopping(&self) -> watch::Receiver<bool> {
        self.stop.subscribe()
    }

    /// Tells every task to end and waits for them.
    pub async fn stop(&self) {
        self.stop.send_replace(true);
        let mut running = std::mem::take(&mut *self.running.lock().unwrap_or_else(PoisonError::into_inner));
        let mut short = std::mem::take(&mut *self.short.lock().unwrap_or_else(PoisonError::into_inner));
        let all = async {
            while running.join_next().await.is_some() {}
            while short.join_next().await.is_some() {}
        };
        let ended = tokio::time::timeout(STOP_WITHIN, all);
        if ended.await.is_err() {
            tracing::warn!(
                left = running.len() + short.len(),
                "background tasks did not end in time"
            );
        }
    }
}

/// Waits until `stopping` turns true.
pub async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // An error means the sender is gone, which is a stop too.
    let _ = stopping.wait_for(|stop| *stop).await;
}

/// Waits `period` or until `stopping` turns true; says whether to go on.
pub async fn pause(stopping: &mut watch::Receiver<bool>, period: Duration) -> bool {
    tokio::select! {
        () = tokio::time::sleep(period) => true,
        () = stopped(stopping) => false,
    }
}
