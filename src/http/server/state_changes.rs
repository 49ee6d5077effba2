//! Requests that change state run to their end, whatever becomes of their clients.
//!
//! Hyper drops the future of a request whose client has hung up. Between two steps of a change that
//! would leave the first one standing: a claim without its hold, a transaction rolled back that the
//! client was about to be told of. So such a request runs in a task of its own, which a shutdown waits
//! for.

use std::any::Any;
use std::panic::{AssertUnwindSafe, resume_unwind};

use futures_util::FutureExt;
use tokio::sync::oneshot;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

/// Runs changes of state in tasks that the process waits for before it ends; cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Changes(TaskTracker);

impl Changes {
    /// Runs changes among `tasks`.
    #[must_use]
    pub fn among(tasks: TaskTracker) -> Self {
        Self(tasks)
    }

    /// Runs `change` to its end, also where the future that this returns is dropped before. A panic of
    /// `change` is passed on to the caller, or logged where there is none any more.
    pub async fn run<T: Send + 'static>(
        &self,
        change: impl Future<Output = T> + Send + 'static,
    ) -> T {
        let (ended, end) = oneshot::channel();
        let change = async move {
            let outcome = AssertUnwindSafe(change).catch_unwind().await;
            if let Err(Err(panic)) = ended.send(outcome) {
                tracing::error!(panic = text(&*panic), "a change panicked after its client left");
            }
        };
        self.0.spawn(change.in_current_span());
        match end.await {
            Ok(Ok(value)) => value,
            Ok(Err(panic)) => resume_unwind(panic),
            // The runtime ends, and this future with it.
            Err(_) => std::future::pending().await,
        }
    }
}

/// What a panic says.
#[must_use]
pub fn text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("not a text")
}
