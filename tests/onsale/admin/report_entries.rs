//! The list of all queue entries as CSV, which is streamed: a slow reader holds up nothing, and a
//! reader that hangs up ends it.

use std::net::SocketAddr;

use serde_json::json;
use socket2::{Domain, Socket, Type};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::client::Client;
use crate::support::sale;
use crate::support::wait::until;
use crate::support::world::World;

/// More than fits into the buffers between server and client, several times over.
const ENTRIES: i64 = 300_000;
/// Entries that the server reads in one statement.
const PAGE: i64 = 5_000;

/// A sale with [`ENTRIES`] queue entries of two epochs; returns its schedule.
async fn fill(world: &World, admin: &Client) -> i64 {
    let schedule = sale::open(admin, 1, 3, json!({})).await.schedule;
    let sql = "insert into queue (user_id, concert_schedule_id, token, status, sequence, created_at,
                                  entered_at)
        select $1, $2, gen_random_uuid(), 'WAITING', (1 + n / 200000) * (1::bigint << 40) + n, now(),
               case when n % 2 = 0 then now() end
        from generate_series(1, $3) n";
    let fill = sqlx::query(sql).bind(admin.user).bind(schedule).bind(ENTRIES);
    fill.execute(&world.pool).await.expect("entries");
    for sql in COUNT_STATEMENTS {
        sqlx::query(sql)
            .execute(&world.pool)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
    }
    schedule
}

/// Counts the statements that read `queue`, at once and for all sessions: a sequence knows no
/// transactions.
const COUNT_STATEMENTS: [&str; 4] = [
    "analyze queue",
    "create sequence statements",
    "alter table queue rename to queue_rows",
    "create view queue as select * from queue_rows where (select nextval('statements')) > 0",
];

/// How many pages were read.
async fn pages(world: &World) -> i64 {
    world.number("select case when is_called then last_value else 0 end from statements").await
}

/// Requests the list over a connection with a small buffer, and reads its head.
async fn ask(addr: SocketAddr, admin: &Client, schedule: i64) -> (TcpStream, String) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket.set_recv_buffer_size(64 * 1024).expect("a small buffer");
    socket.connect(&addr.into()).expect("a connection");
    socket.set_nonblocking(true).expect("a socket for tokio");
    let mut stream = TcpStream::from_std(socket.into()).expect("a stream");
    let request = format!(
        "GET /v1/admin/schedules/{schedule}/report/entries.csv HTTP/1.1\r\nhost: x\r\n\
         authorization: Bearer {}\r\nconnection: close\r\n\r\n",
        admin.token.as_deref().expect("a token")
    );
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.expect("a head"));
    }
    (stream, String::from_utf8(head).expect("a text"))
}

/// Waits until the server reads no more pages, and has no transaction open meanwhile. Returns how
/// many it has read.
async fn until_still(world: &World) -> i64 {
    let busy = "select count(*) from pg_stat_activity where datname = current_database()
                  and application_name = 'onsale' and (state <> 'idle' or backend_xmin is not null)
                  and query like '%from queue%'";
    let (mut last, mut same) = (-1, 0);
    until("the server waits for the reader", async || {
        let now = pages(world).await;
        same = if now == last && world.number(busy).await == 0 { same + 1 } else { 0 };
        last = now;
        // A second: a page takes some milliseconds.
        (same == 50).then_some(now)
    })
    .await
}

/// The body without the sizes of its chunks.
fn unchunked(mut body: &[u8]) -> Vec<u8> {
    let mut whole = Vec::with_capacity(body.len());
    loop {
        let end = body.windows(2).position(|two| two == b"\r\n").expect("a size");
        let size = std::str::from_utf8(&body[..end]).expect("a size");
        let size = usize::from_str_radix(size, 16).expect("a size");
        if size == 0 {
            return whole;
        }
        whole.extend(&body[end + 2..end + 2 + size]);
        body = &body[end + 4 + size..];
    }
}

#[tokio::test]
async fn a_slow_reader_of_all_entries_holds_up_nothing_and_gets_every_entry() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let schedule = fill(&world, &admin).await;
    let (mut stream, head) = ask(process.addr, &admin, schedule).await;
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    assert!(head.contains(&format!("filename=\"onsale-schedule-{schedule}-entries.csv\"")));
    let read = until_still(&world).await;
    assert!((1..ENTRIES / PAGE / 2).contains(&read), "{read} pages were read ahead of the client");
    let mut body = Vec::new();
    stream.read_to_end(&mut body).await.expect("the whole body");
    let text = String::from_utf8(unchunked(&body)).expect("a text");
    let mut lines = text.split("\r\n");
    assert_eq!(
        lines.next(),
        Some("sequence,ticket_id,user_id,status,joined_at,admitted_at,ended_at")
    );
    let sequences: Vec<i64> = lines
        .filter(|line| !line.is_empty())
        .map(|line| {
            let cells: Vec<&str> = line.split(',').collect();
            assert_eq!((cells.len(), cells[3], cells[6]), (7, "WAITING", ""), "{line}");
            let sequence: i64 = cells[0].parse().expect("a sequence");
            assert_eq!(cells[5].is_empty(), sequence % 2 != 0, "{line}");
            sequence
        })
        .collect();
    assert_eq!(i64::try_from(sequences.len()).expect("a count"), ENTRIES);
    assert_eq!(pages(&world).await, ENTRIES / PAGE + 1);
    assert!(sequences.is_sorted_by(|one, next| one < next));
    let unknown = "/v1/admin/schedules/999999/report/entries.csv";
    admin.get(unknown).await.refused(404, "schedule_not_found");
}

#[tokio::test]
async fn a_reader_of_all_entries_who_hangs_up_ends_the_list() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let schedule = fill(&world, &admin).await;
    let connections = async || {
        let metrics = process.anonymous().get("/metrics").await.text;
        let line = metrics.lines().find_map(|line| line.strip_prefix("onsale_http_connections "));
        line.expect("a gauge").parse::<f64>().expect("a number")
    };
    let open = connections().await;
    let (stream, _) = ask(process.addr, &admin, schedule).await;
    assert!(connections().await > open);
    drop(stream);
    until("its connection is closed", async || (connections().await <= open).then_some(())).await;
    let read = until_still(&world).await;
    assert!((1..ENTRIES / PAGE / 2).contains(&read), "{read} pages were read for nobody");
}
