//! What the transactions do: `hold_seats`, `pay_hold`, giving back, refunding, expiring.

use crate::state::{
    Answer, Buyer, Change, Guard, Guards, Payment, Pg, Request, Row, Seen, Shown, Sight, Sights,
    Status, Tick, Told,
};

/// What a transaction came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Committed, and this is the answer.
    Answered(Answer, Told),
    /// The money has moved, and the rest is to come.
    Half,
}

fn of(buyer: Buyer) -> usize {
    usize::from(buyer)
}

impl Pg {
    /// What the seat is.
    pub fn shown(&self) -> Shown {
        let last = usize::from(self.fence).checked_sub(1).and_then(|last| self.outbox[last]);
        last.map_or(Shown::Free, |change| change.shown)
    }

    /// Changes the seat: a higher fence, and a row of the outbox.
    fn change(&mut self, shown: Shown) {
        self.outbox[of(self.fence)] = Some(Change { shown, told: false });
        self.fence += 1;
    }

    fn end(&mut self, buyer: Buyer, status: Status) {
        if let Some(row) = &mut self.rows[of(buyer)] {
            row.status = status;
        }
    }

    fn pay(&mut self, buyer: Buyer, points: i8) {
        self.balance[of(buyer)] += points;
        self.history[of(buyer)] += points;
    }

    /// Runs a buyer's request under its key.
    pub fn request(
        &mut self,
        guards: &Guards,
        (buyer, request): (Buyer, Request),
        seen: Seen,
        now: Tick,
        sights: &mut Sights,
    ) -> Outcome {
        let slot = request as usize;
        if let Some(stored) = self.keys[of(buyer)][slot].filter(|_| guards.has(Guard::Key)) {
            return Outcome::Answered(stored, Told::Again);
        }
        let rows = seen.rows.unwrap_or(self.rows);
        let clock = seen.clock.unwrap_or(now);
        let done = match request {
            Request::Hold => self.hold(guards, buyer, rows, (clock, now)),
            Request::Refund => self.refund(buyer, rows),
            Request::Pay if self.may_pay(buyer, rows, clock) => {
                let late = self.rows[of(buyer)].is_some_and(|row| now >= row.expires);
                sights.note(Sight::PaidLate, late);
                self.pay(buyer, -1);
                self.mark_paid(buyer, Payment::Complete);
                if !guards.has(Guard::OneTransaction) {
                    return Outcome::Half;
                }
                self.complete(buyer);
                true
            }
            Request::Pay => false,
        };
        let answer = if done { Answer::Done } else { Answer::Refused };
        // A hold that is refused stores nothing; the others' refusals are final.
        if done || request != Request::Hold {
            self.keys[of(buyer)][slot] = Some(answer);
        }
        sights.note(Sight::RefusedWrongly, !done && self.has(buyer, request));
        Outcome::Answered(answer, Told::First)
    }

    /// Whether a buyer has what the request is for.
    pub fn has(&self, buyer: Buyer, request: Request) -> bool {
        self.rows[of(buyer)].is_some_and(|row| match request {
            Request::Hold => row.live(),
            Request::Pay => row.paid == Some(Payment::Complete),
            Request::Refund => row.paid == Some(Payment::Refunded),
        })
    }

    /// By what was seen; and what is written over must be as it was seen, or all is rolled back.
    fn may_pay(&self, buyer: Buyer, seen: [Option<Row>; 2], clock: Tick) -> bool {
        let waits = |row: Option<Row>| row.is_some_and(|row| row.status == Status::Waiting);
        let in_time = seen[of(buyer)].is_some_and(|row| clock < row.expires);
        waits(seen[of(buyer)])
            && in_time
            && waits(self.rows[of(buyer)])
            && self.balance[of(buyer)] > 0
    }

    fn hold(
        &mut self,
        guards: &Guards,
        buyer: Buyer,
        seen: [Option<Row>; 2],
        (clock, now): (Tick, Tick),
    ) -> bool {
        let lapsed = |row: &Row| row.status == Status::Waiting && row.takeover() <= clock;
        let blocks = |row: &Row| row.live() && !lapsed(row);
        // A hold is written once: its id comes from its key.
        if seen.iter().flatten().any(blocks) || self.rows[of(buyer)].is_some() {
            return false;
        }
        let mut rows = self.rows;
        for (row, seen) in rows.iter_mut().flatten().zip(seen.iter().flatten()) {
            if lapsed(seen) {
                if row.status != Status::Waiting {
                    return false; // rolled back
                }
                row.status = Status::Expired;
            }
        }
        if guards.has(Guard::Index) && rows.iter().flatten().any(|row| row.live()) {
            return false;
        }
        let row = Row { status: Status::Waiting, expires: now + 1, paid: None };
        rows[of(buyer)] = Some(row);
        self.rows = rows;
        self.change(Shown::Keep(buyer, row.takeover()));
        true
    }

    fn mark_paid(&mut self, buyer: Buyer, payment: Payment) {
        if let Some(row) = &mut self.rows[of(buyer)] {
            row.paid = Some(payment);
        }
    }

    /// The second half of a payment.
    pub fn complete(&mut self, buyer: Buyer) {
        self.end(buyer, Status::Complete);
        self.change(Shown::Sell(buyer));
    }

    fn refund(&mut self, buyer: Buyer, seen: [Option<Row>; 2]) -> bool {
        let paid = |row: Option<Row>| row.is_some_and(|row| row.paid == Some(Payment::Complete));
        if !paid(seen[of(buyer)]) || !paid(self.rows[of(buyer)]) {
            return false;
        }
        self.end(buyer, Status::Refunded);
        self.mark_paid(buyer, Payment::Refunded);
        self.pay(buyer, 1);
        self.change(Shown::Free);
        true
    }

    /// Gives a hold back, or ends one that has lapsed.
    pub fn give_up(&mut self, buyer: Buyer, status: Status, now: Tick) {
        let due = |row: Row| status == Status::Cancelled || row.takeover() <= now;
        let row = self.rows[of(buyer)].filter(|row| row.status == Status::Waiting);
        if row.is_some_and(due) {
            self.end(buyer, status);
            self.change(Shown::Free);
        }
    }
}
