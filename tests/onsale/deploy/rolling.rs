//! Replacing processes one after the other behind nginx.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::client::Client;
use crate::support::nginx::Nginx;
use crate::support::program::Program;
use crate::support::sale;
use crate::support::wait::until;
use crate::support::world::World;

/// Clients that read the board and charge points all the time.
const CLIENTS: usize = 8;
/// Longer than nginx keeps idle connections.
const SETTINGS: [(&str, &str); 1] = [("ONSALE_DRAIN_DELAY", "5s")];

/// Clients that fail the test at the first answer other than a success.
struct Load {
    clients: JoinSet<usize>,
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
}

impl Load {
    async fn start(world: &World, nginx: &Nginx) -> Self {
        let process = world.start().await;
        let sale = sale::open(&process.admin().await, 1, 5, json!({})).await;
        let path = format!("/v1/schedules/{}/queue", sale.schedule);
        let (stop, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let (mut clients, proxied) = (JoinSet::new(), nginx.client());
        for _ in 0..CLIENTS {
            let client = process.buyer().await.through(&proxied);
            let (stop, answered) = (Arc::clone(&stop), Arc::clone(&answered));
            clients.spawn(repeat(client, path.clone(), stop, answered));
        }
        process.stop().await;
        Self { clients, stop, answered }
    }

    /// Ends the clients; returns the number of charges that were answered with success.
    async fn end(self) -> usize {
        self.stop.store(true, Ordering::Relaxed);
        assert!(self.answered.load(Ordering::Relaxed) > CLIENTS * 2, "requests were made");
        self.clients.join_all().await.into_iter().sum()
    }
}

async fn repeat(
    client: Client,
    board: String,
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
) -> usize {
    let mut charges = 0;
    while !stop.load(Ordering::Relaxed) {
        client.get(&board).await.ok(200);
        client.keyed().post("/v1/points/charges", json!({"amount": 1})).await.ok(201);
        charges += 1;
        answered.fetch_add(2, Ordering::Relaxed);
    }
    charges
}

/// Sends SIGTERM, and waits until the process has drained and ended.
pub async fn end(mut program: Program) {
    program.terminate();
    let refused = until("it is not ready", async || {
        let ready = program.anonymous().get("/readyz").await;
        (ready.status == 503).then_some(ready)
    })
    .await;
    assert_eq!(refused.body["failing"], json!(["draining"]));
    assert_eq!(program.wait().await, Some(0), "{}", program.output());
}

/// Lines of the access log that are no success, or that were sent to more than one process.
fn unusual(nginx: &Nginx) -> (Vec<Value>, Vec<Value>) {
    let log = nginx.log();
    let failed = log.iter().filter(|line| !line["status"].as_str().unwrap().starts_with('2'));
    let repeated = log.iter().filter(|line| line["upstream"].as_str().unwrap().contains(','));
    (failed.cloned().collect(), repeated.cloned().collect())
}

/// Two programs, and nginx before them.
async fn two_behind_nginx(world: &World) -> (Vec<Program>, Nginx) {
    let mut programs = Vec::new();
    for _ in 0..2 {
        programs.push(Program::start(world, &SETTINGS).await);
    }
    let nginx = Nginx::before(&[programs[0].addr, programs[1].addr]).await;
    (programs, nginx)
}

/// By the steps in `deploy/nginx/site/servers.conf`: nginx repeats nothing, because it sends nothing
/// to a process that ends.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_behind_nginx_are_replaced_without_a_failed_or_repeated_request() {
    let world = World::new().await;
    let (mut programs, nginx) = two_behind_nginx(&world).await;
    let load = Load::start(&world, &nginx).await;
    for _ in 0..2 {
        let (old, new) = (programs.remove(0), Program::start(&world, &SETTINGS).await);
        let line = |addr| format!("server {addr} max_fails=2 fail_timeout=2s");
        let (leaving, coming) = (line(old.addr), line(new.addr));
        nginx.edit("site/servers.conf", &leaving, &format!("{leaving} down"));
        end(old).await;
        nginx.edit("site/servers.conf", &format!("{leaving} down"), &coming);
        until("the new process serves", async || {
            let port = new.addr.to_string();
            nginx.log().iter().any(|line| line["upstream"] == port.as_str()).then_some(())
        })
        .await;
        programs.push(new);
    }
    let charges = load.end().await;
    assert_eq!(unusual(&nginx), (Vec::new(), Vec::new()));
    let points = world.number("select coalesce(sum(amount), 0)::bigint from point_history").await;
    assert_eq!(points, i64::try_from(charges).unwrap(), "each charge once");
}

/// As an orchestrator does it that does not know of nginx. A connection to the closed port is refused,
/// and nginx asks the other process.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_are_restarted_without_a_failed_request_and_without_changing_nginx() {
    let world = World::new().await;
    let (mut programs, nginx) = two_behind_nginx(&world).await;
    let load = Load::start(&world, &nginx).await;
    for _ in 0..2 {
        let old = programs.remove(0);
        let addr = old.addr.to_string();
        end(old).await;
        let mut settings = SETTINGS.to_vec();
        settings.push(("ONSALE_LISTEN", &addr));
        programs.push(Program::start(&world, &settings).await);
        let before = nginx.log().len();
        until("nginx uses the process again", async || {
            let log = nginx.log();
            log[before..].iter().any(|line| line["upstream"] == addr.as_str()).then_some(())
        })
        .await;
    }
    let charges = load.end().await;
    let (failed, _) = unusual(&nginx);
    assert_eq!(failed, [Value::Null; 0]);
    let points = world.number("select coalesce(sum(amount), 0)::bigint from point_history").await;
    assert_eq!(points, i64::try_from(charges).unwrap(), "each charge once");
}
