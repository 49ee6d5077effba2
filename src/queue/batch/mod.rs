//! Calls of Redis in batches: while a call for a schedule is in flight, the requests that arrive go
//! into the next one, in their order of arrival. A request that arrives while none is in flight is
//! sent alone, at once.

pub mod joins;
pub mod tickets;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use moka::sync::Cache;
use opentelemetry::Context;
use opentelemetry::context::FutureExt;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::store::id::ScheduleId;
use crate::store::{Store, StoreError};
use crate::telemetry::traces::{ChildSpan, SharedSpan};

/// Most requests in one call. The scripts take their arguments with `unpack`, and one call must not
/// keep Redis busy for long.
const MAX_BATCH: usize = 128;

/// A call that serves one request, or several.
pub trait BatchedCall: Clone + Send + Sync + 'static {
    /// One request.
    type Item: Clone + std::fmt::Debug + Send + Sync;
    /// Its reply.
    type Reply: std::fmt::Debug + Send;

    /// Serves one request.
    fn one(
        &self,
        schedule: ScheduleId,
        item: Self::Item,
    ) -> impl Future<Output = Result<Self::Reply, StoreError>> + Send;

    /// Serves several in one call, in this order. `None` for those that only [`BatchedCall::one`]
    /// can serve.
    fn many(
        &self,
        schedule: ScheduleId,
        items: &[Self::Item],
    ) -> impl Future<Output = Result<Vec<Option<Self::Reply>>, StoreError>> + Send;
}

/// The batches of this process, by schedule; cheap to clone.
#[derive(Debug, Clone)]
pub struct Batches<C: BatchedCall> {
    call: C,
    schedules: Cache<ScheduleId, Arc<Mutex<Arrivals<C>>>>,
}

/// The requests for one schedule.
#[derive(Debug)]
struct Arrivals<C: BatchedCall> {
    /// Whether a call is in flight.
    calling: bool,
    /// Requests for the next calls, in order of arrival.
    waiting: Vec<Arrival<C>>,
}

#[derive(Debug)]
struct Arrival<C: BatchedCall> {
    item: C::Item,
    reply: oneshot::Sender<BatchReply<C>>,
    /// The context of the request, for its trace.
    context: Context,
}

/// The reply to one request of a batch; `None` if only a call of its own can serve it.
type BatchReply<C> = Result<Option<<C as BatchedCall>::Reply>, StoreError>;

/// The right to send the next call. When it is dropped, the waiting requests are sent.
struct Turn<C: BatchedCall> {
    call: C,
    schedule: ScheduleId,
    arrivals: Arc<Mutex<Arrivals<C>>>,
}

/// How a request is served.
enum Served<C: BatchedCall> {
    /// It is sent alone.
    Alone(Turn<C>),
    /// It is part of a batch.
    Batched(oneshot::Receiver<BatchReply<C>>),
}

impl<C: BatchedCall> Batches<C> {
    /// Makes batches of `call`.
    #[must_use]
    pub fn new(call: C) -> Self {
        Self { call, schedules: Cache::builder().max_capacity(100_000).build() }
    }

    /// Serves a request.
    ///
    /// # Errors
    /// The error of the call. A failed call fails all requests in it.
    pub async fn run(&self, schedule: ScheduleId, item: C::Item) -> Result<C::Reply, StoreError> {
        match self.arrive(schedule, &item) {
            Served::Alone(_turn) => self.call.one(schedule, item).await,
            Served::Batched(reply) => match received(reply).await? {
                Some(reply) => Ok(reply),
                // Boxed, because most requests need no second call.
                None => Box::pin(self.call.one(schedule, item)).await,
            },
        }
    }

    fn arrive(&self, schedule: ScheduleId, item: &C::Item) -> Served<C> {
        let arrivals = self.schedules.get_with(schedule, Arc::default);
        let mut open = lock(&arrivals);
        if open.calling {
            let (reply, receiver) = oneshot::channel();
            open.waiting.push(Arrival { item: item.clone(), reply, context: Context::current() });
            return Served::Batched(receiver);
        }
        open.calling = true;
        drop(open);
        Served::Alone(Turn { call: self.call.clone(), schedule, arrivals })
    }
}

impl<C: BatchedCall> Default for Arrivals<C> {
    fn default() -> Self {
        Self { calling: false, waiting: Vec::new() }
    }
}

/// Waits for the reply to a request of a batch.
async fn received<T>(
    reply: oneshot::Receiver<Result<Option<T>, StoreError>>,
) -> Result<Option<T>, StoreError> {
    let span = ChildSpan::batch_wait();
    let reply = reply.await.unwrap_or_else(|_| {
        let reason = "a batch of requests was not sent".to_owned();
        Err(StoreError::Unavailable { store: Store::Redis, reason })
    });
    span.end(reply.as_ref().err().map(StoreError::kind));
    reply
}

impl<C: BatchedCall> Turn<C> {
    /// Calls Redis once for these requests.
    async fn replies(&self, items: &[C::Item]) -> Result<Vec<Option<C::Reply>>, StoreError> {
        match items {
            [only] => self.call.one(self.schedule, only.clone()).await.map(|it| vec![Some(it)]),
            several => self.call.many(self.schedule, several).await,
        }
    }

    /// Sends one batch.
    async fn send(self, batch: Vec<Arrival<C>>) {
        let items: Vec<C::Item> = batch.iter().map(|arrival| arrival.item.clone()).collect();
        let context = SharedSpan::begin(batch.iter().map(|arrival| &arrival.context));
        match self.replies(&items).with_context(context.into_context()).await {
            Ok(replies) => {
                for (arrival, reply) in batch.into_iter().zip(replies) {
                    // The client may have hung up.
                    let _ = arrival.reply.send(Ok(reply));
                }
            }
            Err(error) => {
                for arrival in batch {
                    let _ = arrival.reply.send(Err(error.clone()));
                }
            }
        }
    }
}

impl<C: BatchedCall> Drop for Turn<C> {
    /// Sends the requests that arrived meanwhile. Also when the request that was sent alone was
    /// cancelled, or a batch panicked.
    fn drop(&mut self) {
        let mut open = lock(&self.arrivals);
        // Nobody waits for these any more.
        open.waiting.retain(|arrival| !arrival.reply.is_closed());
        let runtime = Handle::try_current();
        let (Ok(runtime), false) = (runtime, open.waiting.is_empty()) else {
            open.calling = false;
            return;
        };
        let count = open.waiting.len().min(MAX_BATCH);
        let batch: Vec<Arrival<C>> = open.waiting.drain(..count).collect();
        drop(open);
        let (call, schedule) = (self.call.clone(), self.schedule);
        let next = Self { call, schedule, arrivals: Arc::clone(&self.arrivals) };
        runtime.spawn(next.send(batch));
    }
}

fn lock<C: BatchedCall>(arrivals: &Mutex<Arrivals<C>>) -> MutexGuard<'_, Arrivals<C>> {
    arrivals.lock().unwrap_or_else(PoisonError::into_inner)
}
