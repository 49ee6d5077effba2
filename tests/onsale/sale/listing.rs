//! The catalogue in order of its sales: the next sales, no past ones, and every page of them.

use serde_json::json;

use crate::support::client::Client;
use crate::support::sale;
use crate::support::wait::until;
use crate::support::world::World;

/// The addresses that a page links to: those of its next pages, and those of concerts.
fn links(text: &str) -> (Vec<String>, Vec<String>) {
    let address = |rest: &str| rest.split('"').next().unwrap_or_default().to_owned();
    let next = text.split("rel=\"next\" href=\"").skip(1).map(address).collect();
    let concerts = text.split("<a href=\"/concerts/").skip(1).map(address).collect();
    (next, concerts)
}

/// The schedules whose rows a page shows.
fn dates(text: &str) -> Vec<i64> {
    let row = |rest: &str| rest.split('"').next().unwrap_or_default().parse().expect("an id");
    text.split("data-schedule=\"").skip(1).map(row).collect()
}

/// A page as a browser without scripts gets it.
async fn page(client: &Client, path: &str) -> String {
    let request = client.request(reqwest::Method::GET, path).header("accept", "text/html");
    let answer = client.send(request).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    answer.text
}

#[tokio::test]
async fn concerts_are_listed_by_their_next_sale_without_past_ones() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let make = async |opens, closes| sale::create(&admin, (opens, closes), 0, 0, json!({})).await;
    let over = make(-7200, -60).await;
    let long_open = make(-7200, 3600).await;
    let later = make(7200, 9000).await;
    let just_open = make(-60, 3600).await;
    let soon = make(60, 3600).await;
    let older = make(-600, 3600).await;
    let withdrawn = make(-30, 3600).await;
    let path = format!("/v1/admin/concerts/{}", withdrawn.concert);
    admin.patch(&path, json!({"status": "UNAVAILABLE"})).await.ok(200);
    // One date of this concert is over; its next date opens before all others.
    let next = json!({"reservation_available_at": sale::in_seconds(30),
        "deadline_at": sale::in_seconds(3600), "concert_at": sale::in_seconds(3600)});
    let both = make(-7200, -60).await;
    let path = format!("/v1/admin/concerts/{}/schedules", both.concert);
    admin.post(&path, next).await.ok(201);
    let none = admin.post("/v1/admin/concerts", json!({"title": "None yet"})).await.ok(201);

    let anybody = process.anonymous();
    let open = [just_open.concert, older.concert, long_open.concert];
    let path = "/v1/concerts?sale=OPEN&status=AVAILABLE";
    assert_eq!(anybody.list_ids(path).await, open);
    let upcoming = [both.concert, soon.concert, later.concert];
    assert_eq!(anybody.list_ids("/v1/concerts?sale=UPCOMING").await, upcoming);
    let all = anybody.list_ids("/v1/concerts?sale=OPEN").await;
    assert_eq!(all, [&[withdrawn.concert][..], &open].concat());
    assert_eq!(anybody.list_ids("/v1/concerts?").await.len(), 9, "the list by id has all concerts");

    let (_, shown) = links(&page(&anybody, "/").await);
    let expected = [&open[..], &upcoming, &[none["id"].as_i64().unwrap()]].concat();
    let expected: Vec<_> = expected.iter().map(i64::to_string).collect();
    assert_eq!(shown, expected);
    assert!(!shown.contains(&over.concert.to_string()));

    for (path, parameter) in
        [("/v1/concerts?sale=", "sale"), ("/v1/concerts/1/schedules?dates=", "dates")]
    {
        let refused = anybody.get(&format!("{path}NEVER")).await;
        refused.refused(422, "invalid_request");
        assert_eq!(refused.body["errors"][0]["pointer"], format!("/{parameter}"));
    }
    let by_id = anybody.get("/v1/concerts?limit=1").await.ok(200);
    let cursor = by_id["next_cursor"].as_str().expect("a cursor");
    let other = anybody.get(&format!("/v1/concerts?sale=OPEN&cursor={cursor}")).await;
    other.refused(422, "invalid_request");
    for path in ["/?open=x", "/?upcoming=AAAA", "/concerts/1?after=x", "/concerts/1?past=x"] {
        anybody.get(path).await.refused(422, "invalid_request");
    }
}

#[tokio::test]
async fn the_home_page_shows_the_newest_sales_and_links_to_the_rest() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    for _ in 0..60 {
        sale::create(&admin, (-7200, -60), 0, 0, json!({})).await;
    }
    let mut made = Vec::new();
    for number in 0..23 {
        made.push(sale::create(&admin, (number - 1000, 3600), 0, 0, json!({})).await.concert);
    }
    let mut upcoming = Vec::new();
    for number in 0..22 {
        // Far apart: to create one may take more than a second.
        let sale = sale::create(&admin, (2000 - 60 * number, 3600), 0, 0, json!({})).await;
        upcoming.push(sale.concert);
    }
    made.reverse();
    upcoming.reverse();

    let anybody = process.anonymous();
    let home = page(&anybody, "/").await;
    let (next, shown) = links(&home);
    let text = |ids: &[i64]| ids.iter().map(i64::to_string).collect::<Vec<_>>();
    assert_eq!(shown, text(&[&made[..20], &upcoming[..20]].concat()));
    assert_eq!(next.len(), 2, "{next:?}");
    let (end, rest) = links(&page(&anybody, &next[0]).await);
    assert_eq!((end, rest), (vec![], text(&made[20..])));
    let (end, rest) = links(&page(&anybody, &next[1]).await);
    assert_eq!((end, rest), (vec![], text(&upcoming[20..])));
    // The link to the other language keeps the page.
    let more = page(&anybody, &next[0]).await;
    assert!(
        more.contains(&format!("href=\"{}&amp;lang=ko\"", next[0]))
            || more.contains(&format!("href=\"{}&#38;lang=ko\"", next[0])),
        "{more}"
    );
}

#[tokio::test]
async fn every_date_of_a_concert_is_listed_upcoming_dates_first() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let sale = sale::create(&admin, (-7200, -120), 0, 0, json!({})).await;
    let path = format!("/v1/admin/concerts/{}/schedules", sale.concert);
    let date = async |closes: i64| {
        let times = json!({"reservation_available_at": sale::in_seconds(-7200),
            "deadline_at": sale::in_seconds(closes), "concert_at": sale::in_seconds(closes + 60)});
        let made = admin.post(&path, times).await.ok(201);
        made["id"].as_i64().expect("an id")
    };
    let mut to_come = Vec::new();
    for number in 0..33 {
        to_come.push(date(4000 - number).await);
    }
    // The concert of `sale` plays an hour after the deadline.
    let past = vec![sale.schedule, date(-100).await];
    to_come.reverse();

    let anybody = process.anonymous();
    let list = format!("/v1/concerts/{}/schedules?", sale.concert);
    assert_eq!(anybody.list_ids(&format!("{list}dates=UPCOMING")).await, to_come);
    assert_eq!(anybody.list_ids(&format!("{list}dates=PAST")).await, past);
    assert_eq!(anybody.list_ids(&list).await.len(), 35);
    let absent = anybody.get("/v1/concerts/0/schedules?dates=PAST").await;
    absent.refused(404, "concert_not_found");

    let concert = format!("/concerts/{}", sale.concert);
    let first = page(&anybody, &concert).await;
    assert_eq!(dates(&first), to_come[..30]);
    let (next, _) = links(&first);
    assert_eq!(dates(&page(&anybody, &next[0]).await), to_come[30..]);
    let link = format!("{concert}?past=");
    assert!(first.contains(&format!("href=\"{link}\"")), "{first}");
    assert_eq!(dates(&page(&anybody, &link).await), past);
    assert_eq!(dates(&page(&anybody, "/").await), to_come[..3]);

    // When every date is over, the page shows the past ones.
    let over = sale::create(&admin, (-2, 1), 0, 0, json!({})).await;
    until("the sale ends", async || {
        let (_, shown) = links(&page(&anybody, "/").await);
        (!shown.contains(&over.concert.to_string())).then_some(())
    })
    .await;
    let shown = page(&anybody, &format!("/concerts/{}", over.concert)).await;
    assert_eq!(dates(&shown), [over.schedule]);
}
