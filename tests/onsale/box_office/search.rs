//! Finding a buyer or a seat by everything that a buyer may know.

use serde_json::{Value, json};

use super::scene::{BASE, Scene};
use crate::support::shape;

const HIT: &str = "matched_by:text user:object? seat:object? schedule_id:int? reservation_id:int? \
     hold_id:uuid? payment_id:int? ticket_id:uuid?";

/// What a search finds, as `matched_by` and the user's id.
async fn search(scene: &Scene, q: &str, more: &str) -> Vec<(String, Value)> {
    let q: String = form_urlencoded::byte_serialize(q.as_bytes()).collect();
    let answer = scene.get(&format!("/search?q={q}{more}")).await;
    shape::check(&answer, "items:list more:bool");
    let items = answer["items"].as_array().expect("items");
    let hit = |item: &Value| {
        shape::check(item, HIT);
        (item["matched_by"].as_str().unwrap().to_owned(), item["user"]["id"].clone())
    };
    items.iter().map(hit).collect()
}

fn only(by: &str, user: i64) -> Vec<(String, Value)> {
    vec![(by.to_owned(), json!(user))]
}

#[tokio::test]
async fn a_buyer_is_found_by_name_ids_ticket_and_seat() {
    let scene = Scene::new(4).await;
    let named = json!({"name": "Zoë Quist"});
    let zoe = scene.process.anonymous().post("/v1/users", named).await.ok(201);
    let zoe = zoe["id"].as_i64().unwrap();
    let bought = scene.buy(&[2, 3]).await;
    let user = bought.buyer.user;
    for name in ["Zoë Quist", "zoë q", "ZOë"] {
        assert_eq!(search(&scene, name, "").await, only("NAME", zoe), "{name}");
    }
    assert!(search(&scene, "Quist", "").await.is_empty(), "only the beginning of a name");
    // Ids of different kinds may be the same number.
    let by = async |q: &Value, kind: &str| {
        let q = q.as_str().map_or_else(|| q.to_string(), str::to_owned);
        let found = search(&scene, &q, "").await;
        assert!(found.contains(&(kind.to_owned(), json!(user))), "{q}: {found:?}");
    };
    by(&json!(user), "USER").await;
    by(&bought.hold["reservations"][0]["id"], "RESERVATION").await;
    by(&bought.paid["payments"][1]["id"], "PAYMENT").await;
    by(&bought.hold["hold_id"], "HOLD").await;
    let ticket = crate::support::wait::until("the archive", async || {
        let id = "select token from queue where user_id = $1";
        let found = sqlx::query_scalar::<_, uuid::Uuid>(id).bind(user);
        found.fetch_optional(&scene.world.pool).await.expect("the queue")
    })
    .await;
    assert_eq!(search(&scene, &ticket.to_string(), "").await, only("TICKET", user));
    let schedule = format!("&schedule_id={}", scene.sale.schedule);
    let found = search(&scene, "3", &schedule).await;
    assert_eq!(found[0], ("SEAT".to_owned(), json!(user)));
    let found = search(&scene, "1", &schedule).await;
    assert_eq!(found[0], ("SEAT".to_owned(), Value::Null), "nobody has seat 1");
    assert!(search(&scene, "019a2f10-4c3b-7d52-9e61-2f0a8c1b7d34", "").await.is_empty());

    let staff = &scene.staff;
    staff.get(&format!("{BASE}/search")).await.refused(422, "invalid_request");
    staff.get(&format!("{BASE}/search?q=")).await.refused(422, "invalid_request");
    staff.get(&format!("{BASE}/search?q=%00")).await.refused(422, "invalid_request");
}

#[tokio::test]
async fn a_search_by_name_is_in_order_and_says_that_there_are_more() {
    let scene = Scene::new(1).await;
    let many = "insert into \"user\" (name) select 'Buyer ' || n from generate_series(10, 69) n";
    sqlx::query(many).execute(&scene.world.pool).await.expect("users");
    let answer = scene.get("/search?q=buyer").await;
    let items = answer["items"].as_array().unwrap();
    assert_eq!((items.len(), &answer["more"]), (50, &json!(true)));
    let names: Vec<&str> = items.iter().map(|it| it["user"]["name"].as_str().unwrap()).collect();
    assert!(names.is_sorted(), "{names:?}");
    let fewer = scene.get("/search?q=Buyer%206").await;
    assert_eq!((fewer["items"].as_array().unwrap().len(), &fewer["more"]), (10, &json!(false)));
    // A character of LIKE is a character.
    assert_eq!(scene.get("/search?q=%25").await["items"], json!([]));
}

#[tokio::test]
async fn a_buyer_and_a_seat_are_shown_with_what_belongs_to_them() {
    let scene = Scene::new(3).await;
    let bought = scene.buy(&[0, 1]).await;
    bought.refund(1).await.ok(200);
    let base = format!("/buyers/{}", bought.buyer.user);
    let buyer = scene.get(&base).await;
    let profile = "id:int name:text created_at:time balance:int signs_in_elsewhere:bool \
                   recovery_code_at:time?";
    shape::check(&buyer, profile);
    assert_eq!(buyer["balance"], 999_900);
    let reservation = "id:int hold_id:uuid seat:object status:text guest:bool amount:int \
                       reservation_at:time expires_at:time payment_id:int? payment_status:text?";
    let page = scene.get(&format!("{base}/reservations")).await;
    let rows = shape::check_page(&page, reservation);
    let states: Vec<_> = rows.iter().map(|row| row["payment_status"].as_str().unwrap()).collect();
    assert_eq!(states, ["REFUNDED", "COMPLETE"]);
    let first = scene.get(&format!("{base}/reservations?limit=1")).await;
    let next = first["next_cursor"].as_str().unwrap();
    let second = scene.get(&format!("{base}/reservations?limit=1&cursor={next}")).await;
    assert_eq!(second["items"][0], rows[1]);
    let entries = crate::support::wait::until("the archive", async || {
        let page = scene.get(&format!("{base}/entries")).await;
        (page["items"][0]["status"] == "COMPLETED").then_some(page)
    })
    .await;
    let entry = "schedule_id:int ticket_id:uuid status:text sequence:int joined_at:time \
                 admitted_at:time? ended_at:time?";
    shape::check_page(&entries, entry);
    let seat = scene.get(&format!("/seats/{}", scene.sale.seats[0])).await;
    let profile = "seat:object seat_price:int state:text owner:object? reservation_id:int? \
                   hold_id:uuid? payment_id:int? amount:int? expires_at:time?";
    shape::check(&seat, profile);
    assert_eq!((&seat["state"], &seat["owner"]["id"]), (&json!("SOLD"), &json!(bought.buyer.user)));
    let free = scene.get(&format!("/seats/{}", scene.sale.seats[1])).await;
    assert_eq!((&free["state"], &free["owner"]), (&json!("AVAILABLE"), &Value::Null));
    for path in [
        "/buyers/999999",
        "/buyers/999999/reservations",
        "/buyers/999999/entries",
        "/buyers/999999/history",
    ] {
        scene.staff.get(&format!("{BASE}{path}")).await.refused(404, "user_not_found");
    }
    for path in ["/seats/999999", "/seats/999999/history"] {
        scene.staff.get(&format!("{BASE}{path}")).await.refused(404, "seat_not_found");
    }
}
