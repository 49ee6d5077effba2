//! The content of both stores as one text, to compare before and after a request that must change
//! nothing.

use redis::AsyncCommands;

use super::world::World;

/// A hash of the tables that only requests change; loops write `queue` and `outbox`.
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
        union all select 'g' || t::text from guest_seat t
        union all select 'b' || t::text from box_office_action t
        union all select 'a' || t::text from audit t) as lines"#;

/// The keys that say who waits, who is active, and who has which seat.
const KEYS: [&str; 8] =
    ["waiting", "active", "place", "parked", "returned", "held", "claim", "sold"];

/// Everything that a refused request to `schedules` must not change.
pub async fn snapshot(world: &World, schedules: &[i64]) -> String {
    let mut text: Vec<String> =
        vec![sqlx::query_scalar(TABLES).fetch_one(&world.pool).await.expect("the tables")];
    let mut redis = world.raw_redis().await;
    for schedule in schedules {
        for key in KEYS {
            let name = format!("onsale:{{{schedule}}}:{key}");
            let dumped: Option<Vec<u8>> =
                redis::cmd("DUMP").arg(&name).query_async(&mut redis).await.expect("a key");
            let value = dumped.map_or_else(|| "-".to_owned(), |bytes| format!("{bytes:?}"));
            text.push(format!("{schedule} {key} {value}"));
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
