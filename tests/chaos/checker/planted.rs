//! Tests of the checker: it finds nothing in a correct history, and each invariant finds the
//! violations that are planted against it.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{Evidence, INVARIANTS, check};
use crate::books::{Books, Move, Payment, Place, Reservation, Seat};
use crate::faults::Span;
use crate::history::{Act, Answer, Attempt, Moment, Op, Record, SECOND, TicketView, Traffic};
use crate::plan::Kind;
use crate::run::RECOVERY;

/// The moment `ms` milliseconds into a run.
fn ms(ms: i64) -> Moment {
    100 * SECOND + ms * SECOND / 1000
}

fn time(ms_into: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(ms(ms_into)).expect("a time")
}

/// A hold of best available seats that was refused.
fn refused_best(quantity: usize, from: i64) -> Op {
    op(4, Act::Hold { schedule: 1, quantity }, from, 409, json!({"code": "not_enough_seats"}))
}

/// A request with one try of 10 ms, and its answer.
fn op(user: i64, act: Act, from: i64, status: u16, body: Value) -> Op {
    let answer = Some(Answer { status, body, replayed: false });
    let attempt = Attempt { from: ms(from), to: ms(from + 10), answer };
    Op { user, act, key: Some(format!("key {from}")), attempts: vec![attempt] }
}

fn hold(user: i64, id: &str, seats: &[(i64, i64)], from: i64) -> Op {
    let rows: Vec<_> =
        seats.iter().map(|(row, seat)| json!({"id": row, "seat_id": seat})).collect();
    let body = json!({"hold_id": id, "expires_at": time(from + 2000), "reservations": rows});
    op(user, Act::Hold { schedule: 1, quantity: seats.len() }, from, 201, body)
}

fn pay(user: i64, hold: &str, payments: &[i64], from: i64) -> Op {
    let total = 100 * payments.len();
    let payments: Vec<_> = payments.iter().map(|id| json!({"id": id})).collect();
    let body = json!({"payments": payments, "total_amount": total, "balance": 100});
    op(user, Act::Pay { hold: hold.to_owned() }, from, 201, body)
}

fn charge(user: i64, amount: i64, from: i64) -> Op {
    op(user, Act::Charge { amount }, from, 201, json!({"amount": amount, "balance": amount}))
}

fn ticket_view(user: i64, sequence: i64, status: &str, from: i64) -> TicketView {
    TicketView {
        user,
        schedule: 1,
        ticket: format!("ticket of {user}"),
        sequence,
        status: status.to_owned(),
        from: ms(from),
        to: ms(from + 5),
    }
}

fn row(id: i64, hold: &str, seat: i64, user: i64, status: &str) -> Reservation {
    let (hold, status) = (hold.to_owned(), status.to_owned());
    Reservation { id, hold, seat, user, schedule: 1, status, amount: 100 }
}

fn moved(user: i64, kind: &str, amount: i64, balance_after: i64, reference: &str) -> Move {
    let (kind, reference) = (kind.to_owned(), reference.to_owned());
    Move { user, kind, amount, balance_after, reference }
}

fn payment(id: i64, reservation: i64, status: &str) -> Payment {
    Payment { id, reservation, user: 1, amount: 100, status: status.to_owned() }
}

fn place(sequence: i64, entered: i64) -> Place {
    Place { schedule: 1, sequence, entered: Some(time(entered)) }
}

/// A correct history. Buyer 1 charges, holds two seats, pays, and gets one refunded. Buyer 2 holds
/// that seat and releases it. Buyer 3 lets a hold expire.
fn correct() -> Evidence {
    let refund = json!({"payment": {"amount": 100}, "balance": 200});
    let ops = vec![
        charge(1, 300, 0),
        hold(1, "h1", &[(1, 11), (2, 12)], 100),
        pay(1, "h1", &[21, 22], 200),
        op(1, Act::Refund { payment: 21 }, 300, 200, refund),
        charge(2, 100, 350),
        hold(2, "h2", &[(3, 11)], 400),
        op(2, Act::Release { hold: "h2".to_owned() }, 500, 204, Value::Null),
        hold(3, "h3", &[(4, 13)], 600),
    ];
    let ticket_views = vec![
        ticket_view(1, 5, "WAITING", 20),
        ticket_view(1, 5, "ACTIVE", 50),
        ticket_view(2, 6, "WAITING", 60),
        ticket_view(2, 6, "ACTIVE", 380),
    ];
    let traffic = vec![Traffic { from: ms(30_000), answered: true }; 10];
    let books = Books {
        reservations: vec![
            row(1, "h1", 11, 1, "REFUNDED"),
            row(2, "h1", 12, 1, "COMPLETE"),
            row(3, "h2", 11, 2, "CANCELLED"),
            row(4, "h3", 13, 3, "EXPIRED"),
        ],
        payments: vec![payment(21, 1, "REFUNDED"), payment(22, 2, "COMPLETE")],
        moves: vec![
            moved(1, "CHARGE", 300, 300, "key 0"),
            moved(1, "PAYMENT", -200, 100, "h1"),
            moved(1, "REFUND", 100, 200, "21"),
            moved(2, "CHARGE", 100, 100, "key 350"),
        ],
        balances: [(1, 200), (2, 100), (3, 0)].into(),
        seats: [(11, "AVAILABLE"), (12, "UNAVAILABLE"), (13, "AVAILABLE")]
            .map(|(id, status)| Seat { id, status: status.to_owned() })
            .into(),
        places: vec![place(5, 40), place(6, 370)],
        undelivered: 0,
    };
    let healed = ms(10_000);
    let record = Record { ops, ticket_views, traffic, ..Record::default() };
    Evidence { record, books, healed, closed: healed + RECOVERY, ..Evidence::default() }
}

/// Plants a waiting user who is present and is overtaken by a later entry.
fn overtake(evidence: &mut Evidence) {
    let waited = [2_000, 4_000, 6_000, 30_000].map(|from| ticket_view(4, 7, "WAITING", from));
    evidence.record.ticket_views.extend(waited);
    evidence.books.places.push(place(7, 40_000));
    evidence.books.places.push(place(8, 12_000));
}

/// A change of the evidence that violates the invariant of this name.
type Planting = (&'static str, fn(&mut Evidence));

const PLANTINGS: [Planting; 29] = [
    ("I1 one owner by the books", |e| {
        e.books.reservations.push(row(9, "h9", 12, 2, "COMPLETE"));
    }),
    ("I1 one owner by the books", |e| e.observed.broken.push(("a seat has one live row", 0))),
    ("I1 one owner by the answers", |e| {
        e.record.ops.push(hold(2, "h9", &[(9, 12)], 220));
        e.record.ops.push(pay(2, "h9", &[29], 240));
    }),
    ("I2 what was acknowledged is there", |e| drop(e.books.moves.remove(0))),
    ("I2 what was acknowledged is there", |e| drop(e.books.reservations.remove(3))),
    ("I2 what was acknowledged is there", |e| e.books.payments[0].status = "COMPLETE".into()),
    ("I2b what was refused is not", |e| e.books.moves.push(moved(3, "CHARGE", 1, 1, "never"))),
    ("I2b what was refused is not", |e| {
        e.books.reservations.push(row(9, "h9", 13, 3, "EXPIRED"));
    }),
    ("I2c holds are whole", |e| drop(e.books.reservations.remove(1))),
    ("I3 paid once, refunded once", |e| drop(e.books.payments.remove(1))),
    ("I3 paid once, refunded once", |e| e.books.moves.push(moved(1, "REFUND", 100, 300, "21"))),
    ("I4 one key, one answer", |e| {
        let mut again = e.record.ops[0].attempts[0].clone();
        again.to += SECOND;
        again.answer.as_mut().expect("an answer").body["balance"] = json!(600);
        e.record.ops[0].attempts.push(again);
    }),
    ("I4 one key, one answer", |e| e.books.moves.push(moved(2, "CHARGE", 100, 200, "key 350"))),
    ("I5 balances are their history", |e| *e.books.balances.entry(1).or_default() += 1),
    ("I5b balances are what was answered", |e| e.record.ops[4] = charge(2, 200, 350)),
    ("I6 no negative balance", |e| {
        e.record.ops.push(op(3, Act::Balance, 700, 200, json!({"amount": -1})));
    }),
    ("I7 a hold is exclusive", |e| e.record.ops.push(hold(1, "h9", &[(9, 13)], 1_000))),
    ("I7b no payment past the deadline", |e| e.record.ops[2] = pay(1, "h1", &[21, 22], 2_200)),
    ("I8 the seat limit", |e| {
        for id in 30..35 {
            e.books.reservations.push(row(id, "h9", id, 3, "PAYMENT_WAITING"));
        }
    }),
    ("I8 the seat limit", |e| e.observed.most_claimed = (5, 0)),
    ("I9 recovery", |e| e.record.ops[0].attempts[0].answer = None),
    ("I9 recovery", |e| e.record.traffic[0].answered = false),
    ("I10 order of admission", overtake),
    ("I10b places are kept", |e| e.record.ticket_views.push(ticket_view(2, 6, "EXPIRED", 65))),
    ("I11 capacity", |e| e.observed.most_active = (25, 0)),
    ("I12 linearizable per seat", |e| {
        e.record.ops.push(pay(2, "h2", &[29], 700));
    }),
    ("I13 nothing lingers", |e| e.books.undelivered = 1),
    ("I14 no answer outside of the contract", |e| e.record.unexpected.push("500".into())),
    ("I15 no refusal while seats are free", |e| e.record.ops.push(refused_best(2, 9_000))),
];

#[test]
fn no_violation_is_found_in_a_correct_history() {
    assert_eq!(check(&correct()), []);
}

#[test]
fn every_invariant_finds_its_planted_violation() {
    for (invariant, plant) in PLANTINGS {
        let mut evidence = correct();
        plant(&mut evidence);
        let found = check(&evidence);
        assert!(found.iter().any(|it| it.invariant == invariant), "{invariant}: {found:?}");
    }
    for (invariant, _) in INVARIANTS {
        assert!(PLANTINGS.iter().any(|(planted, _)| *planted == invariant), "{invariant}");
    }
}

/// Of three seats one is sold, one kept until 5.5 s after its hold's end, one being claimed.
#[test]
fn a_refusal_is_right_while_too_few_seats_can_be_free() {
    for (quantity, from) in [(3, 9_000), (2, 8_000), (1, 105)] {
        let mut evidence = correct();
        evidence.record.ops.push(refused_best(quantity, from));
        assert_eq!(check(&evidence), [], "{quantity} at {from}");
    }
    let mut evidence = correct();
    evidence.record.ops.push(refused_best(2, 9_000));
    evidence.record.ops.push(refused_best(1, 9_005));
    let found = check(&evidence);
    assert!(found.is_empty(), "each may have claimed a seat of the other: {found:?}");
}

/// Not every refusal is stored under its key: the same request may succeed later.
#[test]
fn a_hold_refused_first_and_granted_on_a_retry_counts_as_granted() {
    let mut evidence = correct();
    let answer = Some(Answer { status: 409, body: json!({"code": "seat_taken"}), replayed: false });
    let refused = Attempt { from: ms(580), to: ms(590), answer };
    evidence.record.ops[7].attempts.insert(0, refused);
    assert_eq!(check(&evidence), []);
}

/// The reason for the interval check (I7): an order that explains every answer exists here.
#[test]
fn a_hold_given_away_early_is_found_by_the_interval_check_and_not_by_linearizability() {
    let mut evidence = correct();
    evidence.record.ops.push(hold(1, "h9", &[(9, 13)], 1_000));
    let found = check(&evidence);
    assert!(found.iter().any(|it| it.invariant == "I7 a hold is exclusive"), "{found:?}");
    assert!(!found.iter().any(|it| it.invariant == "I12 linearizable per seat"), "{found:?}");
}

/// After a loss only users who have polled since count.
#[test]
fn a_buyer_who_has_not_polled_since_a_redis_loss_may_be_overtaken() {
    let mut evidence = correct();
    overtake(&mut evidence);
    let (from, to) = (ms(6_500), ms(6_600));
    evidence.faults.push(Span { kind: Kind::RedisWiped, from, to });
    assert_eq!(check(&evidence), []);
}
