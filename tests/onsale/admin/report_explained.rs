//! What explains a report: who came how far, waits by order of joining, and refused payments. The
//! figures of a small sale, written by hand.

use serde_json::{Value, json};
use sqlx::AssertSqlSafe;

use super::report_sale::fetch;
use crate::sale::refusals::active_buyer;
use crate::support::sale;
use crate::support::wait::until;
use crate::support::world::World;

/// Twenty entries of nineteen users, one every ten seconds from the opening on, in a sale of ten
/// seats that closed three hours ago. Entries 1 to 5 were admitted at once, and 6 to 16 after ten
/// seconds times their number. Users 1 to 6 paid, and user 6 got a refund. 7 and 8 held and did not
/// pay, 9 to 12 held nothing, 15 left, and 13, 14 and 16 were passed over and did not return.
const FILL: &str = "do $$ declare
    v_sale bigint; v_concert bigint;
    v_open timestamptz := date_bin('10 s', now(), 'epoch') - interval '5 h';
begin
    insert into concert (title) values ('small') returning id into v_concert;
    insert into concert_schedule (concert_id, reservation_available_at, deadline_at, concert_at,
                                  queue_opens_at, draw_secret, draw_commitment, capacity)
    values (v_concert, v_open, v_open + interval '2 h', now() + interval '1 d',
            v_open - interval '1 h', sha256('a'), sha256('b'), CAPACITY) returning id into v_sale;
    insert into \"user\" (name) select 'buyer' from generate_series(1, 20);
    insert into seat (concert_schedule_id, seat_number, section, \"row\", seat_price)
    select v_sale, n, 'Floor', '1', 100 from generate_series(1, 10) n;
    insert into queue (user_id, concert_schedule_id, token, status, sequence, created_at, entered_at,
                       slot_ends_at, expired_at)
    select least(n, 19), v_sale, gen_random_uuid(),
           case when n <= 6 then 'COMPLETED' when n = 15 then 'LEFT' else 'EXPIRED' end,
           (1::bigint << 40) + n, t.joined,
           case when n <= 5 then t.joined when n <= 16 then t.joined + n * interval '10 s' end,
           case when n <= 16 and n not in (13, 14, 16) then t.joined + interval '20 min' end,
           t.joined + interval '25 min'
    from generate_series(1, 20) n
    cross join lateral (select v_open + n * interval '10 s' as joined) t;
    insert into reservation (concert_id, concert_schedule_id, seat_id, user_id, hold_id, amount,
                             status, queue_sequence, reservation_at, expires_at)
    select v_concert, v_sale, s.id, n, gen_random_uuid(), 100,
           case when n <= 5 then 'COMPLETE' when n = 6 then 'REFUNDED' else 'EXPIRED' end,
           (1::bigint << 40) + n, v_open + interval '5 min', v_open + interval '10 min'
    from generate_series(1, 8) n
    join seat s on s.concert_schedule_id = v_sale and s.seat_number = n;
    insert into payment (reservation_id, user_id, amount, status, payment_at, refunded_at)
    select id, user_id, 100, case when status = 'REFUNDED' then 'REFUNDED' else 'COMPLETE' end,
           v_open + interval '6 min', case when status = 'REFUNDED' then v_open + interval '7 min' end
    from reservation where concert_schedule_id = v_sale and status in ('COMPLETE', 'REFUNDED');
    insert into rejection_count (concert_schedule_id, wanted, reason, since, times)
    values (v_sale, 'join', 'sold_out', v_open, 2), (v_sale, 'pay', 'hold_expired', v_open, 1),
           (v_sale, 'pay', 'insufficient_points', v_open, 3);
end $$";

/// Writes the small sale with this capacity. Returns its schedule.
pub async fn small(world: &World, capacity: u32) -> i64 {
    let sql = AssertSqlSafe(FILL.replace("CAPACITY", &capacity.to_string()));
    sqlx::query(sql).execute(&world.pool).await.expect("a sale");
    world.number("select max(id) from concert_schedule").await
}

/// The value of this percentile.
fn percentile(waits: &Value, percent: f64) -> f64 {
    let all = waits["percentiles"].as_array().expect("percentiles");
    let one = all.iter().find(|one| one["percent"] == percent).expect("the percentile");
    one["seconds"].as_f64().expect("seconds")
}

#[tokio::test]
async fn a_small_sale_has_these_steps_outcomes_and_waits() {
    let world = World::new().await;
    let process = world.start().await;
    let schedule = small(&world, 500).await;
    let report = fetch(&process, schedule).await;
    let steps: Vec<(&Value, &Value)> = (report["people"]["steps"].as_array())
        .expect("steps")
        .iter()
        .map(|step| (&step["people"], &step["of_previous"]))
        .collect();
    let (all, of_joined) = (json!([19, 16, 8, 6]), json!([null, 16.0 / 19.0, 0.5, 0.75]));
    for (at, step) in steps.into_iter().enumerate() {
        assert_eq!(step, (&all[at], &of_joined[at]));
    }
    assert_eq!(report["people"]["steps"][3]["of_joined"], 6.0 / 19.0);
    assert_eq!(
        report["people"]["admitted"],
        json!({"paid": 6, "open": 0, "held_not_paid": 2, "held_nothing": 5, "no_shows": 3})
    );
    // Five waits of 0 s, and 60 to 160 s.
    assert_eq!(percentile(&report["waits"], 50.0).to_bits(), 85.0_f64.to_bits());
    assert_eq!(report["queued"]["admitted_at_once"], 5);
    let queued = percentile(&report["queued"]["waits"], 50.0);
    assert_eq!(queued.to_bits(), 110.0_f64.to_bits());
    let groups = report["waits_by_joining"].as_array().expect("groups");
    let figures = |at: usize| {
        let group = &groups[at];
        ["joined", "admitted", "median_seconds", "p95_seconds"].map(|name| group[name].clone())
    };
    assert_eq!(groups.len(), 10);
    assert_eq!(json!(figures(0)), json!([2, 2, 0.0, 0.0]));
    assert_eq!(json!(figures(2)), json!([2, 2, 30.0, 57.0]));
    assert_eq!(json!(figures(7)), json!([2, 2, 155.0, 159.5]));
    assert_eq!(json!(figures(8)), json!([2, 0, null, null]));
    assert_eq!(
        (&report["sales"]["refunded"], &report["sales"]["refunds"]),
        (&json!(1), &json!(100))
    );
    let refused = json!([{"reason": "insufficient_points", "times": 3},
                         {"reason": "hold_expired", "times": 1}]);
    assert_eq!(report["refused_payments"], refused);
    assert_eq!(report["rejections"], json!([{"wanted": "join", "reason": "sold_out", "times": 2}]));
}

#[tokio::test]
async fn the_csv_explains_the_report_too() {
    let world = World::new().await;
    let process = world.start().await;
    let schedule = small(&world, 500).await;
    fetch(&process, schedule).await;
    let path = format!("/v1/admin/schedules/{schedule}/report.csv");
    let csv = process.admin().await.get(&path).await;
    assert_eq!(csv.status, 200, "{}", csv.text);
    for line in [
        "step,joined,,19,people",
        "step,held of the step before,,50.00,percent",
        "admitted,did not come,,3,people",
        "admitted,held and did not pay,,2,people",
        "wait,admitted at once,,5,places",
        "wait without those admitted at once,p50,,110.000,seconds",
        "refused payment,insufficient_points,,3,requests",
        "prediction,people,,19,people",
        "prediction,assumed: pay for what they hold,,85.00,percent",
    ] {
        assert!(csv.text.contains(&format!("{line}\r\n")), "{line} is not in\n{}", csv.text);
    }
    let groups = csv.text.lines().filter(|line| line.starts_with("wait by joining,3: "));
    let values: Vec<&str> = groups.filter_map(|line| line.split(',').nth(3)).collect();
    assert_eq!(values, ["2", "2", "30.000", "57.000", "30.000", "57.000"]);
}

#[tokio::test]
async fn a_refused_payment_is_counted_once_and_somebody_who_does_not_come_is_a_no_show() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let settings = json!({"capacity": 1, "claim_window_seconds": 1, "return_grace_seconds": 0});
    let sale = sale::open(&admin, 1, 4, settings).await;
    let first = active_buyer(&process, &sale).await;
    let mut absent = process.buyer().await;
    assert_eq!(absent.join(sale.schedule).await.ok(201)["status"], "WAITING");
    let hold = first.hold(sale.schedule, json!({"seat_ids": &sale.seats[..1]})).await.ok(201);
    sqlx::query("update point set amount = 1").execute(&world.pool).await.expect("few points");
    // A repeat under the same key is the same refusal.
    let paying = first.keyed();
    for _ in 0..2 {
        let body = json!({"hold_id": hold["hold_id"]});
        paying.post("/v1/payments", body).await.refused(402, "insufficient_points");
    }
    first.leave().await;
    let path = format!("/v1/admin/schedules/{}/report", sale.schedule);
    let report = until("everything is in the report", async || {
        let report = admin.get(&path).await;
        let is_there = report.status == 200
            && report.body["people"]["admitted"]["no_shows"] == 1
            && report.body["refused_payments"] != json!([]);
        is_there.then_some(report.body)
    })
    .await;
    let refused = json!([{"reason": "insufficient_points", "times": 1}]);
    assert_eq!((&report["refused_payments"], &report["rejections"]), (&refused, &json!([])));
    let stats = admin.get(&format!("/v1/admin/schedules/{}/stats", sale.schedule)).await.ok(200);
    assert_eq!(stats["rejections"], 0, "of joins and holds only");
}
