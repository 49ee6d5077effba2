//! The transactions of PostgreSQL: `write_hold`, `settle_payment`, release, refund and expiry.

use crate::state::{
    Answer, AnswerSource, Buyer, Change, EarlyReads, Guard, Guards, Payment, Pg, Request, Row,
    SeatState, Status, Tick, Violation, Violations,
};

/// Result of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It committed, with this answer.
    Answered(Answer, AnswerSource),
    /// The money is moved; the reservation is completed in a second transaction.
    HalfCommitted,
}

fn index(buyer: Buyer) -> usize {
    usize::from(buyer)
}

impl Pg {
    /// State of the seat after its last change.
    pub fn seat_state(&self) -> SeatState {
        let last = usize::from(self.fence).checked_sub(1).and_then(|last| self.outbox[last]);
        last.map_or(SeatState::Free, |change| change.seat_state)
    }

    /// Changes the seat: raises its fence and adds a row to the outbox.
    fn change(&mut self, seat_state: SeatState) {
        self.outbox[index(self.fence)] = Some(Change { seat_state, applied: false });
        self.fence += 1;
    }

    fn end(&mut self, buyer: Buyer, status: Status) {
        if let Some(row) = &mut self.rows[index(buyer)] {
            row.status = status;
        }
    }

    fn add_points(&mut self, buyer: Buyer, points: i8) {
        self.balance[index(buyer)] += points;
        self.history[index(buyer)] += points;
    }

    /// Runs a buyer's request under its idempotency key.
    pub fn request(
        &mut self,
        guards: &Guards,
        (buyer, request): (Buyer, Request),
        reads: EarlyReads,
        now: Tick,
        violations: &mut Violations,
    ) -> Outcome {
        let slot = request as usize;
        if let Some(stored) = self.keys[index(buyer)][slot].filter(|_| guards.has(Guard::Key)) {
            return Outcome::Answered(stored, AnswerSource::Stored);
        }
        let rows = reads.rows.unwrap_or(self.rows);
        let clock = reads.clock.unwrap_or(now);
        let done = match request {
            Request::Hold => self.hold(guards, buyer, rows, (clock, now)),
            Request::Refund => self.refund(buyer, rows),
            Request::Pay if self.may_pay(buyer, rows, clock) => {
                let late = self.rows[index(buyer)].is_some_and(|row| now >= row.expires);
                violations.record(Violation::PaidLate, late);
                self.add_points(buyer, -1);
                self.set_payment(buyer, Payment::Complete);
                if !guards.has(Guard::OneTransaction) {
                    return Outcome::HalfCommitted;
                }
                self.complete(buyer);
                true
            }
            Request::Pay => false,
        };
        let answer = if done { Answer::Done } else { Answer::Refused };
        // A refused hold stores no answer; refusals of other requests are final and are stored.
        if done || request != Request::Hold {
            self.keys[index(buyer)][slot] = Some(answer);
        }
        violations.record(Violation::RefusedWrongly, !done && self.has(buyer, request));
        Outcome::Answered(answer, AnswerSource::Computed)
    }

    /// Whether the request has taken effect for this buyer.
    pub fn has(&self, buyer: Buyer, request: Request) -> bool {
        self.rows[index(buyer)].is_some_and(|row| match request {
            Request::Hold => row.live(),
            Request::Pay => row.paid == Some(Payment::Complete),
            Request::Refund => row.paid == Some(Payment::Refunded),
        })
    }

    /// Checks the rows that were read, and the current rows too: a write to a row that changed
    /// since it was read rolls the transaction back.
    fn may_pay(&self, buyer: Buyer, read: [Option<Row>; 2], clock: Tick) -> bool {
        let waits = |row: Option<Row>| row.is_some_and(|row| row.status == Status::Waiting);
        let in_time = read[index(buyer)].is_some_and(|row| clock < row.expires);
        waits(read[index(buyer)])
            && in_time
            && waits(self.rows[index(buyer)])
            && self.balance[index(buyer)] > 0
    }

    fn hold(
        &mut self,
        guards: &Guards,
        buyer: Buyer,
        read: [Option<Row>; 2],
        (clock, now): (Tick, Tick),
    ) -> bool {
        let expired = |row: &Row| row.status == Status::Waiting && row.takeover() <= clock;
        let blocks = |row: &Row| row.live() && !expired(row);
        // A buyer's hold is inserted once, because its id is derived from its idempotency key.
        if read.iter().flatten().any(blocks) || self.rows[index(buyer)].is_some() {
            return false;
        }
        let mut rows = self.rows;
        for (row, read) in rows.iter_mut().flatten().zip(read.iter().flatten()) {
            if expired(read) {
                if row.status != Status::Waiting {
                    return false; // The transaction is rolled back.
                }
                row.status = Status::Expired;
            }
        }
        if guards.has(Guard::Index) && rows.iter().flatten().any(|row| row.live()) {
            return false;
        }
        let row = Row { status: Status::Waiting, expires: now + 1, paid: None };
        rows[index(buyer)] = Some(row);
        self.rows = rows;
        self.change(SeatState::Held(buyer, row.takeover()));
        true
    }

    fn set_payment(&mut self, buyer: Buyer, payment: Payment) {
        if let Some(row) = &mut self.rows[index(buyer)] {
            row.paid = Some(payment);
        }
    }

    /// The second half of a payment: completes the reservation.
    pub fn complete(&mut self, buyer: Buyer) {
        self.end(buyer, Status::Complete);
        self.change(SeatState::Sold(buyer));
    }

    fn refund(&mut self, buyer: Buyer, read: [Option<Row>; 2]) -> bool {
        let paid = |row: Option<Row>| row.is_some_and(|row| row.paid == Some(Payment::Complete));
        if !paid(read[index(buyer)]) || !paid(self.rows[index(buyer)]) {
            return false;
        }
        self.end(buyer, Status::Refunded);
        self.set_payment(buyer, Payment::Refunded);
        self.add_points(buyer, 1);
        self.change(SeatState::Free);
        true
    }

    /// Ends an unpaid hold: released by its buyer, or expired.
    pub fn end_unpaid(&mut self, buyer: Buyer, status: Status, now: Tick) {
        let due = |row: Row| status == Status::Cancelled || row.takeover() <= now;
        let row = self.rows[index(buyer)].filter(|row| row.status == Status::Waiting);
        if row.is_some_and(due) {
            self.end(buyer, status);
            self.change(SeatState::Free);
        }
    }
}
