//! What the two stores hold, as one text: equal before and after whatever must change nothing.

use redis::AsyncCommands;

use super::world::World;

/// The tables that only a request changes; `queue` and `outbox` are written behind it.
const TABLES: &str = r#"
    select md5(coalesce(string_agg(line, '|' order by line), '')) from (
        select 'u' || t::text as line from "user" t
        union all select 'c' || t::text from concert t
        union all select 's' || t::text from concert_schedule t
        union all select 'e' || t::text from seat t
        union all select 'r' || t::text from reservation t
        union all select 'p' || t::text from payment t
        union all select 'o' || t::text from point t
        union all select 'h' || t::text from point_history t
        union all select 'i' || t::text from idempotency_key t
        union all select 'a' || t::text from audit t) as lines"#;

/// Who waits, who is inside, and which seats are whose.
const KEYS: [&str; 8] =
    ["waiting", "active", "place", "parked", "returned", "held", "claim", "sold"];

/// Everything that a refused request to `schedules` must leave as it was.
pub async fn of(world: &World, schedules: &[i64]) -> String {
    let mut text: Vec<String> =
        vec![sqlx::query_scalar(TABLES).fetch_one(&world.pool).await.expect("the tables")];
    let mut redis = world.raw_redis().await;
    for schedule in schedules {
        for key in KEYS {
            let name = format!("onsale:{{{schedule}}}:{key}");
            let dumped: Option<Vec<u8>> =
                redis::cmd("DUMP").arg(&name).query_async(&mut redis).await.expect("a key");
            let size = dumped.map_or_else(|| "-".to_owned(), |bytes| format!("{bytes:?}"));
            text.push(format!("{schedule} {key} {size}"));
        }
        let meta: Vec<Option<String>> = redis
            .hmget(
                format!("onsale:{{{schedule}}}:meta"),
                &["next_n", "epoch", "gone", "settings_version"],
            )
            .await
            .expect("the meta");
        text.push(format!("{schedule} {meta:?}"));
    }
    text.join("\n")
}
