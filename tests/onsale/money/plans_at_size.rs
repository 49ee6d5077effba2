//! With ten million rows in each large table, no statement reads a whole table. The statements are
//! those in .sqlx, so every new one is covered. The tables have thousands of rows, and statistics
//! that say millions: the planner decides by these.

use std::path::Path;

use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::support::world::World;

/// Rows of a large table, by its statistics.
const ROWS: i64 = 10_000_000;

/// Forty sales, and 20,000 rows in each table that grows.
const FILL: [&str; 24] = [
    // It would count the rows again.
    "do $$ declare t text; begin
       for t in select quote_ident(relname) from pg_class
                where relkind = 'r' and relnamespace = 'public'::regnamespace
       loop execute format('alter table %s set (autovacuum_enabled = off)', t); end loop;
     end $$",
    "insert into \"user\" (name, issuer, subject)
     select 'buyer', 'idp', n::text from generate_series(1, 20000) n",
    "insert into point (user_id, amount) select id, 1000 from \"user\"",
    "insert into point_history (user_id, kind, amount, balance_after, reference)
     select id, 'CHARGE', 1000, 1000, 'k' from \"user\"",
    "insert into idempotency_key (user_id, key, fingerprint, outcome, created_at)
     select id, 'k', sha256('a'), '{}', now() - id * interval '1 s' from \"user\"",
    "insert into recovery_code (user_id, selector, hash)
     select id, lpad(id::text, 8, '0'), sha256('a') from \"user\"",
    "insert into sign_up_form select sha256(id::text::bytea), id from \"user\"",
    "with made as (insert into concert (title) select 'concert' from generate_series(1, 40)
                   returning id)
     insert into concert_schedule (concert_id, reservation_available_at, deadline_at, concert_at,
                                   queue_opens_at, draw_secret, draw_commitment)
     select id, now(), now() + interval '1 h', now() + interval '1 d', now(), sha256('a'),
            sha256('b') from made",
    "insert into seat (concert_schedule_id, seat_number, section, \"row\", seat_price, fence)
     select s.id, n, 'A', '1', 100, n % 3 from concert_schedule s, generate_series(1, 500) n",
    "insert into queue (user_id, concert_schedule_id, token, status, sequence, created_at)
     select n, s.id, gen_random_uuid(), 'WAITING', n, now()
     from concert_schedule s, generate_series(1, 500) n",
    "insert into draw_entrant (concert_schedule_id, sequence, user_id, ticket_id, place)
     select s.id, n, n, gen_random_uuid(), n from concert_schedule s, generate_series(1, 500) n",
    "insert into reservation (concert_id, concert_schedule_id, seat_id, user_id, hold_id, amount,
                              status, queue_sequence, reservation_at, expires_at)
     select c.concert_id, c.id, s.id, 1 + s.id % 20000, gen_random_uuid(), 100,
            (array['PAYMENT_WAITING', 'COMPLETE', 'EXPIRED', 'REFUNDED'])[1 + s.id % 4], 1, now(),
            now() + interval '5 min'
     from seat s join concert_schedule c on c.id = s.concert_schedule_id",
    "insert into payment (reservation_id, user_id, amount, status, refunded_at)
     select id, user_id, amount, case status when 'COMPLETE' then status else 'REFUNDED' end,
            case status when 'REFUNDED' then now() end
     from reservation where status in ('COMPLETE', 'REFUNDED')",
    "insert into guest_seat (reservation_id, concert_schedule_id, was_blocked, given_by, reason)
     select id, concert_schedule_id, false, 1, 'r' from reservation",
    "insert into box_office_action
       (kind, admin, user_id, concert_schedule_id, reservation_id, seat_id, reason)
     select 'REFUND', 1, user_id, concert_schedule_id, id, seat_id, 'r' from reservation",
    "insert into rejection_count (concert_schedule_id, wanted, reason, since, times)
     select s.id, 'join', 'sold_out', now() + n * interval '10 s', 1
     from concert_schedule s, generate_series(1, 500) n",
    "insert into audit (admin, action, subject)
     select 1, 'queue.change', 'schedule ' || n from generate_series(1, 20000) n",
    "insert into sale_sample (concert_schedule_id, step, at, counted_at, stands, phase, recovering,
                              drawing)
     select s.id, (array[1, 10, 60])[1 + n % 3], now() - n * interval '1 s', now(), 2, 'OPEN', false,
            false
     from concert_schedule s, generate_series(1, 500) n",
    "insert into store_repair (concert_schedule_id, what, times, at)
     select s.id, 'seat', 1, now() - n * interval '1 min'
     from concert_schedule s, generate_series(1, 500) n",
    "insert into sale_event (type, entity, data, position, occurred_at)
     select 'reservation.held', 'hold:' || n, '{}', n, now() - (20000 - n) * interval '10 s'
     from generate_series(1, 20000) n",
    "insert into webhook_endpoint (url, secret)
     select 'https://shop.example/' || n, sha256('a') from generate_series(1, 3) n",
    "insert into webhook_delivery (endpoint_id, event_id, entity, status, due_at, ended_at)
     select 1 + id % 3, id, entity, case when id % 100 = 0 then 'PENDING' else 'DELIVERED' end,
            occurred_at, case when id % 100 = 0 then null else occurred_at end
     from sale_event",
    "insert into job (kind, concert_schedule_id, user_id, requested_by, cancellable, state, finished_at)
     select 'REFUND_SCHEDULE', n, n, 1, true, case when n % 100 = 0 then 'PENDING' else 'DONE' end,
            case when n % 100 = 0 then null else now() - n * interval '1 min' end
     from generate_series(1, 20000) n",
    "insert into barred_user (user_id, changed_at)
     select id, now() - id * interval '1 min' from \"user\"",
];

/// Makes every table with at least 1,000 rows, and its indexes, as large as `$1` rows. The planner
/// multiplies the rows per page by the pages that the file has, so the pages stay.
const ENLARGE: &str = "with large as (
       select oid, reltuples from pg_class where relkind = 'r' and reltuples >= 1000
         and relnamespace = 'public'::regnamespace),
     all_of as (
       select oid, $1 as rows from large
       union all
       select i.indexrelid, greatest(1, c.reltuples * $1 / l.reltuples)
       from large l join pg_index i on i.indrelid = l.oid join pg_class c on c.oid = i.indexrelid)
     update pg_class c set reltuples = a.rows from all_of a where a.oid = c.oid";

/// Names of the tables that are large now.
const LARGE: &str =
    "select relname::text from pg_class where relkind = 'r' and reltuples >= 1000000
    and relnamespace = 'public'::regnamespace order by relname";

/// A statement of the program, with the types of its parameters.
struct Statement {
    sql: String,
    types: Vec<String>,
}

/// Every statement in .sqlx that reads or changes rows.
fn statements() -> Vec<Statement> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(".sqlx");
    let files = std::fs::read_dir(folder).expect(".sqlx").map(|file| file.expect("a file").path());
    let read = |path| {
        let text = std::fs::read_to_string(path).expect("a file");
        let file: Value = serde_json::from_str(&text).expect("JSON");
        let types = file["describe"]["parameters"]["Left"].as_array().cloned().unwrap_or_default();
        let types = types.iter().map(|it| it.as_str().expect("a type").to_owned()).collect();
        Statement { sql: file["query"].as_str().expect("a query").to_owned(), types }
    };
    let reads_rows = |statement: &Statement| {
        let first = statement.sql.split_whitespace().next().unwrap_or_default();
        ["select", "insert", "update", "delete", "with"].contains(&first)
    };
    files.map(read).filter(reads_rows).collect()
}

/// A value of a parameter, as SQL: a large page, and arrays as long as a batch.
fn value(kind: &str) -> String {
    let one = match kind.trim_end_matches("Array") {
        "Int8" => "5000::int8",
        "Int4" => "500::int4",
        "Int2" => "500::int2",
        "Text" => "'x'::text",
        "Timestamptz" => "now()",
        "Bytea" => "sha256('a')",
        "Uuid" => "'019a2f10-4c3b-7d52-9e61-2f0a8c1b7d34'::uuid",
        "Bool" => "true",
        "Float8" => "10::float8",
        "Float4" => "10::float4",
        "Jsonb" => "'{}'::jsonb",
        other => panic!("give the type {other} a value"),
    };
    if kind.ends_with("Array") { format!("array_fill({one}, array[5000])") } else { one.to_owned() }
}

/// The large tables that the plan of `statement` reads from end to end.
async fn read_whole(
    conn: &mut PgConnection,
    statement: &Statement,
    large: &[String],
) -> Vec<String> {
    let prepare = AssertSqlSafe(format!("prepare asked as {}", statement.sql));
    sqlx::raw_sql(prepare).execute(&mut *conn).await.expect(&statement.sql);
    let values: Vec<String> = statement.types.iter().map(|kind| value(kind)).collect();
    let values = if values.is_empty() { String::new() } else { format!("({})", values.join(", ")) };
    let explain = AssertSqlSafe(format!("explain (format json) execute asked{values}"));
    let plan: Value = sqlx::query_scalar(explain)
        .persistent(false)
        .fetch_one(&mut *conn)
        .await
        .unwrap_or_else(|error| panic!("{}: {error}", statement.sql));
    sqlx::raw_sql("deallocate asked").execute(conn).await.expect("deallocated");
    let (mut found, mut nodes) = (Vec::new(), vec![&plan[0]["Plan"]]);
    while let Some(node) = nodes.pop() {
        let table = node["Relation Name"].as_str().unwrap_or_default();
        if node["Node Type"] == "Seq Scan" && large.iter().any(|it| it == table) {
            found.push(table.to_owned());
        }
        nodes.extend(node["Plans"].as_array().into_iter().flatten());
    }
    found
}

/// The statements that read a large table from end to end, with the plan of any parameters
/// (`generic`) or with the one for [`value`].
async fn faulty(conn: &mut PgConnection, generic: bool) -> Vec<String> {
    let mode = if generic { "force_generic_plan" } else { "force_custom_plan" };
    let set = AssertSqlSafe(format!("set plan_cache_mode = {mode}"));
    sqlx::raw_sql(set).execute(&mut *conn).await.expect("it is set");
    let large: Vec<String> = sqlx::query_scalar(LARGE).fetch_all(&mut *conn).await.expect("tables");
    assert!(large.len() >= 15, "{large:?}");
    let statements = statements();
    assert!(statements.len() > 100, "{} statements", statements.len());
    let mut found = Vec::new();
    for statement in &statements {
        for table in read_whole(conn, statement, &large).await {
            let words: Vec<&str> = statement.sql.split_whitespace().collect();
            found.push(format!("{table}: {}", words.join(" ")));
        }
    }
    found
}

#[tokio::test]
async fn with_ten_million_rows_no_statement_reads_a_whole_table() {
    let world = World::new().await;
    for sql in FILL {
        sqlx::query(sql)
            .execute(&world.pool)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
    }
    sqlx::query("analyze").execute(&world.pool).await.expect("statistics");
    #[expect(clippy::cast_precision_loss, reason = "a round number")]
    let rows = ROWS as f32;
    sqlx::query(ENLARGE).bind(rows).execute(&world.pool).await.expect("large tables");
    // As the sessions of the program are.
    let mut conn = PgConnection::connect(&world.database_url).await.expect("PostgreSQL");
    for setting in ["enable_bitmapscan = off", "jit = off"] {
        let set = AssertSqlSafe(format!("set {setting}"));
        sqlx::raw_sql(set).execute(&mut conn).await.expect("it is set");
    }
    for generic in [true, false] {
        assert_eq!(faulty(&mut conn, generic).await, [""; 0], "generic: {generic}");
    }
    // The negative control: without an index, the statements that need it are found.
    for (index, table) in
        [("payment_of_user", "payment"), ("idempotency_key_by_age", "idempotency_key")]
    {
        let mut tx = conn.begin().await.expect("a transaction");
        let drop = AssertSqlSafe(format!("drop index {index}"));
        sqlx::query(drop).execute(&mut *tx).await.expect("it is dropped");
        let found = faulty(&mut tx, true).await;
        assert!(found.iter().any(|one| one.starts_with(&format!("{table}: "))), "{found:?}");
        tx.rollback().await.expect("it is back");
    }
}
