//! The SQL of a sale's pace.

use chrono::{DateTime, Utc};

use crate::store::StoreError;
use crate::store::id::ScheduleId;
use crate::store::pg::Pg;

/// Changes of a schedule among which its pause is looked for, the latest.
const CHANGES: i64 = 200;

/// Who paused the admission of a schedule last, and when. `None` if that is not among its latest
/// changes.
pub async fn last_pause(
    pg: &Pg,
    schedule: ScheduleId,
) -> Result<Option<(String, DateTime<Utc>)>, StoreError> {
    let row = sqlx::query!(
        r#"select u.name, a.created_at
             from (select * from audit where subject = $1
                    order by created_at desc limit $2) a
             join "user" u on u.id = a.admin
            where a.after @> '{"queue": {"paused": true}}'
              and (a.before is null or a.before @> '{"queue": {"paused": false}}')
            order by a.created_at desc limit 1"#,
        format!("schedule {schedule}"),
        CHANGES
    );
    Ok(row.fetch_optional(pg.pool()).await?.map(|row| (row.name, row.created_at)))
}
