//! The clients of a run, and what they do.

mod buyer;
mod silent;
mod staff;

use std::sync::{Arc, Mutex, PoisonError};

use onsale::caller::Role;
use tokio::task::JoinSet;

use crate::caller::{Office, Person};
use crate::dice::Dice;
use crate::stage::Stage;

/// Number of concurrent buyers.
const BUYERS: u64 = 72;
/// Number of buyers who poll as requested in the mostly silent queue.
const POLLING: u64 = 12;
/// Number of users who join that queue and never poll.
const SILENT_PEOPLE: usize = 3000;
/// Number of payments that are not refunded; the others are, so that seats stay for sale.
const KEPT: usize = 12;

/// A payment that may be refunded, and its user.
#[derive(Clone, Copy)]
pub struct Paid {
    pub user: i64,
    pub payment: i64,
}

/// A sale as buyers know it.
#[derive(Clone)]
pub struct Stall {
    pub schedule: i64,
    pub seats: Vec<i64>,
}

/// What all clients share.
#[derive(Clone)]
pub struct Market {
    pub office: Office,
    pub stalls: Arc<Vec<Stall>>,
    /// The schedule with the long and mostly silent queue.
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

    /// Starts all clients. They run until the office closes, and finish their last request then.
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
        for number in 0..POLLING {
            tasks.spawn(silent::poll_as_requested(self.clone(), dice.fork(4000 + number)));
        }
        let admin = Person::new(admin, Role::Admin, &self.office, dice.fork(2000));
        tasks.spawn(staff::administer(self.clone(), admin));
        tasks
    }

    /// A user who has not visited a sale yet; when all have, any user.
    pub fn newcomer(&self, dice: &mut Dice) -> i64 {
        let mut people = self.people.lock().unwrap_or_else(PoisonError::into_inner);
        if people.len() > 100 {
            return people.pop().expect("a user");
        }
        people[dice.index(people.len())]
    }

    /// A user who will join and never poll; `None` when all have joined.
    fn silent_user(&self) -> Option<i64> {
        self.silent_people.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    pub fn bought(&self, paid: Paid) {
        self.paid.lock().unwrap_or_else(PoisonError::into_inner).push(paid);
    }

    /// A payment to be refunded, if there are enough payments.
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
