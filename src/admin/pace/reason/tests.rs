use super::*;

/// A healthy sale: 10 of 100 slots are free, and 10 a second are admitted, as set.
fn sale() -> Seen {
    Seen::of_test()
}

type Case = (&'static str, fn(&mut Seen), PaceReason);

/// States of an open sale that admits.
fn flowing() -> [Case; 11] {
    use PaceReason as R;
    [
        ("healthy, the rate is reached", |_| (), R::Rate),
        ("all slots in use, and the rate reached", |it| it.active = 100, R::Rate),
        ("nine tenths of the rate", |it| it.measured_per_second = Some(9.0), R::Rate),
        (
            "all slots in use, below the rate",
            |it| (it.active, it.measured_per_second) = (100, Some(3.0)),
            R::Capacity,
        ),
        (
            "a slot that is in use again in a moment",
            |it| (it.active, it.measured_per_second) = (98, Some(3.0)),
            R::Capacity,
        ),
        (
            "all slots in use, nobody has left for 30 s",
            |it| (it.active, it.measured_per_second) = (100, None),
            R::Capacity,
        ),
        ("admission rises", |it| it.measured_per_second = Some(3.0), R::Running),
        ("nothing measured yet", |it| it.measured_per_second = None, R::Starting),
        (
            "free slots, and nobody admitted",
            |it| (it.measured_per_second, it.measured_ms) = (None, 25_000),
            R::Stalled,
        ),
        (
            "two free slots, and nobody admitted",
            |it| (it.active, it.measured_per_second, it.measured_ms) = (98, None, 25_000),
            R::Stalled,
        ),
        (
            "silent first entries",
            |it| (it.measured_per_second, it.asking) = (None, true),
            R::Presence,
        ),
    ]
}

/// States of a sale in which nobody waits, or nobody is admitted.
fn standing() -> [Case; 11] {
    use PaceReason as R;
    [
        ("nobody waits", |it| it.waiting = 0, R::Empty),
        ("nobody waits, all slots in use", |it| (it.waiting, it.active) = (0, 100), R::Empty),
        ("no capacity", |it| it.capacity = 0, R::NoCapacity),
        ("before the end of the draw", |it| it.drawing = true, R::Draw),
        ("sold out", |it| it.phase = Phase::SoldOut, R::SoldOut),
        ("paused", |it| it.phase = Phase::Paused, R::Paused),
        ("before the opening", |it| it.phase = Phase::Upcoming, R::Upcoming),
        ("no seats", |it| (it.phase, it.seats) = (Phase::Upcoming, 0), R::NoSeats),
        ("over", |it| it.phase = Phase::Closed, R::Closed),
        ("withdrawn", |it| it.available = false, R::Withdrawn),
        ("after a loss", |it| it.recovering = true, R::Recovering),
    ]
}

#[test]
fn each_state_of_a_sale_has_its_reason() {
    for (name, change, expected) in flowing().into_iter().chain(standing()) {
        let mut seen = sale();
        change(&mut seen);
        assert_eq!(reason(&seen), expected, "{name}");
    }
    let lost = Seen { redis_lost_at: Some(sale().now), ..sale() };
    assert_eq!(reason(&lost), PaceReason::RedisUnavailable);
    let rebuilt = Seen { recovering: true, ..lost };
    assert_eq!(reason(&rebuilt), PaceReason::Recovering, "a rebuild is more than an old reading");
}

#[test]
fn a_sale_of_one_slot_is_full_only_while_it_is_in_use() {
    let one = Seen { capacity: 1, active: 0, measured_per_second: Some(0.1), ..sale() };
    assert_eq!(reason(&one), PaceReason::Running);
    assert_eq!(reason(&Seen { active: 1, ..one }), PaceReason::Capacity);
}
