//! Pushed changes of the seat map: one event per version, rendered once for all who follow.

pub mod http;
mod latest;

use std::time::{Duration, Instant};

use tokio::time::{Interval, MissedTickBehavior, interval, timeout};

use self::latest::{Latest, Since};
use crate::concert::service::{Catalogue, CatalogueError};
use crate::http::api::problem::Problem;
use crate::http::stream::event::STALE;
use crate::http::stream::hub::{Arrival, Arrivals, Hub, walk};
use crate::http::stream::socket::{Gone, Socket};
use crate::http::stream::{Open, Streams};
use crate::store::id::ScheduleId;

/// Followers are looked at this often also where no board was read.
const TICK: Duration = Duration::from_secs(1);
/// How long the layout of the seats is waited for before the last one is used.
const LAYOUT_WAIT: Duration = Duration::from_secs(1);

/// The streams of seat maps; cheap to clone.
#[derive(Debug, Clone)]
pub struct SeatStreams {
    catalogue: Catalogue,
    streams: Streams,
    hub: Hub<Since>,
}

/// One open stream.
#[derive(Debug)]
struct Follower {
    socket: Socket,
    /// What its client has.
    has: Since,
    /// Something is to be told even where nothing has changed.
    owed: bool,
    stale: bool,
}

/// All streams of one map.
struct Topic {
    catalogue: Catalogue,
    schedule: ScheduleId,
    followers: Vec<Follower>,
    latest: Latest,
    /// The board of the last walk.
    walked: Option<Instant>,
}

impl SeatStreams {
    /// Puts the service together.
    #[must_use]
    pub fn new(catalogue: Catalogue, streams: Streams) -> Self {
        Self { catalogue, streams, hub: Hub::default() }
    }

    /// Counts a stream as open; `503` where there are too many.
    fn open(&self) -> Result<Open, Problem> {
        self.streams.open("seats")
    }

    /// Whether there is such a map.
    async fn exists(&self, schedule: ScheduleId) -> Result<(), CatalogueError> {
        self.catalogue.seats(schedule).await.map(|_| ())
    }

    /// Serves a stream on this socket.
    fn serve(&self, schedule: ScheduleId, has: Since, socket: Socket) {
        let catalogue = self.catalogue.clone();
        self.hub.enter(schedule, Arrival { socket, wants: has }, |arrivals| {
            self.streams.spawn(serve(catalogue, schedule, arrivals));
        });
    }
}

async fn serve(catalogue: Catalogue, schedule: ScheduleId, mut arrivals: Arrivals<Since>) {
    let mut topic = Topic {
        catalogue,
        schedule,
        followers: Vec::new(),
        latest: Latest::default(),
        walked: None,
    };
    let mut tick = interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            Some(arrival) = arrivals.next() => topic.greet(arrival).await,
            () = topic.due(&mut tick) => topic.walk().await,
        }
        if topic.followers.is_empty() && arrivals.end() {
            return;
        }
    }
}

impl Topic {
    /// Returns when there is a board that was not walked by, or it is time anyway.
    async fn due(&self, tick: &mut Interval) {
        let watched = self.catalogue.watch(self.schedule);
        if watched.board().is_some_and(|board| self.walked.is_none_or(|at| at < board.read_at())) {
            return;
        }
        tokio::select! {
            () = watched.changed() => {}
            _ = tick.tick() => {}
        }
    }

    /// Learns the latest map; whether it is stale.
    async fn look(&mut self) -> bool {
        let watched = self.catalogue.watch(self.schedule);
        // With PostgreSQL away or slow the states go on by the layout that is known.
        if let Ok(Ok(layout)) = timeout(LAYOUT_WAIT, self.catalogue.layout(self.schedule)).await {
            self.latest.layout = Some(layout);
        }
        let Some(board) = watched.board() else {
            return true;
        };
        self.walked = Some(board.read_at());
        self.latest.is(&board.seats);
        watched.is_failing() && board.overdue().is_some()
    }

    async fn greet(&mut self, arrival: Arrival<Since>) {
        let Arrival { socket, wants } = arrival;
        let mut follower = Follower { socket, has: wants, owed: true, stale: false };
        let stale = self.look().await;
        if follower.step(Instant::now(), stale, &mut self.latest).is_ok() {
            self.followers.push(follower);
        }
    }

    async fn walk(&mut self) {
        let (now, stale) = (Instant::now(), self.look().await);
        let Self { followers, latest, .. } = self;
        walk(followers, |follower| follower.step(now, stale, latest)).await;
    }
}

impl Follower {
    /// Sends what has changed since its client's version.
    fn step(&mut self, now: Instant, stale: bool, latest: &mut Latest) -> Result<(), Gone> {
        if !self.socket.ready(now)? {
            return Ok(());
        }
        if stale {
            if !self.stale {
                self.socket.send(STALE)?;
                (self.stale, self.owed) = (true, true);
            }
            return Ok(());
        }
        let Some(version) = latest.version() else {
            return Ok(());
        };
        let changed = self.has != Since::Version(version);
        if changed || self.owed {
            self.socket.send_shared(&latest.since(self.has, version))?;
            self.has = Since::Version(version);
            (self.owed, self.stale) = (false, false);
        }
        Ok(())
    }
}
