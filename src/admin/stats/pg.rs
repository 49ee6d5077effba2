//! The SQL of a sale's figures and of the audit.

use super::model::{AuditEntry, AuditQuery, Sales};
use crate::pagination::Paging;
use crate::store::StoreError;
use crate::store::id::{ScheduleId, UserId};
use crate::store::pg::Pg;

/// Counts held and sold seats of a schedule, using the index by schedule, and rejections.
pub async fn sales(pg: &Pg, id: ScheduleId) -> Result<Sales, StoreError> {
    let sales = sqlx::query_as!(
        Sales,
        r#"select count(*) filter (where status = 'PAYMENT_WAITING'
                                     and expires_at > clock_timestamp()) as "held!",
                  count(*) filter (where status = 'COMPLETE' and not guest) as "sold!",
                  count(*) filter (where guest) as "guests!",
                  coalesce(sum(amount) filter (where status = 'COMPLETE'), 0)::bigint as "revenue!",
                  (select coalesce(sum(times), 0)::bigint from rejection_count
                   where concert_schedule_id = $1 and wanted <> 'pay') as "rejections!"
           from reservation
           where concert_schedule_id = $1 and status || '' in ('PAYMENT_WAITING', 'COMPLETE')"#,
        id.0
    );
    Ok(sales.fetch_one(pg.pool()).await?)
}

/// Reads the audit entries that match `query`, newest first. Returns one more than fits the page,
/// to show that there is another page.
pub async fn audit(
    pg: &Pg,
    query: &AuditQuery,
    paging: Paging,
) -> Result<Vec<AuditEntry>, StoreError> {
    let rows = sqlx::query!(
        r#"select a.id, a.admin, u.name as admin_name, a.action, a.subject, a.before, a.after,
                  a.created_at
           from audit a join "user" u on u.id = a.admin
           where a.id < $1 and ($3::text is null or a.action = $3)
             and ($4::text is null or a.subject = $4) and ($5::bigint is null or a.admin = $5)
           order by a.id desc limit $2"#,
        paging.after.unwrap_or(i64::MAX),
        paging.fetch(),
        query.action.as_deref(),
        query.subject.as_deref(),
        query.admin
    )
    .fetch_all(pg.pool())
    .await?;
    let entries = rows.into_iter().map(|row| AuditEntry {
        id: row.id,
        admin: UserId(row.admin),
        admin_name: row.admin_name,
        action: row.action,
        subject: row.subject,
        before: row.before,
        after: row.after,
        created_at: row.created_at,
    });
    Ok(entries.collect())
}
