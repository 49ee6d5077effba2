//! Looks for alerts that begin or end, in one process at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::model::AlertKind;
use super::pg::{self, Recent};
use super::rules::{AlertRules, Known, Verdict};
use crate::admin::history::pg::read;
use crate::admin::history::sample::Sample;
use crate::store::StoreError;
use crate::store::id::ScheduleId;
use crate::store::pg::{Pg, Tx, Work, clock};
use crate::store::redis::Redis;

/// Time between two looks of one process. It is a little longer than [`AlertRules::every`].
pub const EVERY: Duration = Duration::from_secs(5);
/// Longest wait for Redis's answer.
const PING_TIMEOUT: Duration = Duration::from_secs(1);
/// Readings are read from this long before the longest time of a rule.
const MARGIN: TimeDelta = TimeDelta::seconds(15);

/// The kinds of alerts of one sale, and of a store by the readings of any sale.
const OF_SALES: [AlertKind; 5] = [
    AlertKind::NobodyAdmitted,
    AlertKind::Recovering,
    AlertKind::RefusalsRise,
    AlertKind::SoldOut,
    AlertKind::StoresDiffer,
];
const OF_STORES: [AlertKind; 2] = [AlertKind::RedisSlow, AlertKind::PostgresPoolExhausted];
/// What a store that is unavailable causes too.
const CONSEQUENCES: [AlertKind; 5] = [
    AlertKind::NobodyAdmitted,
    AlertKind::Recovering,
    AlertKind::RefusalsRise,
    AlertKind::RedisSlow,
    AlertKind::PostgresPoolExhausted,
];

/// The loop of one process that looks for alerts; cheap to clone.
#[derive(Debug, Clone)]
pub struct AlertWatch {
    pg: Pg,
    redis: Redis,
    rules: AlertRules,
    lost: Arc<Mutex<Lost>>,
}

/// Since when the stores have not answered this process.
#[derive(Debug, Clone, Copy, Default)]
struct Lost {
    redis: Option<DateTime<Utc>>,
    postgres: Option<DateTime<Utc>>,
}

/// The transaction of one check.
#[derive(Debug)]
struct Check<'a> {
    rules: &'a AlertRules,
    lost: Lost,
}

/// What a check has found so far.
struct Found<'a> {
    rules: &'a AlertRules,
    recent: Vec<Recent>,
    samples: BTreeMap<ScheduleId, Vec<Sample>>,
    now: DateTime<Utc>,
}

impl AlertWatch {
    /// Creates the loop.
    #[must_use]
    pub fn new(pg: Pg, redis: Redis, rules: AlertRules) -> Self {
        Self { pg, redis, rules, lost: Arc::default() }
    }

    /// Begins and ends alerts, unless another process has just done so. Always returns false.
    pub async fn step(&self) -> Result<bool, StoreError> {
        let answers = tokio::time::timeout(PING_TIMEOUT, self.redis.ping()).await;
        let lost = self.note(|lost| note_loss(&mut lost.redis, matches!(answers, Ok(Ok(())))));
        let checked = self.pg.transact(&Check { rules: &self.rules, lost }).await;
        if !matches!(checked, Err(StoreError::Conflict(_))) {
            self.note(|lost| note_loss(&mut lost.postgres, checked.is_ok()));
        }
        checked.map(|()| false)
    }

    fn note(&self, change: impl FnOnce(&mut Lost)) -> Lost {
        let mut lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut lost);
        *lost
    }
}

/// Notes whether a store answered.
fn note_loss(lost: &mut Option<DateTime<Utc>>, answers: bool) {
    *lost = if answers { None } else { lost.or_else(|| Some(Utc::now())) };
}

impl Work for Check<'_> {
    type Output = ();
    type Error = StoreError;
    const NAME: &'static str = "check_alerts";

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        let rules = self.rules;
        let has_lasted = |since: DateTime<Utc>| Utc::now() - since >= rules.unavailable;
        if let Some(since) = self.lost.postgres.filter(|since| has_lasted(*since)) {
            pg::record_outage(tx, since).await?;
        }
        if !pg::take_turn(tx, rules.every.as_seconds_f64()).await? {
            return Ok(());
        }
        let longest = rules.nobody_admitted.max(rules.slow).max(rules.refusals).max(rules.clear);
        let mut samples: BTreeMap<ScheduleId, Vec<Sample>> = BTreeMap::new();
        for (schedule, sample) in read::recent(tx, (longest + MARGIN).as_seconds_f64()).await? {
            samples.entry(schedule).or_default().push(sample);
        }
        let recent = pg::recent(tx, rules.consequences.as_seconds_f64()).await?;
        let now = clock(tx.conn()).await?;
        let found = Found { rules, recent, samples, now };
        found.check_redis(tx, self.lost.redis).await?;
        found.check_stores(tx).await?;
        found.check_sales(tx).await
    }
}

impl Found<'_> {
    /// Redis is unavailable if it does not answer this process, and no process has written a reading
    /// for as long.
    async fn check_redis(
        &self,
        tx: &mut Tx,
        lost: Option<DateTime<Utc>>,
    ) -> Result<(), StoreError> {
        let Some(since) = lost else {
            return pg::end(tx, None, AlertKind::RedisUnavailable).await;
        };
        let last = self.samples.values().filter_map(|of| of.last()).map(|it| it.at).max();
        let limit = self.rules.unavailable;
        if Utc::now() - since >= limit && last.is_none_or(|last| self.now - last >= limit) {
            pg::begin(tx, None, AlertKind::RedisUnavailable, &json!({})).await?;
        }
        Ok(())
    }

    /// The figures of stores are the same in the readings of all sales.
    async fn check_stores(&self, tx: &mut Tx) -> Result<(), StoreError> {
        let most = self.samples.values().max_by_key(|samples| samples.len());
        let samples = most.map_or(&[][..], Vec::as_slice);
        let known = Known { samples, repaired_at: None, now: self.now };
        for kind in OF_STORES {
            self.apply(tx, None, kind, known).await?;
        }
        Ok(())
    }

    async fn check_sales(&self, tx: &mut Tx) -> Result<(), StoreError> {
        let open = self.recent.iter().filter_map(|alert| alert.schedule);
        let sales: BTreeSet<ScheduleId> = self.samples.keys().copied().chain(open).collect();
        let ids: Vec<i64> = sales.iter().map(|id| id.0).collect();
        let seconds = self.rules.repaired.as_seconds_f64();
        let repairs: BTreeMap<_, _> = pg::repairs(tx, &ids, seconds).await?.into_iter().collect();
        for sale in sales {
            let samples = self.samples.get(&sale).map_or(&[][..], Vec::as_slice);
            let repaired_at = repairs.get(&sale).copied();
            let known = Known { samples, repaired_at, now: self.now };
            for kind in OF_SALES {
                self.apply(tx, Some(sale), kind, known).await?;
            }
        }
        Ok(())
    }

    /// Begins or ends an alert by its verdict.
    async fn apply(
        &self,
        tx: &mut Tx,
        schedule: Option<ScheduleId>,
        kind: AlertKind,
        known: Known<'_>,
    ) -> Result<(), StoreError> {
        let is_open = self.recent.iter().any(|alert| {
            alert.ended_at.is_none() && (alert.schedule, alert.kind) == (schedule, Some(kind))
        });
        match known.verdict(kind, self.rules) {
            Verdict::Begin(detail) if !is_open && !self.is_consequence(kind) => {
                pg::begin(tx, schedule, kind, &detail).await
            }
            Verdict::End if is_open => pg::end(tx, schedule, kind).await,
            // The sale is over, and is not recorded any more.
            Verdict::Keep if is_open && known.samples.is_empty() && !self.is_store_lost() => {
                pg::end(tx, schedule, kind).await
            }
            _ => Ok(()),
        }
    }

    /// Whether a store that is unavailable, or was until lately, explains the alert.
    fn is_consequence(&self, kind: AlertKind) -> bool {
        CONSEQUENCES.contains(&kind) && self.is_store_lost()
    }

    /// Whether a store is unavailable, or was until lately.
    fn is_store_lost(&self) -> bool {
        let kinds = [Some(AlertKind::RedisUnavailable), Some(AlertKind::PostgresUnavailable)];
        self.recent.iter().any(|alert| kinds.contains(&alert.kind))
    }
}
