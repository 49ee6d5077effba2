//! Runs each request that changes state to its end, even if its client disconnects.
//!
//! Hyper drops the future of a request when its client disconnects. Between two steps of a change
//! that would keep the first step without the second: for example a seat claim without its hold.
//! Therefore such a request runs in its own task, and a shutdown waits for this task.

use std::any::Any;
use std::panic::{AssertUnwindSafe, resume_unwind};

use futures_util::FutureExt;
use opentelemetry::context::FutureExt as _;
use tokio::sync::oneshot;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

/// Runs changes of state in tasks; the process waits for them before it ends. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Changes(TaskTracker);

impl Changes {
    /// Runs changes in tasks that `tasks` tracks.
    #[must_use]
    pub fn tracked_by(tasks: TaskTracker) -> Self {
        Self(tasks)
    }

    /// Runs `change` to its end, even if the caller drops the returned future. A panic of `change`
    /// resumes in the caller. If the caller is gone, the panic is logged.
    pub async fn run<T: Send + 'static>(
        &self,
        change: impl Future<Output = T> + Send + 'static,
    ) -> T {
        let (sender, receiver) = oneshot::channel();
        let change = async move {
            let outcome = AssertUnwindSafe(change).catch_unwind().await;
            if let Err(Err(panic)) = sender.send(outcome) {
                tracing::error!(
                    panic = text(&*panic),
                    "a request that changes state panicked after its client disconnected"
                );
            }
        };
        self.0.spawn(change.in_current_span().with_current_context());
        match receiver.await {
            Ok(Ok(value)) => value,
            Ok(Err(panic)) => resume_unwind(panic),
            // The runtime is shutting down and drops this future.
            Err(_) => std::future::pending().await,
        }
    }
}

/// The message of a panic; `not a text` if the payload is not a string.
#[must_use]
pub fn text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("not a text")
}
