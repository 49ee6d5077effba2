use super::*;
use crate::admin::history::sample::{IDLE_STANDS, LoadSizes, STANDS, SoldSizes};

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_796_000_000, 0).unwrap()
}

/// The reading of a healthy sale `ago` seconds before now: two a second are admitted.
fn healthy(ago: i32) -> Sample {
    let sale = SaleSizes {
        epoch: 1,
        waiting: 500,
        active: 40,
        parked: 0,
        held: 3,
        capacity: 50,
        rate: 2,
        joined: 1000,
        admitted: 10_000 - 2 * i64::from(ago),
        expired: 0,
        sold: 5,
    };
    let at = now() - TimeDelta::seconds(ago.into());
    Sample {
        at,
        counted_at: at,
        step: 1,
        stands: STANDS,
        phase: Phase::Open,
        recovering: false,
        drawing: false,
        sale: Some(sale),
        sold: Some(SoldSizes { revenue: 0, refused: 50, failed: 0 }),
        load: LoadSizes { redis_ms: Some(2.0), pool_ms: Some(1.0), ..LoadSizes::default() },
    }
}

/// Readings of the last 140 s; `change` is called with each and how long ago it was.
fn readings(change: impl Fn(&mut Sample, i32)) -> Vec<Sample> {
    let reading = |ago| {
        let mut sample = healthy(ago);
        change(&mut sample, ago);
        sample
    };
    (0..140).rev().map(reading).collect()
}

fn verdict(kind: AlertKind, samples: &[Sample]) -> Verdict {
    let known = Known { samples, repaired_at: None, now: now() };
    known.verdict(kind, &AlertRules::default())
}

const OF_SALES: [AlertKind; 7] = [
    AlertKind::NobodyAdmitted,
    AlertKind::Recovering,
    AlertKind::RefusalsRise,
    AlertKind::SoldOut,
    AlertKind::StoresDiffer,
    AlertKind::RedisSlow,
    AlertKind::PostgresPoolExhausted,
];

#[test]
fn a_healthy_sale_ends_every_alert_and_begins_none() {
    for kind in OF_SALES {
        assert_eq!(verdict(kind, &readings(|_, _| ())), Verdict::End, "{kind:?}");
    }
}

/// Whether the alert is due with a condition that has held for so many seconds.
fn is_due(kind: AlertKind, seconds: i32, change: impl Fn(&mut Sample)) -> bool {
    let samples = readings(|sample, ago| {
        if ago <= seconds {
            change(sample);
        }
    });
    matches!(verdict(kind, &samples), Verdict::Begin(_))
}

type Change<'a> = &'a dyn Fn(&mut Sample);

#[test]
fn an_alert_begins_after_its_condition_has_held_for_its_time() {
    let stuck = |sample: &mut Sample| {
        if let Some(sale) = &mut sample.sale {
            sale.admitted = 9_000;
        }
    };
    let recovering = |sample: &mut Sample| (sample.recovering, sample.sale) = (true, None);
    let sold_out = |sample: &mut Sample| sample.phase = Phase::SoldOut;
    let slow = |sample: &mut Sample| sample.load.redis_ms = Some(251.0);
    let pool = |sample: &mut Sample| sample.load.pool_ms = Some(251.0);
    let cases: [(AlertKind, i32, Change<'_>); 5] = [
        (AlertKind::NobodyAdmitted, 120, &stuck),
        (AlertKind::Recovering, 60, &recovering),
        (AlertKind::SoldOut, 5, &sold_out),
        (AlertKind::RedisSlow, 60, &slow),
        (AlertKind::PostgresPoolExhausted, 60, &pool),
    ];
    for (kind, seconds, change) in cases {
        assert!(!is_due(kind, seconds - 3, change), "{kind:?} is early");
        assert!(is_due(kind, seconds + 3, change), "{kind:?}");
        for other in OF_SALES.into_iter().filter(|other| *other != kind) {
            assert!(!is_due(other, seconds + 3, change), "{other:?} because of {kind:?}");
        }
    }
}

#[test]
fn nobody_is_missed_while_nobody_waits_slots_are_full_or_the_sale_is_paused() {
    let stuck = |change: fn(&mut Sample)| {
        is_due(AlertKind::NobodyAdmitted, 139, move |sample| {
            sample.sale.as_mut().unwrap().admitted = 9_000;
            change(sample);
        })
    };
    assert!(stuck(|_| ()));
    assert!(!stuck(|sample| sample.sale.as_mut().unwrap().waiting = 0));
    assert!(!stuck(|sample| sample.sale.as_mut().unwrap().active = 50));
    assert!(!stuck(|sample| sample.phase = Phase::Paused));
    assert!(!stuck(|sample| sample.phase = Phase::SoldOut));
    assert!(!stuck(|sample| sample.drawing = true));
    assert!(!stuck(|sample| sample.recovering = true));
}

#[test]
fn one_admission_ends_the_alert_and_a_moment_without_free_slots_does_not() {
    let stuck = |sample: &mut Sample| sample.sale.as_mut().unwrap().admitted = 9_000;
    let samples = readings(|sample, ago| {
        stuck(sample);
        if (3..8).contains(&ago) {
            sample.sale.as_mut().unwrap().active = 50;
        }
    });
    assert_eq!(verdict(AlertKind::NobodyAdmitted, &samples), Verdict::Keep);
    let samples = readings(|sample, ago| {
        stuck(sample);
        sample.sale.as_mut().unwrap().admitted += i64::from(ago < 3);
    });
    assert_eq!(verdict(AlertKind::NobodyAdmitted, &samples), Verdict::End);
}

#[test]
fn refusals_rise_above_one_a_second_and_have_fallen_below_a_fifth() {
    let refused = |per_minute: i32| {
        let samples = readings(|sample, ago| {
            let failed = 10_000 - i64::from(ago * per_minute / 60);
            sample.sold.as_mut().unwrap().failed = failed;
        });
        verdict(AlertKind::RefusalsRise, &samples)
    };
    assert_eq!(refused(0), Verdict::End);
    assert_eq!(refused(6), Verdict::End);
    assert_eq!(refused(30), Verdict::Keep, "between both limits it stays as it is");
    assert_eq!(refused(600), Verdict::Begin(json!({ "refusals_per_second": 10.0 })));
    let only_taken_seats = readings(|sample, ago| {
        sample.sold.as_mut().unwrap().refused = 100_000 - 50 * i64::from(ago);
    });
    assert_eq!(verdict(AlertKind::RefusalsRise, &only_taken_seats), Verdict::End);
}

#[test]
fn a_gap_in_the_readings_begins_and_ends_nothing() {
    let gap = |from: i32, to: i32, phase: Phase| {
        let samples = readings(|sample, _| sample.phase = phase);
        let ago = |sample: &Sample| (now() - sample.at).num_seconds();
        let kept = |sample: &Sample| !(i64::from(from)..i64::from(to)).contains(&ago(sample));
        let samples: Vec<Sample> = samples.into_iter().filter(kept).collect();
        verdict(AlertKind::SoldOut, &samples)
    };
    assert_eq!(gap(0, 8, Phase::SoldOut), Verdict::Keep, "nothing is known of now");
    assert_eq!(gap(10, 20, Phase::Open), Verdict::Keep);
    assert_eq!(gap(100, 120, Phase::Open), Verdict::End, "an old gap does no harm");
    assert!(matches!(gap(20, 30, Phase::SoldOut), Verdict::Begin(_)));
    // A sale in which nothing happens is written seldom, and has no gap.
    let idle: Vec<Sample> = (0..14)
        .rev()
        .map(|at| Sample { stands: IDLE_STANDS, phase: Phase::SoldOut, ..healthy(10 * at) })
        .collect();
    assert!(matches!(verdict(AlertKind::SoldOut, &idle), Verdict::Begin(_)));
}

#[test]
fn a_repair_is_news_for_ten_minutes() {
    let after = |minutes| {
        let repaired_at = Some(now() - TimeDelta::minutes(minutes));
        let known = Known { samples: &[], repaired_at, now: now() };
        known.verdict(AlertKind::StoresDiffer, &AlertRules::default())
    };
    assert_eq!(after(9), Verdict::Begin(json!({})));
    assert_eq!(after(11), Verdict::End);
}

/// The rule of an alert in `deploy/prometheus/alerts.yml`.
fn rule_of(alert: &str) -> Option<&'static str> {
    let all = include_str!("../../../../deploy/prometheus/alerts.yml");
    let from = all.find(&format!("- alert: {alert}\n"))?;
    let rest = &all[from..];
    Some(&rest[..rest[1..].find("- alert:").map_or(rest.len(), |end| end + 1)])
}

#[test]
fn names_and_limits_are_those_of_the_alerts_of_prometheus() {
    let rules = AlertRules::default();
    for (alert, texts) in [
        ("OnsaleNobodyAdmitted", &["[1m])) == 0", "for: 1m"][..]),
        ("OnsaleRecovering", &["for: 1m"]),
        ("OnsaleStoresDiffer", &["what!=\"place\"}[10m]"]),
        ("OnsaleRedisUnavailable", &["for: 10s"]),
        ("OnsalePostgresUnavailable", &["for: 10s"]),
        ("OnsaleRedisSlow", &["> 0.25", "for: 1m", "connection=\"shared\""]),
        ("OnsalePostgresPoolExhausted", &["> 0.25", "for: 1m", "pool_wait"]),
    ] {
        let rule = rule_of(alert).unwrap_or_else(|| panic!("{alert} is gone"));
        for text in texts {
            assert!(rule.contains(text), "{alert} has no {text}: {rule}");
        }
        let kind = alert["Onsale".len()..].chars().fold(String::new(), |name, letter| {
            let gap = if letter.is_uppercase() && !name.is_empty() { "_" } else { "" };
            name + gap + &letter.to_uppercase().to_string()
        });
        assert!(AlertKind::find(&kind).is_some(), "{kind} is not a kind");
    }
    assert_eq!(
        (rules.nobody_admitted, rules.recovering),
        (TimeDelta::minutes(2), TimeDelta::minutes(1))
    );
    assert_eq!((rules.slow, rules.unavailable), (TimeDelta::minutes(1), TimeDelta::seconds(10)));
    assert_eq!((rules.repaired, SLOW_MS.0), (TimeDelta::minutes(10), 250.0));
}
