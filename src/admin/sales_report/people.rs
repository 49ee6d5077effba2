//! The people of a sale, and how far each of them came. Pure.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Joined the queue.
pub const JOINED: u8 = 1;
/// Was admitted.
pub const ADMITTED: u8 = 2;
/// Was seen after an admission, so that the entry was not passed over.
pub const SEEN: u8 = 4;
/// Was admitted, and that queue entry has not ended.
pub const OPEN: u8 = 8;
/// Held a seat.
pub const HELD: u8 = 16;
/// Paid for a seat.
pub const PAID: u8 = 32;
/// Holds a seat now that waits for payment.
pub const HOLDING: u8 = 64;
/// Owns a seat that was paid for and not refunded.
pub const BUYER: u8 = 128;

/// Ids per block of marks.
const BLOCK: i64 = 512;

/// Marks of users, one byte for each. Ids are given in order, so a block has one for each of 512.
#[derive(Debug, Default)]
pub struct People {
    blocks: HashMap<i64, [u8; 512]>,
}

/// A step on the way to a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum StepName {
    /// Joined the queue.
    Joined,
    /// Was admitted at least once.
    Admitted,
    /// Held at least one seat.
    Held,
    /// Paid for at least one seat, also if it was refunded later.
    Paid,
}

impl StepName {
    /// The name in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Joined => "joined",
            Self::Admitted => "admitted",
            Self::Held => "held",
            Self::Paid => "paid",
        }
    }
}

/// How many people took a step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Step {
    /// The step.
    pub step: StepName,
    /// Different users who took it.
    pub people: i64,
    /// Share of those who took the step before, from 0 to 1. Null for the first step, and if nobody
    /// took the step before.
    pub of_previous: Option<f64>,
    /// Share of those who joined, from 0 to 1. Null if nobody joined.
    pub of_joined: Option<f64>,
}

/// What became of the people who were admitted. Each of them counts in one member.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AdmittedPeople {
    /// Paid for a seat, also if it was refunded later.
    pub paid: i64,
    /// Did not pay, and still can: they have a slot or a hold, or may return.
    pub open: i64,
    /// Held a seat and did not pay.
    pub held_not_paid: i64,
    /// Were seen after the admission, and held no seat.
    pub held_nothing: i64,
    /// Were never seen after the admission: they were passed over, and did not return.
    pub no_shows: i64,
}

/// The people of a sale by what they did. A user with several queue entries counts once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PeopleReport {
    /// Joined, admitted, held, paid.
    pub steps: Vec<Step>,
    /// What became of the people who were admitted.
    pub admitted: AdmittedPeople,
}

impl People {
    /// Adds marks to users, one value for each.
    pub fn mark(&mut self, users: &[i64], marks: &[i16]) {
        for (user, marks) in users.iter().zip(marks) {
            let block = self.blocks.entry(user.div_euclid(BLOCK)).or_insert([0; 512]);
            let at = usize::try_from(user.rem_euclid(BLOCK)).ok();
            let mark = at.and_then(|at| block.get_mut(at));
            if let (Some(mark), Ok(bits)) = (mark, u8::try_from(*marks)) {
                *mark |= bits;
            }
        }
    }

    /// The number of users with this mark.
    #[must_use]
    pub fn count(&self, mark: u8) -> i64 {
        self.marks().map(|marks| i64::from(marks & mark != 0)).sum()
    }

    /// The people by what they did.
    #[must_use]
    pub fn report(&self) -> PeopleReport {
        let mut admitted = AdmittedPeople::default();
        for marks in self.marks().filter(|marks| marks & ADMITTED != 0) {
            let has = |mark: u8| marks & mark != 0;
            let outcome = if has(PAID) {
                &mut admitted.paid
            } else if has(OPEN | HOLDING) {
                &mut admitted.open
            } else if has(HELD) {
                &mut admitted.held_not_paid
            } else if has(SEEN) {
                &mut admitted.held_nothing
            } else {
                &mut admitted.no_shows
            };
            *outcome += 1;
        }
        PeopleReport { steps: self.steps(), admitted }
    }

    fn steps(&self) -> Vec<Step> {
        let names = [
            (StepName::Joined, JOINED),
            (StepName::Admitted, ADMITTED),
            (StepName::Held, HELD),
            (StepName::Paid, PAID),
        ];
        let joined = self.count(JOINED);
        let mut previous = None;
        let mut steps = Vec::with_capacity(names.len());
        for (step, mark) in names {
            let people = self.count(mark);
            let of_previous = previous.and_then(|all| share(people, all));
            steps.push(Step { step, people, of_previous, of_joined: share(people, joined) });
            previous = Some(people);
        }
        steps
    }

    fn marks(&self) -> impl Iterator<Item = u8> {
        self.blocks.values().flat_map(|block| block.iter().copied())
    }
}

/// A part of a whole; `None` of nothing.
#[expect(clippy::cast_precision_loss, reason = "counts of people, far below 2^52")]
fn share(part: i64, whole: i64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_user_counts_once_whatever_the_id() {
        let mut people = People::default();
        people.mark(&[1, 2, 2, 511, 512, 1 << 40, 1, -1], &[1; 8]);
        people.mark(&[512, 64, 63], &[1; 3]);
        people.mark(&[2], &[i16::from(BUYER)]);
        assert_eq!((people.count(JOINED), people.count(BUYER)), (8, 1));
    }

    #[test]
    fn each_admitted_user_has_one_outcome_and_each_step_its_shares() {
        let mut people = People::default();
        let marks: [u8; 9] = [
            JOINED,
            JOINED,
            JOINED | ADMITTED,
            JOINED | ADMITTED | OPEN,
            JOINED | ADMITTED | SEEN,
            JOINED | ADMITTED | SEEN | HELD,
            JOINED | ADMITTED | SEEN | HELD | HOLDING,
            JOINED | ADMITTED | HELD | PAID | BUYER,
            JOINED | ADMITTED | OPEN | SEEN | HELD | PAID,
        ];
        for (user, marks) in (1..).zip(marks) {
            people.mark(&[user], &[marks.into()]);
        }
        let report = people.report();
        let outcomes =
            AdmittedPeople { paid: 2, open: 2, held_not_paid: 1, held_nothing: 1, no_shows: 1 };
        assert_eq!(report.admitted, outcomes);
        let steps: Vec<_> = report.steps.iter().map(|it| (it.people, it.of_previous)).collect();
        let expected = [(9, None), (7, Some(7.0 / 9.0)), (4, Some(4.0 / 7.0)), (2, Some(0.5))];
        assert_eq!(steps, expected);
        assert_eq!(report.steps[3].of_joined, Some(2.0 / 9.0));
        assert!(People::default().report().steps.iter().all(|step| step.of_joined.is_none()));
    }
}
