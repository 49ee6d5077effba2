//! Sales whose order of entry is drawn.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use aws_lc_rs::hmac;
use serde_json::{Value, json};

use super::client::Client;
use super::crowd::{join_in_turn, people};
use super::sale::{self, in_seconds};
use super::wait::until;
use super::world::World;

/// A sale that opens later, where so many have joined: its id, who, and the ticket id of each.
pub async fn set(
    world: &World,
    admin: &Client,
    at: &[SocketAddr],
    count: u32,
) -> (i64, Vec<Client>, BTreeMap<i64, String>) {
    let queue = json!({"entry_order": "DRAW", "capacity": 0});
    let sale = sale::make(admin, (1000, 3600), 1, 50, queue).await;
    let crowd = join_in_turn(people(world, at, count, 0).await, sale.schedule).await;
    let mut ids = BTreeMap::new();
    for person in &crowd {
        let ticket = person.clone().poll().await.ok(200);
        ids.insert(person.user, ticket["ticket_id"].as_str().unwrap().to_owned());
    }
    (sale.schedule, crowd, ids)
}

/// A draw that was held, as everybody may know it.
pub struct Opened {
    pub proof: Value,
    pub entrants: Vec<String>,
}

impl Opened {
    /// Opens the sale, and waits until the secret is public.
    pub async fn now(admin: &Client, schedule: i64) -> Self {
        let times = json!({"reservation_available_at": in_seconds(0)});
        admin.patch(&format!("/v1/admin/schedules/{schedule}"), times).await.ok(200);
        Self::of(admin, schedule).await
    }

    /// Waits until the secret is public.
    pub async fn of(anybody: &Client, schedule: i64) -> Self {
        let path = format!("/v1/schedules/{schedule}/queue/draw");
        let proof = until("the secret", async || {
            let answer = anybody.get(&path).await;
            (answer.status == 200 && answer.body["secret"].is_string()).then_some(answer.body)
        })
        .await;
        let list = anybody.get(&format!("{path}/entrants")).await;
        assert_eq!(list.headers["content-type"], "text/plain; charset=utf-8");
        Self { proof, entrants: list.text.lines().map(str::to_owned).collect() }
    }

    /// Waits until the line stands in the order drawn.
    pub async fn done(&self, world: &World) {
        until("the draw is over", async || {
            let open = "select count(*) from draw where moved_at is null";
            (world.number(open).await == 0).then_some(())
        })
        .await;
    }
}

/// The order, worked out from the public proof alone.
pub fn order(opened: &Opened) -> Vec<String> {
    let secret = hex::decode(opened.proof["secret"].as_str().unwrap()).unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
    let mut drawn: Vec<(Vec<u8>, &String)> = opened
        .entrants
        .iter()
        .map(|id| (hmac::sign(&key, id.as_bytes()).as_ref().to_vec(), id))
        .collect();
    drawn.sort();
    drawn.into_iter().map(|(_, id)| id.clone()).collect()
}
