use serde_json::json;

use super::*;
use crate::admin::history::sample::{LoadSizes, STANDS, SaleSizes};

fn time(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_796_000_000 + seconds, 0).unwrap()
}

fn change(before: Value, after: Value) -> Vec<(MarkerKind, Option<Value>, Option<Value>)> {
    let before = (!before.is_null()).then_some(before);
    let (by, action) = ("Kim".to_owned(), "queue.change".to_owned());
    let markers = of_change(&Change { at: time(0), by, action, before, after: Some(after) });
    assert!(markers.iter().all(|it| it.by.as_deref() == Some("Kim") && it.at == time(0)));
    markers.into_iter().map(|it| (it.kind, it.before, it.after)).collect()
}

#[test]
fn a_change_has_a_marker_of_each_kind_with_what_changed() {
    let before =
        json!({"id": 7, "queue": {"capacity": 5, "rate": 2, "paused": false, "message": null}});
    let after =
        json!({"id": 7, "queue": {"capacity": 9, "rate": 2, "paused": true, "message": "soon"}});
    let found = change(before.clone(), after.clone());
    assert_eq!(
        found,
        [
            (MarkerKind::Message, Some(json!({"message": null})), Some(json!({"message": "soon"}))),
            (MarkerKind::Paused, Some(json!({"paused": false})), Some(json!({"paused": true}))),
            (MarkerKind::Changed, Some(json!({"capacity": 5})), Some(json!({"capacity": 9}))),
        ]
    );
    assert_eq!(change(after, before.clone())[1].0, MarkerKind::Resumed);
    assert_eq!(change(before.clone(), before), [], "nothing changed");
    assert_eq!(change(Value::Null, json!({"id": 7})), [(MarkerKind::Changed, None, None)]);
}

fn sample(seconds: i64, phase: Phase, epoch: Option<i64>) -> Sample {
    let sale = |epoch| SaleSizes {
        epoch,
        waiting: 0,
        active: 0,
        parked: 0,
        held: 0,
        capacity: 1,
        rate: 1,
        joined: 0,
        admitted: 0,
        expired: 0,
        sold: 0,
    };
    Sample {
        at: time(seconds),
        counted_at: time(seconds),
        step: 1,
        stands: STANDS,
        phase,
        recovering: epoch.is_none(),
        drawing: false,
        sale: epoch.map(sale),
        sold: None,
        load: LoadSizes::default(),
    }
}

#[test]
fn the_evening_of_a_sale_is_marked_from_its_readings() {
    use MarkerKind as M;
    let readings = [
        (Phase::Upcoming, Some(1)),
        (Phase::Open, Some(1)),
        (Phase::Open, None),
        (Phase::Open, None),
        (Phase::Open, Some(2)),
        (Phase::Paused, Some(2)),
        (Phase::Open, Some(2)),
        (Phase::SoldOut, Some(2)),
        (Phase::Open, Some(2)),
        (Phase::Closed, Some(2)),
    ];
    let samples: Vec<Sample> =
        (0..).zip(readings).map(|(at, (phase, epoch))| sample(at, phase, epoch)).collect();
    let markers = of_samples(&samples);
    let found: Vec<_> =
        markers.iter().map(|it| (it.kind, (it.at - time(0)).num_seconds())).collect();
    let expected = [
        (M::Opened, 1),
        (M::Recovering, 2),
        (M::Rebuilt, 4),
        (M::SoldOut, 7),
        (M::Reopened, 8),
        (M::Closed, 9),
    ];
    assert_eq!(found, expected);
    assert_eq!(markers[2].epoch, Some(2));
}

#[test]
fn the_end_of_a_draw_is_marked() {
    let drawing = Sample { drawing: true, ..sample(0, Phase::Open, Some(1)) };
    let markers = of_samples(&[drawing.clone(), drawing, sample(1, Phase::Open, Some(1))]);
    assert_eq!(markers, [Marker::new(time(1), MarkerKind::Drawn)]);
}
