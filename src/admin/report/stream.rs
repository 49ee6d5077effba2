//! Pushed figures: read once a second for each schedule, however many consoles show them.

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

const EVERY: Duration = Duration::from_secs(1);
/// How long the figures are waited for.
const WAIT: Duration = Duration::from_secs(2);
/// A console has to say again who looks after this long: tokens expire, and roles end.
const LONGEST: Duration = Duration::from_mins(10);

/// The streams of figures; cheap to clone.
#[derive(Debug, Clone)]
pub struct StatsStreams {
    admin: AdminService,
    streams: Streams,
    hub: Hub<()>,
}

/// One open stream.
#[derive(Debug)]
struct Console {
    socket: Socket,
    opened: Instant,
    stale: bool,
}

impl StatsStreams {
    /// Puts the service together.
    #[must_use]
    pub fn new(admin: AdminService, streams: Streams) -> Self {
        Self { admin, streams, hub: Hub::default() }
    }

    /// Counts a stream as open; `503` where there are too many.
    pub(super) fn open(&self) -> Result<Open, Problem> {
        self.streams.open("stats")
    }

    /// Whether there is such a schedule.
    pub(super) async fn exists(&self, schedule: ScheduleId) -> Result<(), AdminError> {
        self.admin.catalogue.schedule(schedule).await?;
        Ok(())
    }

    /// Serves a stream on this socket.
    pub(super) fn serve(&self, schedule: ScheduleId, socket: Socket) {
        self.hub.enter(schedule, Arrival { socket, wants: () }, |arrivals| {
            self.streams.spawn(serve(self.admin.clone(), schedule, arrivals));
        });
    }
}

async fn serve(admin: AdminService, schedule: ScheduleId, mut arrivals: Arrivals<()>) {
    let mut consoles: Vec<Console> = Vec::new();
    let mut tick = interval(EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        let opened = Instant::now();
        while let Some(Arrival { socket, .. }) = arrivals.take() {
            consoles.push(Console { socket, opened, stale: false });
        }
        let told = match timeout(WAIT, admin.stats(schedule)).await {
            Ok(Ok(stats)) => Some(written(&stats)),
            Ok(Err(error)) => {
                tracing::debug!(%schedule, %error, "there are no figures");
                None
            }
            Err(_) => None,
        };
        let now = Instant::now();
        walk(&mut consoles, |console| console.step(now, told.as_ref())).await;
        if consoles.is_empty() && arrivals.end() {
            return;
        }
    }
}

fn written(stats: &Stats) -> Event {
    let mut out = Vec::new();
    event::write(&mut out, "stats", stats.server_time.timestamp_millis(), stats);
    out.into()
}

impl Console {
    fn step(&mut self, now: Instant, told: Option<&Event>) -> Result<(), Gone> {
        if now.saturating_duration_since(self.opened) > LONGEST {
            return Err(Gone);
        }
        if !self.socket.ready(now)? {
            return Ok(());
        }
        let was_stale = std::mem::replace(&mut self.stale, told.is_none());
        match told {
            Some(stats) => self.socket.send_shared(stats),
            None if was_stale => Ok(()),
            None => self.socket.send(STALE),
        }
    }
}
