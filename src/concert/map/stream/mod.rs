//! The streams of seat changes. Each version is rendered once for all clients that have the same
//! earlier version.

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

/// Longest time between two updates of all followers, also without a new board.
const TICK: Duration = Duration::from_secs(1);
/// Longest wait for the layout. After it, the last known layout is used.
const LAYOUT_TIMEOUT: Duration = Duration::from_secs(1);

/// All streams of seat changes in this process. Cheap to clone.
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
    /// Version that its client has.
    has: Since,
    /// The next step sends an event even if nothing changed.
    must_send: bool,
    stale: bool,
}

/// All streams of one map.
struct Topic {
    catalogue: Catalogue,
    schedule: ScheduleId,
    followers: Vec<Follower>,
    latest: Latest,
    /// When the board of the last update was read.
    last_read: Option<Instant>,
}

impl SeatStreams {
    /// Creates the service. No stream is open yet.
    #[must_use]
    pub fn new(catalogue: Catalogue, streams: Streams) -> Self {
        Self { catalogue, streams, hub: Hub::default() }
    }

    /// Counts a stream as open. Fails with `503` if there are too many.
    fn open(&self) -> Result<Open, Problem> {
        self.streams.open("seats")
    }

    /// Checks that the schedule exists.
    async fn exists(&self, schedule: ScheduleId) -> Result<(), CatalogueError> {
        self.catalogue.seats(schedule).await.map(|_| ())
    }

    /// Serves the stream of a schedule on this socket.
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
        last_read: None,
    };
    let mut tick = interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            Some(arrival) = arrivals.next() => topic.add_follower(arrival).await,
            () = topic.due(&mut tick) => topic.update_all().await,
        }
        if topic.followers.is_empty() && arrivals.end() {
            return;
        }
    }
}

impl Topic {
    /// Waits for a board newer than the last update, or for the next tick.
    async fn due(&self, tick: &mut Interval) {
        let watched = self.catalogue.watch(self.schedule);
        if watched.board().is_some_and(|board| self.last_read.is_none_or(|at| at < board.read_at()))
        {
            return;
        }
        tokio::select! {
            () = watched.changed() => {}
            _ = tick.tick() => {}
        }
    }

    /// Reads the latest map. Returns whether it is stale.
    async fn refresh(&mut self) -> bool {
        let watched = self.catalogue.watch(self.schedule);
        // While PostgreSQL is slow or unavailable, the states go with the last known layout.
        if let Ok(Ok(layout)) = timeout(LAYOUT_TIMEOUT, self.catalogue.layout(self.schedule)).await
        {
            self.latest.layout = Some(layout);
        }
        let Some(board) = watched.board() else {
            return true;
        };
        self.last_read = Some(board.read_at());
        self.latest.set_states(&board.seats);
        watched.is_failing() && board.overdue().is_some()
    }

    async fn add_follower(&mut self, arrival: Arrival<Since>) {
        let Arrival { socket, wants } = arrival;
        let mut follower = Follower { socket, has: wants, must_send: true, stale: false };
        let stale = self.refresh().await;
        if follower.step(Instant::now(), stale, &mut self.latest).is_ok() {
            self.followers.push(follower);
        }
    }

    async fn update_all(&mut self) {
        let (now, stale) = (Instant::now(), self.refresh().await);
        let Self { followers, latest, .. } = self;
        walk(followers, |follower| follower.step(now, stale, latest)).await;
    }
}

impl Follower {
    /// Sends the changes since its client's version, or `stale` once.
    fn step(&mut self, now: Instant, stale: bool, latest: &mut Latest) -> Result<(), Gone> {
        if !self.socket.ready(now)? {
            return Ok(());
        }
        if stale {
            if !self.stale {
                self.socket.send(STALE)?;
                (self.stale, self.must_send) = (true, true);
            }
            return Ok(());
        }
        let Some(version) = latest.version() else {
            return Ok(());
        };
        let changed = self.has != Since::Version(version);
        if changed || self.must_send {
            self.socket.send_shared(&latest.event_since(self.has, version))?;
            self.has = Since::Version(version);
            (self.must_send, self.stale) = (false, false);
        }
        Ok(())
    }
}
