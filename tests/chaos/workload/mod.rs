//! Who comes to the sales, and what they do there.

mod buyer;
mod silent;
mod staff;

use std::sync::{Arc, Mutex, PoisonError};

use onsale::caller::Role;
use tokio::task::JoinSet;

use crate::caller::{Office, Person};
use crate::dice::Dice;
use crate::stage::Stage;

/// Buyers at a time.
const BUYERS: u64 = 72;
/// Buyers who poll as asked in the queue that falls silent.
const PATIENT: u64 = 12;
/// Those who join it and never poll.
const SILENT_PEOPLE: usize = 3000;
/// Payments that are left alone: more are refunded, or everything would be sold.
const KEPT: usize = 12;

/// A payment that may be refunded, and who made it.
#[derive(Clone, Copy)]
pub struct Paid {
    pub user: i64,
    pub payment: i64,
}

/// A sale as those who come to it know it.
#[derive(Clone)]
pub struct Stall {
    pub schedule: i64,
    pub seats: Vec<i64>,
}

/// What those who come share.
#[derive(Clone)]
pub struct Market {
    pub office: Office,
    pub stalls: Arc<Vec<Stall>>,
    /// The schedule whose queue is long and mostly silent.
    silent: i64,
    people: Arc<Mutex<Vec<i64>>>,
    silent_people: Arc<Mutex<Vec<i64>>>,
    paid: Arc<Mutex<Vec<Paid>>>,
}

impl Market {
    pub fn new(stage: &Stage, office: Office) -> Self {
        let stall = |sale: &crate::support::sale::Sale| Stall {
            schedule: sale.schedule,
            seats: sale.seats.clone(),
        };
        let stalls = Arc::new(stage.sales.iter().map(stall).collect());
        let mut people = stage.people.clone();
        let silent_people = people.split_off(people.len() - SILENT_PEOPLE);
        Self {
            office,
            stalls,
            silent: stage.silent.schedule,
            people: Arc::new(Mutex::new(people)),
            silent_people: Arc::new(Mutex::new(silent_people)),
            paid: Arc::default(),
        }
    }

    /// Opens: everybody comes, until the office closes. They end what they are at.
    pub fn open(&self, seed: u64, admin: i64) -> JoinSet<()> {
        let dice = Dice::new(seed).fork(3);
        let mut tasks = JoinSet::new();
        for number in 0..BUYERS {
            tasks.spawn(buyer::come_and_go(self.clone(), dice.fork(number)));
        }
        for number in 0..2 {
            tasks.spawn(staff::refund(self.clone(), dice.fork(1000 + number)));
        }
        for number in 0..2 {
            tasks.spawn(silent::join_and_fall_silent(self.clone(), dice.fork(3000 + number)));
        }
        for number in 0..PATIENT {
            tasks.spawn(silent::poll_as_asked(self.clone(), dice.fork(4000 + number)));
        }
        let admin = Person::new(admin, Role::Admin, &self.office, dice.fork(2000));
        tasks.spawn(staff::administer(self.clone(), admin));
        tasks
    }

    /// Somebody who was not here yet; where all were, somebody who was.
    pub fn newcomer(&self, dice: &mut Dice) -> i64 {
        let mut people = self.people.lock().unwrap_or_else(PoisonError::into_inner);
        if people.len() > 100 {
            return people.pop().expect("somebody");
        }
        people[dice.index(people.len())]
    }

    /// Somebody who will join and never poll; none where all have.
    fn silent_user(&self) -> Option<i64> {
        self.silent_people.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    pub fn bought(&self, paid: Paid) {
        self.paid.lock().unwrap_or_else(PoisonError::into_inner).push(paid);
    }

    /// A payment to be refunded, where there are enough.
    pub fn to_refund(&self, dice: &mut Dice) -> Option<Paid> {
        let mut paid = self.paid.lock().unwrap_or_else(PoisonError::into_inner);
        (paid.len() > KEPT).then(|| {
            let chosen = dice.index(paid.len());
            paid.swap_remove(chosen)
        })
    }

    pub fn is_closing(&self) -> bool {
        self.office.closing.is_cancelled()
    }
}
