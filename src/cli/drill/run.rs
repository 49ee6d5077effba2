//! Carries out the steps one after the other, while buyers send requests.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::books;
use super::buyers::Buyer;
use super::client::Client;
use super::error::DrillError;
use super::judge::verdict::Window;
use super::observations::{Kind, Log, Seen, Status};
use super::plan::{Step, shell};
use super::roles::Role;
use super::sale::{Operator, Sale};
use crate::cli::output;

/// Name of the window before the first step, in which nothing may fail.
const BEFORE: &str = "before";
/// Time without a failure after which everything counts as working again.
const CALM: Duration = Duration::from_millis(2500);
/// Pause between two looks at what the buyers saw.
const LOOK: Duration = Duration::from_millis(250);
/// Time limit for each buyer who waits to be answered once.
const ROLL_CALL: Duration = Duration::from_secs(30);
/// Pause between two readings of the statistics.
const SAMPLE: Duration = Duration::from_millis(500);
/// Requests that must work.
const KINDS: [Kind; 5] = [Kind::Join, Kind::Poll, Kind::Hold, Kind::Pay, Kind::Release];

/// A drill in progress.
pub struct Drill {
    operator: Operator,
    sale: Arc<Sale>,
    buyers: Vec<Client>,
    acting: JoinSet<()>,
    log: Log,
    /// A signal to end.
    stopped: CancellationToken,
}

impl Drill {
    /// Starts the buyers: first those who keep their slots.
    pub fn start(
        operator: &Operator,
        sale: &Arc<Sale>,
        buyers: Vec<(Client, i64)>,
        stopped: CancellationToken,
    ) -> Self {
        let (log, mut acting) = (operator.0.api.log.clone(), JoinSet::new());
        let (operator, sale) = (operator.clone(), Arc::clone(sale));
        for (client, balance) in &buyers {
            log.add(client.number, Seen::Charged { balance: *balance });
        }
        let mut buyers: Vec<Client> = buyers.into_iter().map(|(client, _)| client).collect();
        buyers.sort_by_key(|client| Role::of(client.number) != Role::Holds);
        for (place, client) in buyers.iter().enumerate() {
            let buyer = Buyer::new(client.clone(), Arc::clone(&sale));
            // Spread, so that the buyers do not act in step with each other.
            let delay = LOOK / 5 * u32::try_from(place).unwrap_or_default();
            acting.spawn(async move {
                tokio::time::sleep(delay).await;
                buyer.act().await;
            });
        }
        acting.spawn(sample(operator.clone(), Arc::clone(&sale)));
        Self { operator, sale, buyers, acting, log, stopped }
    }

    /// Carries out the steps until one does not settle. Returns the windows of those that began.
    pub async fn run(&self, steps: &[Step]) -> Vec<Window> {
        let before = Step {
            name: BEFORE.to_owned(),
            begin: "true".to_owned(),
            end: None,
            lasts: Duration::ZERO,
            may_fail: Vec::new(),
            back_within: Duration::from_mins(1),
            may_lose: Duration::ZERO,
        };
        let mut windows: Vec<Window> = Vec::new();
        for step in std::iter::once(&before).chain(steps) {
            if self.stopped.is_cancelled() {
                break;
            }
            // A process that was replaced may have other settings.
            let allowed = self.operator.check_allowed().await;
            let begin = if windows.is_empty() { Duration::ZERO } else { self.log.now() };
            let mut window = Window {
                name: step.name.clone(),
                begin,
                may_fail: step.may_fail.clone(),
                back_within: step.back_within,
                may_lose: step.may_lose,
                ..Window::default()
            };
            match allowed {
                Ok(_) => self.carry_out(step, &mut window).await,
                Err(error) => window.errors.push(error.to_string()),
            }
            let is_settled = window.settled.is_some();
            windows.push(window);
            if !is_settled {
                break;
            }
        }
        windows
    }

    async fn carry_out(&self, step: &Step, window: &mut Window) {
        output::note(format_args!("onsale: {}: begin", step.name));
        let begun = shell(&step.begin).await;
        if begun.is_ok() {
            self.wait(step.lasts).await;
        }
        // Also after a failure: it may have done a part.
        let ended = match &step.end {
            Some(end) => shell(end).await,
            None => Ok(()),
        };
        window.ended = self.log.now();
        window.errors.extend(begun.err().into_iter().chain(ended.err()));
        let limit = window.ended + step.back_within;
        while window.settled.is_none() && self.log.now() < limit && !self.stopped.is_cancelled() {
            self.wait(LOOK).await;
            window.settled = self.works_since(window.ended).await.then(|| self.log.now());
        }
        if window.settled.is_some() {
            self.call_roll(window).await;
            let error = self.read_books().await.err();
            window.errors.extend(error.map(|error| format!("the books were not read: {error}")));
        }
        let settled = window.settled.map(|at| at.saturating_sub(window.begin).as_secs_f64());
        let (name, settled) = (&step.name, settled.unwrap_or(f64::NAN));
        output::note(format_args!("onsale: {name}: works again after {settled:.1?} s"));
    }

    /// Whether, since `ended`, every kind of request works, a buyer was admitted, and nothing has
    /// failed lately.
    async fn works_since(&self, ended: Duration) -> bool {
        let (mut works, mut is_admitted) = ([None; KINDS.len()], false);
        let mut last_failure = ended;
        for observation in self.log.since(ended) {
            match observation.seen {
                Seen::Call { outcome, .. } if outcome.is_failure() => last_failure = observation.at,
                Seen::Call { kind, .. } => works[kind as usize] = Some(observation.at),
                Seen::Ticket { status: Status::Active, .. } => is_admitted = true,
                _ => {}
            }
        }
        let is_calm = self.log.now() > last_failure + CALM;
        let all_work = works.iter().all(|at| at.is_some_and(|at| at >= last_failure));
        if !(is_calm && all_work && is_admitted) {
            return false;
        }
        let path = format!("/v1/admin/schedules/{}/stats", self.sale.schedule);
        let stats = self.operator.0.call(reqwest::Method::GET, &path, None, None).await;
        stats.is_ok_and(|stats| stats.is_success() && stats.body["recovering"] == false)
    }

    /// Waits until each buyer who has a place was answered once more.
    async fn call_roll(&self, window: &mut Window) {
        let waiting = self.waiting();
        self.log.add(0, Seen::RollCall);
        let called = self.log.now();
        while self.log.now() < called + ROLL_CALL && !self.stopped.is_cancelled() {
            let seen = self.log.since(called);
            let is_answered = |number: &usize| {
                let mut own = seen.iter().filter(|observation| observation.buyer == *number);
                own.any(|observation| {
                    matches!(
                        observation.seen,
                        Seen::Ticket { .. } | Seen::TicketRefused { .. } | Seen::GivesUp
                    )
                })
            };
            if waiting.iter().all(is_answered) {
                return;
            }
            self.wait(LOOK).await;
        }
        window.errors.push("not every waiting buyer was answered at the end".to_owned());
    }

    /// The buyers whose last ticket waits.
    fn waiting(&self) -> Vec<usize> {
        let mut waiting = std::collections::BTreeSet::new();
        for observation in self.log.since(Duration::ZERO) {
            match observation.seen {
                Seen::Ticket { status: Status::Waiting, .. } => waiting.insert(observation.buyer),
                Seen::Ticket { .. } | Seen::TicketRefused { .. } | Seen::GivesUp => {
                    waiting.remove(&observation.buyer)
                }
                _ => false,
            };
        }
        waiting.into_iter().collect()
    }

    /// Reads the books while no buyer sends a request.
    async fn read_books(&self) -> Result<(), DrillError> {
        let _quiet = self.operator.0.api.gate.write().await;
        let books = books::read(&self.operator, &self.buyers, &self.sale).await?;
        self.log.add(0, Seen::Books(books));
        Ok(())
    }

    async fn wait(&self, time: Duration) {
        self.stopped.run_until_cancelled(tokio::time::sleep(time)).await;
    }

    /// Ends the buyers.
    pub async fn stop(mut self) {
        self.operator.0.api.stop.cancel();
        self.acting.shutdown().await;
    }
}

/// Reads how many slots are in use, until the drill ends. While a store is down, it cannot.
async fn sample(operator: Operator, sale: Arc<Sale>) {
    let path = format!("/v1/admin/schedules/{}/stats", sale.schedule);
    let capacity = sale.capacity as u64;
    loop {
        let reply = operator.0.call(reqwest::Method::GET, &path, None, None).await;
        if let Some(active) = reply.ok().and_then(|reply| reply.body["active"].as_u64()) {
            operator.0.api.log.add(0, Seen::Slots { active, capacity });
        }
        if operator.0.pause(SAMPLE).await.is_none() {
            return;
        }
    }
}
