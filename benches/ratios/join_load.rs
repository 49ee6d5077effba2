//! Rounds of joins by new users, and what they cost until PostgreSQL has their rows.

use std::time::{Duration, Instant};

use onsale::caller::Role;
use onsale::store::id::{ScheduleId, UserId};

use crate::Outcome;
use crate::cpu::micros_each;
use crate::load::{Load, Request, Round};
use crate::people::Newcomers;
use crate::stage::{Stage, token};

/// Users per second of a load: more than can join in a second.
const PER_SECOND: u32 = 50_000;

/// Joins of one queue from which nobody is admitted.
pub struct JoinLoad<'s> {
    stage: &'s Stage,
    schedule: ScheduleId,
    newcomers: Newcomers,
}

/// One round of joins.
#[derive(Debug, Clone, Copy)]
pub struct JoinRound {
    pub round: Round,
    /// CPU per join of onsale, Redis and PostgreSQL in microseconds, until the log was empty.
    pub cpu: [f64; 3],
    /// Time from the last answer until the log was empty.
    pub delay: Duration,
    /// The highest age of the log's oldest entry.
    pub backlog: Duration,
}

impl<'s> JoinLoad<'s> {
    pub fn new(stage: &'s Stage, schedule: ScheduleId) -> Self {
        Self { stage, schedule, newcomers: Newcomers::default() }
    }

    /// Lets new users join for some seconds, then waits until the archive has written their rows.
    ///
    /// # Errors
    /// Fails unless each join created an entry, and each entry became a row.
    pub async fn round(&mut self, callers: u32, seconds: u32) -> Outcome<JoinRound> {
        let stage = self.stage;
        let load = self.load(callers, seconds).await?;
        let before = (stage.waiting(self.schedule).await?, stage.used()?);
        let watch = stage.watch_archive(self.schedule);
        let round = stage.send(&load, Duration::from_secs(seconds.into())).await?;
        let ended = Instant::now();
        stage.settled(self.schedule).await?;
        let (delay, used) = (ended.elapsed(), stage.used()? - before.1);
        let backlog = watch.highest().await?;

        let all = stage.waiting(self.schedule).await?;
        let (joins, most) = (all - before.0, round.answers + u64::from(callers));
        if !(round.answers..=most).contains(&joins) {
            return Err(format!("{} joins answered, {joins} entries", round.answers).into());
        }
        stage.assert_archived(self.schedule, all).await?;
        self.newcomers.skip(usize::try_from(most)?);
        let cpu = [used.onsale, used.redis, used.postgres].map(|used| micros_each(used, joins));
        Ok(JoinRound { round, cpu, delay, backlog })
    }

    /// Creates a load of joins by the next users.
    async fn load(&mut self, callers: u32, seconds: u32) -> Outcome<Load> {
        let count = usize::try_from(PER_SECOND * seconds)?;
        let path = format!("/v1/schedules/{}/queue", self.schedule);
        let users = self.newcomers.next(self.stage, count).await?;
        let bearer = |user: &UserId| Ok(format!("Bearer {}", token(*user, Role::User)?));
        let tokens: Vec<String> = users.iter().map(bearer).collect::<Outcome<_>>()?;
        let requests = tokens.iter().map(|token| Request {
            method: "POST",
            path: &path,
            headers: vec![("Authorization", token)],
            body: None,
        });
        Load::new(&self.stage.folder, ("joins", "onsale_joins_total"), requests, callers)
    }
}
