//! A large export takes no more memory than a small one. Linux only: it reads `/proc`.
#![cfg(target_os = "linux")]

use serde_json::json;

use crate::support::client::Client;
use crate::support::program::Program;
use crate::support::sale;
use crate::support::world::{World, token};

/// Rows, or as many as `ONSALE_TEST_ROWS` says.
const ROWS: i64 = 300_000;
/// Most that the process may grow by, in KiB. The file is several times as large.
const MOST_KIB: u64 = 24 * 1024;

/// Memory of a process that is not on disk, in KiB.
fn resident(process: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{process}/status")).expect("a process");
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// Downloads a file; returns its lines, its bytes, and the most memory that the process had meanwhile.
async fn download(admin: &Client, program: &Program, path: &str) -> (usize, usize, u64) {
    let request = admin.request(reqwest::Method::GET, path);
    let mut answer = request.send().await.expect("an answer");
    let (mut lines, mut bytes, mut most) = (0, 0, 0);
    while let Some(chunk) = answer.chunk().await.expect("the whole file") {
        lines += chunk.split(|byte| *byte == b'\n').count() - 1;
        bytes += chunk.len();
        most = most.max(resident(program.id()));
    }
    (lines, bytes, most)
}

#[tokio::test]
async fn an_export_of_many_rows_takes_no_more_memory_than_of_a_few() {
    let rows = std::env::var("ONSALE_TEST_ROWS").map_or(ROWS, |it| it.parse().expect("rows"));
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let schedule = sale::open(&admin, 1, 2, json!({})).await.schedule;
    process.stop().await;
    let fill =
        "insert into queue (user_id, concert_schedule_id, token, status, sequence, created_at,
                                   entered_at)
        select $1, $2, gen_random_uuid(), 'COMPLETED', (1::bigint << 40) + n, now(), now()
        from generate_series(1, $3) n";
    let filled = sqlx::query(fill).bind(admin.user).bind(schedule).bind(rows);
    filled.execute(&world.pool).await.expect("entries");
    sqlx::query("analyze queue").execute(&world.pool).await.expect("statistics");
    let program = Program::start(&world, &[("ONSALE_REQUEST_TIMEOUT", "120s")]).await;
    let mut admin = admin.at(program.addr);
    admin.token = Some(token(admin.user, onsale::caller::Role::Admin));
    let path = format!("/v1/admin/schedules/{schedule}/exports/admissions");
    // The last rows alone, so that everything that a download needs is in memory.
    let almost = (1_i64 << 40) + rows - 3_000;
    let few = download(&admin, &program, &format!("{path}.jsonl?after={almost}")).await;
    assert_eq!(few.0, 3_000);
    for (format, head) in [("jsonl", 0), ("csv", 1)] {
        let many = download(&admin, &program, &format!("{path}.{format}")).await;
        assert_eq!(many.0, usize::try_from(rows).unwrap() + head);
        let grown = many.2.saturating_sub(few.2);
        println!("{format}: {} MB, {grown} KiB more memory", many.1 / 1_000_000);
        assert!(grown < MOST_KIB, "{grown} KiB for {} bytes", many.1);
        assert!(many.1 as u64 > 1024 * MOST_KIB, "the file is larger than what was allowed");
    }
}
