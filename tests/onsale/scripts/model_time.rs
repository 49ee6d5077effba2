//! Events in Redis and in the model that are not calls: time passes, scripts are flushed, all data
//! is lost.

use std::time::Duration;

use onsale::queue::load::{self, EndedEntries};
use onsale::queue::model::{Ended, Sequence};
use onsale::seats::redis::load_buyers;
use onsale::store::id::UserId;
use onsale::store::script::Script;
use onsale_model::queue::{At, Entry};

use super::model::World;
use super::queue_model::{self, OVER};
use super::seats_model::{Seat, Shown};
use super::stage::{HOUR, now};

/// Longer than a rebuild takes.
const LEASE: Duration = Duration::from_mins(1);

impl World {
    /// Sets the number of admission tokens, as of `ago` milliseconds ago.
    pub async fn fill_bucket(&mut self, thousandths: u32, ago: i64) {
        let (tokens, at) = (f64::from(thousandths) / 1000.0, now() - ago);
        (self.queue.tokens, self.queue.tokens_at) = (tokens, at);
        let (tokens, at) = (format!("{tokens:.6}"), at.to_string());
        self.stage.touch::<()>("HSET", "meta", &["tokens", &tokens, "tokens_at", &at]).await;
    }

    /// Ends the slots of a user: the current one, and those on the user's tickets.
    pub async fn end_slot(&mut self, user: u64) {
        let tickets = self.tickets.get_mut(&user).into_iter().flatten();
        tickets.for_each(|(_, until)| *until = (*until).min(1));
        if let Some(entry) = self.queue.entries.get(user)
            && let At::Active { claim_by, .. } = entry.at
        {
            let over = Entry { at: At::Active { until: 1, claim_by }, ..entry };
            self.queue.entries.write(user, over);
            self.stage.touch::<()>("ZADD", "active", &["1", &user.to_string()]).await;
        }
    }

    /// Ends the claim window of a user.
    pub async fn end_claim(&mut self, user: u64) {
        if let Some(entry) = self.queue.entries.get(user)
            && let At::Active { until, claim_by: Some(_) } = entry.at
        {
            let unseen = Entry { at: At::Active { until, claim_by: Some(1) }, ..entry };
            self.queue.entries.write(user, unseen);
            self.stage.touch::<()>("ZADD", "called", &["1", &user.to_string()]).await;
        }
    }

    /// Ends the grace of a user.
    pub async fn end_grace(&mut self, user: u64) {
        let Some(entry) = self.queue.entries.get(user).filter(|entry| entry.grace.is_some()) else {
            return;
        };
        self.queue.entries.write(user, Entry { grace: Some(1), ..entry });
        let (user, text) = (user.to_string(), format!("{} 1", entry.sequence));
        self.stage.touch::<()>("HSET", "place", &[&user, &text]).await;
        if entry.at == At::Parked {
            self.stage.touch::<()>("ZADD", "parked", &["1", &user]).await;
        }
    }

    /// Lets `halves` half presence windows pass.
    pub async fn pass_windows(&mut self, halves: i64) {
        self.queue.presence.since -= halves * (HOUR / 2);
        let since = self.queue.presence.since.to_string();
        self.queue.notice_at -= halves * (HOUR / 2);
        let notice = self.queue.notice_at.to_string();
        let times = ["present_since", &since, "notice_at", &notice];
        self.stage.touch::<()>("HSET", "meta", &times).await;
    }

    /// Ends the lease of a process that answers polls, as if it had died.
    pub async fn end_merger(&mut self, process: &str) {
        if let Some(upto) = self.queue.mergers.get_mut(process) {
            *upto = None;
            let over = format!("{OVER} 1");
            self.stage.touch::<()>("HSET", "mergers", &[process, &over]).await;
        }
    }

    /// Lets the deadline of a seat pass.
    pub async fn expire_seat(&mut self, seat: u32) {
        if let Some(state) = self.seats.seats.get_mut(&seat)
            && matches!(state.shown, Shown::Held(_))
        {
            state.shown = Shown::Held(1);
            self.stage.touch::<()>("ZADD", "held", &["1", &seat.to_string()]).await;
        }
    }

    /// Waits until no deadline is near, so that Redis's clock and ours agree about each deadline.
    pub async fn wait_past_deadlines(&self) {
        let soon = |state: &Seat| {
            let shown = match state.shown {
                Shown::Held(until) => Some(until),
                Shown::Free | Shown::Gone => None,
            };
            let kept = state.claim.as_ref().and_then(|claim| claim.kept_until);
            let mut deadlines = shown.into_iter().chain(kept);
            deadlines.any(|until| (-100..1000).contains(&(until - now())))
        };
        while self.seats.seats.values().any(soon) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub async fn flush_scripts(&mut self) {
        redis::cmd("SCRIPT").arg("FLUSH").query_async::<()>(&mut self.stage.raw).await.expect("OK");
    }

    /// Redis loses its data and is rebuilt from what PostgreSQL has.
    pub async fn lose(&mut self) {
        let (old, kept) = (self.queue.clone(), std::mem::take(&mut self.seats));
        self.stage.at_epoch(old.epoch + 1);
        let now = self.stage.build().await;
        let scripts = self.stage.scripts();
        let ended = |(sequence, reason): (&u64, &u8)| {
            (Sequence(*sequence), Ended::from_bits(*reason).expect("a reason"))
        };
        let mut places = EndedEntries::default();
        old.done.iter().map(ended).for_each(|(entry, reason)| places.add(entry, reason));
        for segment in places.take() {
            load::ended(&scripts, &segment, LEASE).await.expect("ended places");
        }
        let buyers: Vec<UserId> =
            kept.buyers.iter().map(|user| UserId(user.cast_signed())).collect();
        load_buyers(&scripts, &buyers).await.expect("buyers");
        self.seats.buyers = kept.buyers;
        self.queue = queue_model::built(old.epoch + 1, now, old.done);
        for (seat, state) in kept.seats {
            if let (None, Some((fence, word, hold, user))) = (state.claim, state.decided)
                && !matches!(state.shown, Shown::Free | Shown::Held(1))
            {
                self.apply(word, (&hold, user), HOUR, &[(seat, fence)]).await;
            }
        }
        self.fill_bucket(0, 0).await;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a small rate"
        )]
        self.settings(old.rules.capacity as u32, old.rules.rate as u32, self.phase).await;
        self.stage.run(Script::FinishRebuild, &["0"]).await;
    }
}
