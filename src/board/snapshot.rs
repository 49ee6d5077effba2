//! One snapshot of one schedule, and reading it from Redis.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use onsale_model::pacing::{self, PollPacing, QueueLoad, longest_ms};

use super::meta::Drawn;
use super::meta::Meta;
use super::rate::{Count, Rates};
use super::seats::{SeatStates, SeatVersion};
use super::wait::{self, WaitEstimate};
use super::waiting::WaitingEntries;
use crate::store::id::ScheduleId;
use crate::store::keys::{SEQUENCE_BITS, ScheduleKeys};
use crate::store::redis::Redis;
use crate::store::{Store, StoreError};

/// A board older than this is overdue. Normally a board is read at least once a second.
const OVERDUE: Duration = Duration::from_secs(2);

/// A schedule's queue and seats at one moment.
#[derive(Debug, Clone)]
pub struct Board {
    /// Settings, counters, epoch.
    pub meta: Meta,
    /// The waiting entries, in order.
    pub waiting: WaitingEntries,
    /// The state of every seat.
    pub seats: Arc<SeatStates>,
    /// Redis lost its data, and the queue is as before the loss; or admission is paused after a
    /// rebuild or a stall.
    pub recovering: bool,
    /// Measured rates of joins and admissions.
    pub rates: Rates,
    /// Pauses between polls.
    pub pacing: PollPacing,
    /// The body of the public board. The first request renders it.
    pub public: OnceLock<Arc<[u8]>>,
    now_ms: i64,
    begun_at: Instant,
    read_at: Instant,
}

impl Board {
    /// Redis's clock now (ms): the time of the read plus the time since then.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        self.now_ms + i64::try_from(self.read_at.elapsed().as_millis()).unwrap_or(0)
    }

    /// As [`Board::now_ms`], as a time.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.now_ms()).unwrap_or_default()
    }

    /// Redis's clock when the board was read. It does not move while Redis is down.
    #[must_use]
    pub fn as_of(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.now_ms).unwrap_or_default()
    }

    /// When the board was read, by this process's clock.
    #[must_use]
    pub fn read_at(&self) -> Instant {
        self.read_at
    }

    /// When reading the board began, by this process's clock. The board shows everything that was
    /// written in Redis before.
    #[must_use]
    pub fn begun_at(&self) -> Instant {
        self.begun_at
    }

    /// The board's age if it is above 2 s.
    #[must_use]
    pub fn overdue(&self) -> Option<Duration> {
        Some(self.read_at.elapsed()).filter(|age| *age > OVERDUE)
    }

    /// This board with the pauses that keep the polls of its queue below `ceiling` per second.
    #[must_use]
    pub fn paced(self, ceiling: u32) -> Self {
        let until_open = u64::try_from(self.meta.opens_ms - self.now_ms).unwrap_or(0);
        let load = QueueLoad {
            waiting: self.waiting.count(),
            per_second: self.meta.rate,
            until_open_ms: until_open,
            longest_ms: longest_ms(self.meta.presence_ms, self.meta.claim_ms),
        };
        let pacing = PollPacing::of(load, ceiling);
        Self { pacing, ..self }
    }

    /// Pause in ms before the next poll of an entry with `ahead` others before it, with jitter by
    /// `spread`.
    #[must_use]
    pub fn poll_after_ms(&self, sequence: u64, ahead: u64, spread: u64) -> u64 {
        let base = self.meta.draw_base;
        let pause = if self.meta.draw != Drawn::Pending {
            self.pacing.pause_ms(ahead)
        } else if base > 0 && sequence > base {
            // Moved by the draw, which still has others to move: the rank alone counts.
            let rank = sequence - base - 1;
            self.pacing.pause_ms(rank.saturating_sub(self.meta.admitted))
        } else {
            // Before the draw there is no order yet, and every entry must be present.
            let present = (self.meta.presence_ms / 3).max(1000);
            self.pacing.pause_ms(self.waiting.count()).min(present)
        };
        pacing::shorten(pause, spread)
    }

    /// Pause between two position events of the stream of an entry with `ahead` others before it,
    /// by the configured rate.
    #[must_use]
    pub fn event_pause(&self, ahead: u64, spread: u64) -> Duration {
        let until_open = u64::try_from(self.meta.opens_ms - self.now_ms()).unwrap_or(0);
        let wait = until_open.saturating_add(ahead.saturating_mul(1000) / self.meta.rate.max(1));
        pacing::event_pause(wait, spread)
    }

    /// Expected wait of an entry with `ahead` others before it; `None` while no rate is known.
    #[must_use]
    pub fn wait_estimate(&self, ahead: u64) -> Option<WaitEstimate> {
        wait::wait_estimate(&self.rates, ahead)
    }

    /// Reads the schedule from Redis. `last` is the previous board: its seat map is updated, and
    /// its counts continue. If Redis lost its data or the keys are being rebuilt, returns `last` as
    /// recovering.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if Redis does not answer, or the keys are being rebuilt and
    /// there is no `last`.
    pub async fn read(
        redis: &Redis,
        schedule: ScheduleId,
        last: Option<&Self>,
    ) -> Result<Self, StoreError> {
        let begun_at = Instant::now();
        let guess = last.map_or(1, |last| last.meta.epoch.max(1));
        let keys = ScheduleKeys::new(schedule, guess);
        let (meta, now_ms, head) = read_meta(redis, &keys).await?;
        let before_loss = last.filter(|last| meta.epoch < last.meta.epoch || meta.loading);
        if let Some(before) = before_loss {
            return Ok(Self { recovering: true, public: OnceLock::new(), ..before.clone() });
        }
        if meta.loading {
            let reason = "the schedule's keys are being rebuilt".to_owned();
            return Err(StoreError::Unavailable { store: Store::Redis, reason });
        }
        let waiting = read_waiting(redis, &keys, meta.epoch, head).await?;
        let seats = read_seats(redis, &keys, &meta, last.map(|last| &last.seats)).await?;
        let count = Count { at_ms: now_ms, admitted: meta.admitted, joined: meta.joined };
        let rates = last.map_or_else(Rates::default, |last| last.rates.clone()).after(count);
        Ok(Self {
            recovering: meta.pause_until_ms > now_ms,
            pacing: PollPacing::default(),
            public: OnceLock::new(),
            begun_at,
            read_at: Instant::now(),
            meta,
            waiting,
            seats,
            rates,
            now_ms,
        })
    }
}

/// Reads the hash `meta`, the sizes of four sets, Redis's clock (ms), and the sequence at the head
/// of the queue, in one round trip.
async fn read_meta(
    redis: &Redis,
    keys: &ScheduleKeys,
) -> Result<(Meta, i64, Option<u64>), StoreError> {
    type Answer = (HashMap<String, String>, u64, u64, u64, u64, Vec<(String, f64)>, (i64, i64));
    let mut pipe = redis::pipe();
    pipe.cmd("HGETALL").arg(keys.meta());
    for set in ["waiting", "active", "parked", "returned"] {
        pipe.cmd("ZCARD").arg(keys.named(set));
    }
    pipe.cmd("ZRANGE").arg(keys.named("waiting")).arg(0).arg(0).arg("WITHSCORES");
    pipe.cmd("TIME");
    let (fields, waiting, active, parked, returned, head, (seconds, micros)): Answer =
        redis.bulk_pipe(&pipe).await?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a sequence is a positive whole number below 2^53"
    )]
    let head = head.first().map(|(_, sequence)| *sequence as u64);
    let meta = Meta::parse(&fields, [waiting, active, parked, returned]);
    Ok((meta, seconds * 1000 + micros / 1000, head))
}

/// Reads the waiting bitmaps from the byte that holds the head of the queue.
async fn read_waiting(
    redis: &Redis,
    keys: &ScheduleKeys,
    epoch: u64,
    head: Option<u64>,
) -> Result<WaitingEntries, StoreError> {
    let Some(head) = head else {
        return Ok(WaitingEntries::default());
    };
    let (first, number) = (head >> SEQUENCE_BITS, head & ((1 << SEQUENCE_BITS) - 1));
    let mut pipe = redis::pipe();
    let parts: Vec<(u64, u64)> = (first..=epoch)
        .map(|epoch| (epoch, if epoch == first { number / 64 * 8 } else { 0 }))
        .collect();
    for (epoch, offset) in &parts {
        pipe.cmd("GETRANGE").arg(keys.bits(*epoch)).arg(*offset).arg(-1);
    }
    let bitmaps: Vec<Vec<u8>> = redis.bulk_pipe(&pipe).await?;
    Ok(WaitingEntries::build(
        parts.into_iter().zip(bitmaps).map(|((epoch, offset), b)| (epoch, offset, b)),
    ))
}

/// Reads the seat map: the changes since `last`, or the whole map if some of them are missing.
async fn read_seats(
    redis: &Redis,
    keys: &ScheduleKeys,
    meta: &Meta,
    last: Option<&Arc<SeatStates>>,
) -> Result<Arc<SeatStates>, StoreError> {
    let total = meta.seats_total;
    if let Some(last) = last.filter(|last| last.version.epoch == meta.epoch) {
        let same_size = last.available + last.held + last.gone() == total;
        if last.version.number == meta.seat_version && same_size {
            return Ok(Arc::clone(last));
        }
        let mut pipe = redis::pipe();
        let after = format!("({}-0", last.version.number);
        pipe.cmd("XRANGE").arg(keys.named("seatlog")).arg(after).arg("+");
        let (entries,): (Vec<(String, HashMap<String, String>)>,) = redis.bulk_pipe(&pipe).await?;
        let changes = entries.iter().filter_map(|(id, fields)| change(id, fields.get("c")?));
        if entries.is_empty() && same_size {
            return Ok(Arc::clone(last));
        }
        if let Some(next) = last.after(total, changes.collect()) {
            return Ok(Arc::new(next));
        }
    }
    // Atomic, so that the version is the one of the map read with it.
    let mut pipe = redis::pipe();
    pipe.atomic().cmd("HGET").arg(keys.meta()).arg("seat_version");
    pipe.cmd("GET").arg(keys.named("sold")).cmd("ZRANGE").arg(keys.named("held")).arg(0).arg(-1);
    let (number, gone, held): (Option<u64>, Option<Vec<u8>>, Vec<u32>) =
        redis.bulk_pipe(&pipe).await?;
    let version = SeatVersion { epoch: meta.epoch, number: number.unwrap_or(0) };
    Ok(Arc::new(SeatStates::whole(version, total, &gone.unwrap_or_default(), &held)))
}

/// Parses an entry of the seatlog: the version from its id, the seats from `seat_number:state,…`.
fn change(id: &str, text: &str) -> Option<(u64, Vec<(u32, u8)>)> {
    let version = id.split('-').next()?.parse().ok()?;
    let seats = text.split(',').map(|part| {
        let (number, state) = part.split_once(':')?;
        Some((number.parse().ok()?, state.parse().ok()?))
    });
    Some((version, seats.collect::<Option<_>>()?))
}
