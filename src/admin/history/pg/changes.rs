//! The SQL of what changed in a sale: the audit, and the repairs.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::admin::history::markers::Change;
use crate::admin::history::model::{Marker, MarkerKind};
use crate::store::StoreError;
use crate::store::id::{ConcertId, ScheduleId};
use crate::store::pg::Pg;

/// Most changes in one answer.
pub const MAX_CHANGES: i64 = 500;

/// What administrators changed in a sale or its concert in a time: the latest changes, newest first.
pub async fn of_sale(
    pg: &Pg,
    (schedule, concert): (ScheduleId, ConcertId),
    from: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<Vec<Change>, StoreError> {
    let changes = sqlx::query_as!(
        Change,
        r#"select a.created_at as "at!", u.name as "by!", a.action as "action!",
                  a.before as "before?", a.after as "after?"
             from unnest(array[$1::text, $2::text]) as about (subject), lateral (
                  select * from audit
                   where audit.subject = about.subject and created_at >= $3 and created_at < $4
                   order by created_at desc limit $5) a
             join "user" u on u.id = a.admin
            order by a.created_at desc limit $5"#,
        format!("schedule {schedule}"),
        format!("concert {concert}"),
        from,
        until,
        MAX_CHANGES
    );
    Ok(changes.fetch_all(pg.pool()).await?)
}

/// What the reconciler repaired in a sale in a time, as markers, newest first.
pub async fn repairs(
    pg: &Pg,
    schedule: ScheduleId,
    from: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<Vec<Marker>, StoreError> {
    let rows = sqlx::query!(
        "select at, what, times from store_repair
          where concert_schedule_id = $1 and at >= $2 and at < $3 order by at desc limit $4",
        schedule.0,
        from,
        until,
        MAX_CHANGES
    )
    .fetch_all(pg.pool())
    .await?;
    let marker = |(at, what, times): (DateTime<Utc>, String, i64)| {
        let after: Value = json!({ "what": what, "times": times });
        Marker { after: Some(after), ..Marker::new(at, MarkerKind::Repaired) }
    };
    Ok(rows.into_iter().map(|row| marker((row.at, row.what, row.times))).collect())
}
