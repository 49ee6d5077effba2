//! A process that is killed while it sends.

use std::time::Duration;

use serde_json::json;

use super::{create, deliveries, path};
use crate::support::program::Program;
use crate::support::receiver::{Receiver, Reply};
use crate::support::wait::until;
use crate::support::world::World;

const SETTINGS: [(&str, &str); 2] =
    [("ONSALE_WEBHOOK_ALLOW", "127.0.0.0/8"), ("ONSALE_WEBHOOK_TIMEOUT", "2s")];

#[tokio::test]
async fn a_message_of_a_killed_process_is_sent_by_another_with_the_same_id() {
    let world = World::new().await;
    let killed = Program::start(&world, &SETTINGS).await;
    let process = world.start().await;
    let admin = process.admin().await.at(killed.addr);
    // This process may not send to the receiver: it leaves the message to the program.
    process.stop().await;
    let receiver = Receiver::start(|_| Reply::Late(Duration::from_mins(1))).await;
    let webhook = create(&admin, &receiver, &[]).await;
    admin.post(&path(&webhook, "/test"), json!({})).await.ok(202);
    until("the message is being sent", async || receiver.all().first().cloned()).await;
    drop(killed);
    receiver.behave(|_| Reply::status(200));

    let other = Program::start(&world, &SETTINGS).await;
    let admin = admin.at(other.addr);
    let delivered = deliveries(&admin, &webhook, "DELIVERED", 1).await;
    assert_eq!(delivered[0]["attempts"], 2);
    let all = receiver.all();
    assert_eq!(all.len(), 2);
    assert_eq!((&all[0].id, &all[0].raw), (&all[1].id, &all[1].raw));
}

#[tokio::test]
async fn a_process_that_drains_writes_the_results_of_what_it_is_sending() {
    let world = World::new().await;
    let process = world.start_with(&["--webhook-allow=127.0.0.0/8"]).await;
    let admin = process.admin().await;
    let receiver = Receiver::start(|_| Reply::Late(Duration::from_millis(800))).await;
    let webhook = create(&admin, &receiver, &[]).await;
    admin.post(&path(&webhook, "/test"), json!({})).await.ok(202);
    until("the message is being sent", async || receiver.all().first().cloned()).await;
    process.stop().await;
    let delivered = "select count(*) from webhook_delivery where status = 'DELIVERED'";
    assert_eq!(world.number(delivered).await, 1);
}
