//! One snapshot of one schedule, and how it is read from Redis.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use chrono::{DateTime, Utc};

use super::line::Line;
use super::meta::Meta;
use super::seats::{SeatStates, SeatVersion};
use crate::store::id::ScheduleId;
use crate::store::keys::{Keys, SEQUENCE_BITS};
use crate::store::redis::Redis;
use crate::store::{Store, StoreError};

/// How far back admissions are counted for the measured rate, in milliseconds.
const RATE_WINDOW_MS: i64 = 30_000;

/// A schedule's line and seats as of one moment.
#[derive(Debug, Clone)]
pub struct Board {
    /// Settings, counters, epoch.
    pub meta: Meta,
    /// Who waits before whom.
    pub line: Line,
    /// The state of every seat.
    pub seats: Arc<SeatStates>,
    /// Redis has lost what this shows, or is being rebuilt: places are those of before the loss.
    pub recovering: bool,
    now_ms: i64,
    read_at: Instant,
    /// (Redis's clock in ms, admitted, joined), the oldest first.
    counted: VecDeque<(i64, u64, u64)>,
}

impl Board {
    /// Redis's clock now, as far as this process can tell.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        let elapsed = i64::try_from(self.read_at.elapsed().as_millis()).unwrap_or(0);
        DateTime::from_timestamp_millis(self.now_ms + elapsed).unwrap_or_default()
    }

    /// When it was read, by this process's clock.
    #[must_use]
    pub fn read_at(&self) -> Instant {
        self.read_at
    }

    /// Admissions per second over the last half minute; nothing before two seconds were seen, or
    /// where nobody was let in.
    #[must_use]
    pub fn admit_rate(&self) -> Option<f64> {
        self.rate(0, |(_, admitted, _)| *admitted)
    }

    /// The slowest and the fastest admission rate of the last half minute's thirds.
    #[must_use]
    pub fn admit_rate_range(&self) -> Option<(f64, f64)> {
        let third = self.counted.len() / 3;
        let rates: Vec<f64> = (0..3)
            .filter_map(|part| {
                let part = self.counted.range(part * third..).take(third + 1);
                per_second(part, |(_, admitted, _)| *admitted)
            })
            .collect();
        let low = rates.iter().copied().reduce(f64::min)?;
        Some((low, rates.iter().copied().fold(low, f64::max)))
    }

    /// Joins per second over the last half minute.
    #[must_use]
    pub fn join_rate(&self) -> Option<f64> {
        self.rate(0, |(_, _, joined)| *joined)
    }

    fn rate(&self, from: usize, count: impl Fn(&(i64, u64, u64)) -> u64) -> Option<f64> {
        per_second(self.counted.range(from..), count)
    }

    /// Reads the schedule anew. `last` tells where the seat map stood and what was counted.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where Redis does not answer.
    pub async fn read(
        redis: &Redis,
        schedule: ScheduleId,
        last: Option<&Self>,
    ) -> Result<Self, StoreError> {
        let guess = last.map_or(1, |last| last.meta.epoch.max(1));
        let keys = Keys::new(schedule, guess);
        let (meta, now_ms, head) = read_meta(redis, &keys).await?;
        let gone = last.filter(|last| meta.epoch < last.meta.epoch || meta.loading);
        if let Some(before) = gone {
            return Ok(Self { recovering: true, ..before.clone() });
        }
        if meta.loading {
            let reason = "the schedule's keys are being rebuilt".to_owned();
            return Err(StoreError::Unavailable { store: Store::Redis, reason });
        }
        let line = read_line(redis, &keys, meta.epoch, head).await?;
        let seats = read_seats(redis, &keys, &meta, last.map(|last| &last.seats)).await?;
        let mut counted = last.map(|last| last.counted.clone()).unwrap_or_default();
        if counted.back().is_some_and(|(_, admitted, _)| *admitted > meta.admitted) {
            counted.clear();
        }
        counted.push_back((now_ms, meta.admitted, meta.joined));
        while counted.front().is_some_and(|(at, _, _)| *at < now_ms - RATE_WINDOW_MS) {
            counted.pop_front();
        }
        let recovering = meta.pause_until_ms > now_ms;
        Ok(Self { meta, line, seats, recovering, now_ms, read_at: Instant::now(), counted })
    }
}

fn per_second<'s>(
    samples: impl IntoIterator<Item = &'s (i64, u64, u64)>,
    count: impl Fn(&(i64, u64, u64)) -> u64,
) -> Option<f64> {
    let mut samples = samples.into_iter();
    let first = samples.next()?;
    let last = samples.last()?;
    let millis = u32::try_from(last.0 - first.0).ok().filter(|millis| *millis >= 2000)?;
    let more =
        u32::try_from(count(last).checked_sub(count(first))?).ok().filter(|more| *more > 0)?;
    Some(f64::from(more) * 1000.0 / f64::from(millis))
}

/// The hash, the sizes beside it, Redis's clock, and the head of the line, in one round trip.
async fn read_meta(redis: &Redis, keys: &Keys) -> Result<(Meta, i64, Option<u64>), StoreError> {
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

/// The waiting bitmaps, from the byte that holds the head of the line.
async fn read_line(
    redis: &Redis,
    keys: &Keys,
    epoch: u64,
    head: Option<u64>,
) -> Result<Line, StoreError> {
    let Some(head) = head else {
        return Ok(Line::default());
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
    Ok(Line::build(parts.into_iter().zip(bitmaps).map(|((epoch, offset), b)| (epoch, offset, b))))
}

/// The seat map: what changed since `last`, or the whole where that can't be told.
async fn read_seats(
    redis: &Redis,
    keys: &Keys,
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
    // Atomic, so that the version belongs to what is read with it.
    let mut pipe = redis::pipe();
    pipe.atomic().cmd("HGET").arg(keys.meta()).arg("seat_version");
    pipe.cmd("GET").arg(keys.named("sold")).cmd("ZRANGE").arg(keys.named("held")).arg(0).arg(-1);
    let (number, gone, held): (Option<u64>, Option<Vec<u8>>, Vec<u32>) =
        redis.bulk_pipe(&pipe).await?;
    let version = SeatVersion { epoch: meta.epoch, number: number.unwrap_or(0) };
    Ok(Arc::new(SeatStates::whole(version, total, &gone.unwrap_or_default(), &held)))
}

/// An entry of the seatlog: its id is the version, its text `seat_number:state,…`.
fn change(id: &str, text: &str) -> Option<(u64, Vec<(u32, u8)>)> {
    let version = id.split('-').next()?.parse().ok()?;
    let seats = text.split(',').map(|part| {
        let (number, state) = part.split_once(':')?;
        Some((number.parse().ok()?, state.parse().ok()?))
    });
    Some((version, seats.collect::<Option<_>>()?))
}
