//! The clients of a run, and what they do.

mod buyer;
mod readers;
mod silent;
mod staff;

use std::sync::{Arc, Mutex, PoisonError};

use onsale::caller::Role;
use tokio::task::JoinSet;

use crate::caller::{Person, RunContext};
use crate::dice::Dice;
use crate::stage::Stage;

/// Number of concurrent buyers.
const BUYERS: u64 = 72;
/// Number of buyers who poll as requested in the mostly silent queue.
const POLLING: u64 = 12;
/// Number of clients that read and hang up.
const READERS: u64 = 4;
/// Number of users who join that queue and never poll.
const SILENT_USERS: usize = 3000;
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
pub struct OpenSale {
    pub schedule: i64,
    pub seats: Vec<i64>,
}

/// What all clients share.
#[derive(Clone)]
pub struct Workload {
    pub context: RunContext,
    pub sales: Arc<Vec<OpenSale>>,
    /// The schedule with the long and mostly silent queue.
    silent: i64,
    users: Arc<Mutex<Vec<i64>>>,
    silent_users: Arc<Mutex<Vec<i64>>>,
    paid: Arc<Mutex<Vec<Paid>>>,
}

impl Workload {
    pub fn new(stage: &Stage, context: RunContext) -> Self {
        let open_sale = |sale: &crate::support::sale::Sale| OpenSale {
            schedule: sale.schedule,
            seats: sale.seats.clone(),
        };
        let sales = Arc::new(stage.sales.iter().map(open_sale).collect());
        let mut users = stage.users.clone();
        let silent_users = users.split_off(users.len() - SILENT_USERS);
        Self {
            context,
            sales,
            silent: stage.silent.schedule,
            users: Arc::new(Mutex::new(users)),
            silent_users: Arc::new(Mutex::new(silent_users)),
            paid: Arc::default(),
        }
    }

    /// Starts all clients. They run until `closing` is cancelled; then each finishes its last request.
    pub fn open(&self, seed: u64, admin: i64) -> JoinSet<()> {
        let dice = Dice::new(seed).fork(3);
        let mut tasks = JoinSet::new();
        for number in 0..BUYERS {
            tasks.spawn(buyer::buy_repeatedly(self.clone(), dice.fork(number)));
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
        for number in 0..READERS {
            let reader = Person::new(admin, Role::Admin, &self.context, dice.fork(5000 + number));
            tasks.spawn(readers::read_and_hang_up(self.clone(), reader));
        }
        let admin = Person::new(admin, Role::Admin, &self.context, dice.fork(2000));
        tasks.spawn(staff::administer(self.clone(), admin));
        tasks
    }

    /// A user who has not visited a sale yet; when all have, any user.
    pub fn newcomer(&self, dice: &mut Dice) -> i64 {
        let mut users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        if users.len() > 100 {
            return users.pop().expect("a user");
        }
        users[dice.index(users.len())]
    }

    /// A user who will join and never poll; `None` when all have joined.
    fn silent_user(&self) -> Option<i64> {
        self.silent_users.lock().unwrap_or_else(PoisonError::into_inner).pop()
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
        self.context.closing.is_cancelled()
    }
}
