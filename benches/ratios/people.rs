//! Users who exist in PostgreSQL. The archive skips the queue entries of others, and so a bench with
//! invented users would not measure it.

use onsale::store::id::UserId;

use crate::Outcome;
use crate::stage::Stage;

/// Maximum number of users created by one statement.
const BATCH: u32 = 100_000;
/// Minimum number of newcomers created at a time.
const LEAST: u32 = 10_000;

/// Creates users with their balances, as `onsale seed` does.
const CREATE: &str = r#"with made as (
        insert into "user" (name) select 'Buyer ' || n from generate_series(1, $1) n returning id),
    balance as (insert into point (user_id, amount) select id, $2 from made)
    select min(id), max(id) from made"#;

impl Stage {
    /// Creates `count` users without points.
    pub async fn users(&self, count: u32) -> Outcome<Vec<UserId>> {
        self.users_with_points(count, 0).await
    }

    /// Creates `count` users with this many points each. Returns their ids in order.
    pub async fn users_with_points(&self, count: u32, points: i64) -> Outcome<Vec<UserId>> {
        let mut ids = Vec::new();
        for begin in (0..count).step_by(usize::try_from(BATCH)?) {
            let batch = i64::from(BATCH.min(count - begin));
            let create = sqlx::query_as(CREATE).bind(batch).bind(points);
            let (first, last): (i64, i64) = create.fetch_one(&self.pool).await?;
            if last - first + 1 != batch {
                return Err("the ids of new users have gaps".into());
            }
            ids.extend((first..=last).map(UserId));
        }
        Ok(ids)
    }
}

/// Users who have not joined yet. More are created when they run out.
#[derive(Debug, Default)]
pub struct Newcomers {
    users: Vec<UserId>,
    used: usize,
}

impl Newcomers {
    /// Returns the next `count` users. They stay the next ones until [`Newcomers::skip`].
    pub async fn next(&mut self, stage: &Stage, count: usize) -> Outcome<&[UserId]> {
        let missing = u32::try_from((self.used + count).saturating_sub(self.users.len()))?;
        if missing > 0 {
            self.users.extend(stage.users(missing.max(LEAST)).await?);
        }
        Ok(&self.users[self.used..self.used + count])
    }

    /// Takes the next `count` users: they may have joined.
    pub fn skip(&mut self, count: usize) {
        self.used += count;
    }
}
