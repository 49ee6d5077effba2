//! Security headers and cache headers of answers.

use serde_json::json;

use crate::support::sale;
use crate::support::wait::until;
use crate::support::world::World;

#[tokio::test]
async fn every_answer_has_nosniff_and_private_answers_are_not_cached() {
    let world = World::new().await;
    let process = world.start().await;
    let sale = sale::open(&process.admin().await, 1, 2, json!({"capacity": 0})).await;
    let mut person = process.buyer().await;
    let mut private = vec![person.join(sale.schedule).await];
    until("the board shows the entry", async || {
        (person.poll().await.body["waiting"] == 1).then_some(())
    })
    .await;
    private.push(person.poll().await);
    for path in ["/v1/users/me", "/v1/points", "/v1/reservations", "/v1/payments", "/nowhere"] {
        private.push(person.get(path).await);
    }
    private.push(person.post("/v1/users", json!({"name": "Kim"})).await);
    private.push(process.anonymous().get("/v1/points").await);
    for answer in &private {
        assert_eq!(answer.header("cache-control"), "no-store", "{}", answer.text);
    }
    let schedule = format!("/v1/schedules/{}", sale.schedule);
    let mut answers = private;
    for path in [schedule.as_str(), &format!("{schedule}/queue"), "/v1/concerts"] {
        let public = person.get(path).await;
        assert_eq!(public.header("cache-control"), "public, max-age=1", "{path}");
        assert!(public.header("ratelimit").is_empty(), "a cache would send it to others");
        answers.push(public);
    }
    let page = person.get("/docs/").await;
    for (name, value) in [("x-frame-options", "DENY"), ("referrer-policy", "no-referrer")] {
        assert_eq!(page.header(name), value);
    }
    let policy = page.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
    assert!(!page.text.contains("<script>"), "no script that the policy refuses");
    answers.extend([page, person.get("/livez").await, person.get("/openapi.json").await]);
    for answer in answers {
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{}", answer.text);
    }
}
