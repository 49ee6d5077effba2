//! The stream of a sale's figures. Each process reads them once a second per schedule, for all open
//! consoles together.

use std::time::{Duration, Instant};

use tokio::time::{MissedTickBehavior, interval, timeout};

use super::model::Stats;
use crate::admin::error::AdminError;
use crate::admin::service::AdminService;
use crate::http::api::problem::Problem;
use crate::http::stream::event::{self, STALE};
use crate::http::stream::hub::{Arrival, Arrivals, Hub, walk};
use crate::http::stream::socket::{Event, Gone, Socket};
use crate::http::stream::{Open, Streams};
use crate::store::id::ScheduleId;

/// Time between two readings of the figures.
const INTERVAL: Duration = Duration::from_secs(1);
/// Longest wait for the figures. After it, consoles get `stale`.
const STATS_TIMEOUT: Duration = Duration::from_secs(2);
/// Longest life of one stream. Then the console has to authenticate again, because tokens expire
/// and roles are withdrawn.
const MAX_STREAM_AGE: Duration = Duration::from_mins(10);

/// All streams of figures in this process. Cheap to clone.
#[derive(Debug, Clone)]
pub struct StatsStreams {
    admin: AdminService,
    streams: Streams,
    hub: Hub<()>,
}

/// One open stream of figures.
#[derive(Debug)]
struct Console {
    socket: Socket,
    opened: Instant,
    stale: bool,
}

impl StatsStreams {
    /// Creates the service. No stream is open yet.
    #[must_use]
    pub fn new(admin: AdminService, streams: Streams) -> Self {
        Self { admin, streams, hub: Hub::default() }
    }

    /// Counts a stream as open. Fails with `503` if there are too many.
    pub(super) fn open(&self) -> Result<Open, Problem> {
        self.streams.open("stats")
    }

    /// Checks that the schedule exists.
    pub(super) async fn exists(&self, schedule: ScheduleId) -> Result<(), AdminError> {
        self.admin.catalogue.schedule(schedule).await?;
        Ok(())
    }

    /// Serves the stream of a schedule on this socket.
    pub(super) fn serve(&self, schedule: ScheduleId, socket: Socket) {
        self.hub.enter(schedule, Arrival { socket, wants: () }, |arrivals| {
            self.streams.spawn(serve(self.admin.clone(), schedule, arrivals));
        });
    }
}

async fn serve(admin: AdminService, schedule: ScheduleId, mut arrivals: Arrivals<()>) {
    let mut consoles: Vec<Console> = Vec::new();
    let mut tick = interval(INTERVAL);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        let opened = Instant::now();
        while let Some(Arrival { socket, .. }) = arrivals.take() {
            consoles.push(Console { socket, opened, stale: false });
        }
        let event = match timeout(STATS_TIMEOUT, admin.stats(schedule)).await {
            Ok(Ok(stats)) => Some(render(&stats)),
            Ok(Err(error)) => {
                tracing::debug!(%schedule, %error, "reading the figures of a sale failed");
                None
            }
            Err(_) => None,
        };
        let now = Instant::now();
        walk(&mut consoles, |console| console.step(now, event.as_ref())).await;
        if consoles.is_empty() && arrivals.end() {
            return;
        }
    }
}

fn render(stats: &Stats) -> Event {
    let mut out = Vec::new();
    event::write(&mut out, "stats", stats.server_time.timestamp_millis(), stats);
    out.into()
}

impl Console {
    /// Sends the figures, or `stale` once if there are none.
    fn step(&mut self, now: Instant, stats: Option<&Event>) -> Result<(), Gone> {
        if now.saturating_duration_since(self.opened) > MAX_STREAM_AGE {
            return Err(Gone);
        }
        if !self.socket.ready(now)? {
            return Ok(());
        }
        let was_stale = std::mem::replace(&mut self.stale, stats.is_none());
        match stats {
            Some(stats) => self.socket.send_shared(stats),
            None if was_stale => Ok(()),
            None => self.socket.send(STALE),
        }
    }
}
