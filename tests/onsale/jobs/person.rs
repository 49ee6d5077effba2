//! The data of one person as one document.

use serde_json::{Value, json};

use crate::sale::refusals::active_buyer;
use crate::support::sale;
use crate::support::wait::until;
use crate::support::world::World;

#[tokio::test]
async fn the_document_has_everything_of_one_person_and_nothing_of_others() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let sale = sale::open(&admin, 2, 10, json!({})).await;
    let one = active_buyer(&process, &sale).await;
    let hold = one.hold(sale.schedule, json!({"quantity": 2})).await.ok(201);
    one.pay(&hold).await.ok(201);
    let two = active_buyer(&process, &sale).await;
    let other = two.hold(sale.schedule, json!({"quantity": 1})).await.ok(201);
    until("the entries are archived", async || {
        (world.number("select count(*) from queue").await == 2).then_some(())
    })
    .await;
    let code = format!("/v1/admin/box-office/buyers/{}/recovery-code", one.user);
    admin.post(&code, json!({"reason": "Showed the receipt."})).await.ok(201);
    let answer = admin.get(&format!("/v1/admin/users/{}/data", one.user)).await;
    assert_eq!(answer.header("content-type"), "application/json");
    let file = format!("attachment; filename=\"onsale-user-{}.json\"", one.user);
    assert_eq!(answer.header("content-disposition"), file);
    let text = answer.text.clone();
    let data = answer.ok(200);
    let count = |list: &str| data[list].as_array().map(Vec::len);
    assert_eq!((&data["user"]["name"], &data["user"]["balance"]), (&json!("Kim"), &json!(999_800)));
    assert_eq!((count("reservations"), count("payments")), (Some(2), Some(2)));
    assert_eq!((count("point_history"), count("queue_entries")), (Some(2), Some(1)));
    assert_eq!(data["reservations"][0]["concert"], "Night");
    assert_eq!(count("changes_as_administrator"), Some(0));
    assert_eq!(data["box_office_actions"][0]["reason"], "Showed the receipt.");
    assert!(!text.contains(other["hold_id"].as_str().expect("a hold")));
    let own = admin.get(&format!("/v1/admin/users/{}/data", admin.user)).await.ok(200);
    let actions: Vec<&Value> = own["changes_as_administrator"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["action"])
        .collect();
    assert_eq!(
        actions,
        ["box_office.reissue_code", "seats.add", "schedule.create", "concert.create"]
    );
}

#[tokio::test]
async fn a_list_longer_than_a_page_is_complete() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let one = process.buyer().await;
    for count in [500, 1, 700] {
        let sql = "select count(point_change($1, 'CHARGE', 1, 'k')) from generate_series(1, $2)";
        sqlx::query(sql).bind(one.user).bind(count).execute(&world.pool).await.expect("charges");
        let data = admin.get(&format!("/v1/admin/users/{}/data", one.user)).await.ok(200);
        let balance = data["user"]["balance"].as_u64();
        let history = data["point_history"].as_array().expect("a list");
        assert_eq!(Some(history.len() as u64), balance);
        let mut ids: Vec<_> = history.iter().map(|row| row["id"].as_i64().unwrap()).collect();
        ids.dedup();
        assert_eq!(ids.len(), history.len());
        assert!(ids.is_sorted_by(|a, b| a > b));
    }
}
