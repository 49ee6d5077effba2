//! Drafts: nobody but administrators sees them until they are published.

use reqwest::Method;
use serde_json::{Value, json};

use crate::admin::editing::{change, tag_of};
use crate::support::client::Client;
use crate::support::sale;
use crate::support::shape;
use crate::support::state;
use crate::support::wait::until;
use crate::support::world::World;

/// A draft date with two seats in a draft concert. It opens at this number of seconds from now.
struct Draft {
    concert: i64,
    schedule: i64,
}

impl Draft {
    async fn make(admin: &Client, opens: i64) -> Self {
        let concert = json!({"title": "Secret", "draft": true});
        let concert = admin.post("/v1/admin/concerts", concert).await.ok(201);
        assert_eq!(concert["draft"], true);
        let id = concert["id"].as_i64().expect("an id");
        let times = json!({"reservation_available_at": sale::in_seconds(opens), "draft": true,
            "deadline_at": sale::in_seconds(7200), "concert_at": sale::in_seconds(7200)});
        let path = format!("/v1/admin/concerts/{id}/schedules");
        let made = admin.post(&path, times).await.ok(201);
        assert_eq!(made["draft"], true);
        Self { concert: id, schedule: made["id"].as_i64().expect("an id") }
    }

    fn admin_path(&self, rest: &str) -> String {
        format!("/v1/admin/schedules/{}{rest}", self.schedule)
    }

    async fn add_seats(&self, admin: &Client) {
        let section = json!({"name": "A", "rows": 1, "seats_per_row": 2, "seat_price": 5});
        let path = self.admin_path("/seats");
        admin.post(&path, json!({"sections": [section]})).await.ok(201);
    }

    /// Every public path of the concert and the schedule, with the code of its refusal.
    fn public(&self) -> Vec<(Method, String, &'static str)> {
        let (concert, schedule) = (self.concert, self.schedule);
        let get = |path: String, code| (Method::GET, path, code);
        let mut all = vec![
            get(format!("/v1/concerts/{concert}"), "concert_not_found"),
            get(format!("/v1/concerts/{concert}/schedules"), "concert_not_found"),
            get(format!("/v1/concerts/{concert}/schedules?dates=UPCOMING"), "concert_not_found"),
        ];
        let ends = ["", "/seats", "/seats/status", "/seats/layout", "/seats/stream", "/queue"];
        let others = ["/seats/best?quantity=1", "/queue/draw", "/queue/draw/entrants"];
        for end in ends.iter().chain(&others) {
            all.push(get(format!("/v1/schedules/{schedule}{end}"), "schedule_not_found"));
        }
        all.push((Method::POST, format!("/v1/schedules/{schedule}/queue"), "schedule_not_found"));
        all
    }

    /// Every page of the concert and the schedule.
    fn pages(&self) -> Vec<String> {
        let (concert, schedule) = (self.concert, self.schedule);
        let wait = ["", "/wait", "/seats"].map(|end| format!("/schedules/{schedule}{end}"));
        wait.into_iter().chain([format!("/concerts/{concert}")]).collect()
    }

    /// Whether the lists of concerts have it, one answer for each list.
    async fn listed(&self, anybody: &Client) -> Vec<bool> {
        let mut found = Vec::new();
        for filter in ["", "sale=OPEN", "sale=UPCOMING"] {
            let path = format!("/v1/concerts?{filter}");
            found.push(anybody.list_ids(&path).await.contains(&self.concert));
        }
        found
    }
}

#[tokio::test]
async fn a_draft_is_on_no_public_path_and_no_page_until_it_is_published() {
    let world = World::new().await;
    let (process, second) = (world.start().await, world.start().await);
    let admin = process.admin().await;
    let draft = Draft::make(&admin, -5).await;
    draft.add_seats(&admin).await;
    let buyer = process.buyer().await;
    for client in [&buyer, &buyer.at(second.addr), &admin] {
        for (method, path, code) in draft.public() {
            client.send(client.request(method, &path)).await.refused(404, code);
        }
        assert_eq!(draft.listed(client).await, [false; 3]);
        for page in draft.pages() {
            let request = client.without_token().request(Method::GET, &page);
            let answer = client.send(request.header("accept", "text/html")).await;
            assert_eq!(answer.status, 404, "{page}");
            assert!(!answer.text.contains("Secret"), "{page}");
        }
        let home = client.without_token().request(Method::GET, "/");
        let home = client.send(home.header("accept", "text/html")).await;
        assert!(!home.text.contains("Secret"), "the first page");
    }

    // The administrator sees all of it.
    let concerts = admin.get("/v1/admin/concerts").await.ok(200);
    let shape = "id:int title:text description:text status:text draft:bool removing:bool";
    let listed = shape::check_page(&concerts, shape);
    assert_eq!((&listed[0]["id"], &listed[0]["draft"]), (&json!(draft.concert), &json!(true)));
    let schedules = format!("/v1/admin/concerts/{}/schedules", draft.concert);
    let shown = &admin.get(&schedules).await.ok(200)["items"][0];
    assert_eq!((&shown["draft"], &shown["concert_draft"]), (&json!(true), &json!(true)));
    assert_eq!(&admin.get(&draft.admin_path("")).await.ok(200)["seats"]["total"], &json!(2));
    let layout = admin.get(&draft.admin_path("/seats/layout")).await.ok(200);
    assert_eq!(layout["seats"].as_array().map(Vec::len), Some(2));
    assert_eq!(admin.get(&draft.admin_path("/seats/status")).await.ok(200)["layout_version"], 1);
    admin.get(&draft.admin_path("/stats")).await.ok(200);

    let how = json!({"concert": true});
    let published = admin.post(&draft.admin_path("/publish"), how).await.ok(200);
    assert_eq!(published, json!({"draft": false, "obstacles": [], "warnings": ["opens_at_once"]}));
    for client in [&buyer, &buyer.at(second.addr)] {
        let public = draft.public();
        for (method, path, _) in public.iter().filter(|(_, path, _)| !path.contains("entrants")) {
            if path.ends_with("/stream") {
                continue;
            }
            until("it is visible", async || {
                let answer = client.send(client.request(method.clone(), path)).await;
                (answer.status < 300).then_some(())
            })
            .await;
        }
        assert_eq!(draft.listed(client).await, [true, true, false]);
    }
}

#[tokio::test]
async fn publishing_names_everything_that_makes_the_sale_impossible() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let draft = Draft::make(&admin, -5).await;
    let path = draft.admin_path("/publish");
    admin.patch(&draft.admin_path("/queue"), json!({"capacity": 0})).await.ok(200);
    let concert = format!("/v1/admin/concerts/{}", draft.concert);
    admin.patch(&concert, json!({"status": "UNAVAILABLE"})).await.ok(200);
    let before = state::snapshot(&world, &[draft.schedule]).await;
    let refused = admin.post(&path, json!({})).await;
    refused.refused(409, "not_publishable");
    let all = json!(["concert_is_draft", "concert_unavailable", "no_seats", "no_capacity"]);
    assert_eq!(refused.body["obstacles"], all);
    let tried = admin.post(&path, json!({"dry_run": true})).await.ok(200);
    assert_eq!((&tried["obstacles"], &tried["draft"]), (&all, &json!(true)));
    assert_eq!(state::snapshot(&world, &[draft.schedule]).await, before);

    draft.add_seats(&admin).await;
    let seats = admin.get(&draft.admin_path("/seats/layout")).await.ok(200)["seats"].clone();
    let ids: Vec<&Value> =
        seats.as_array().expect("seats").iter().map(|seat| &seat["id"]).collect();
    let block = json!({"seat_ids": ids, "blocked": true});
    admin.patch(&draft.admin_path("/seats"), block).await.ok(200);
    let over = json!({"reservation_available_at": sale::in_seconds(-20),
        "deadline_at": sale::in_seconds(-10), "concert_at": sale::in_seconds(7200)});
    admin.patch(&draft.admin_path(""), over).await.ok(200);
    let refused = admin.post(&path, json!({"concert": true})).await;
    let rest = json!(["concert_unavailable", "all_seats_blocked", "sale_is_over", "no_capacity"]);
    assert_eq!(refused.body["obstacles"], rest);
}

#[tokio::test]
async fn publishing_is_audited_once_and_only_for_the_state_that_was_seen() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let draft = Draft::make(&admin, 3600).await;
    draft.add_seats(&admin).await;
    let concert = format!("/v1/admin/concerts/{}", draft.concert);
    let seen = tag_of(&admin, &concert).await;
    admin.patch(&concert, json!({"title": "Open secret"})).await.ok(200);
    let publish = format!("{concert}/publish");
    change(&admin, Method::POST, &publish, &seen, None).await.refused(412, "changed_meanwhile");
    for _ in 0..2 {
        let published = admin.send(admin.request(Method::POST, &publish)).await.ok(200);
        assert_eq!(published["draft"], false);
        admin.post(&draft.admin_path("/publish"), json!({})).await.ok(200);
    }
    let published =
        "select count(*) from audit where action in ('concert.publish', 'schedule.publish')";
    assert_eq!(world.number(published).await, 2);
}

#[tokio::test]
async fn drafts_are_not_in_the_events_and_a_published_one_is() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    admin.patch("/v1/admin/event-feed", json!({"enabled": true})).await.ok(200);
    let draft = Draft::make(&admin, -5).await;
    draft.add_seats(&admin).await;
    let open = sale::open(&admin, 1, 2, json!({})).await;
    let opened = async |schedule: i64| {
        let events = admin.get("/v1/events").await.ok(200);
        let items = events["items"].as_array().expect("events").clone();
        items.iter().any(|event| {
            event["type"] == "schedule.opened" && event["data"]["schedule_id"] == schedule
        })
    };
    until("the other sale is announced", async || opened(open.schedule).await.then_some(())).await;
    assert!(!opened(draft.schedule).await, "a draft is not announced");
    let watched: i64 = sqlx::query_scalar("select count(*) from sale_phase where schedule_id = $1")
        .bind(draft.schedule)
        .fetch_one(&world.pool)
        .await
        .expect("a count");
    assert_eq!(watched, 0);
    admin.post(&draft.admin_path("/publish"), json!({"concert": true})).await.ok(200);
    until("it is announced", async || opened(draft.schedule).await.then_some(())).await;
}
