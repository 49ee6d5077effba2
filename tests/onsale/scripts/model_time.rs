//! What happens to Redis and to the model alike without a call: time passes, scripts are flushed,
//! everything is lost.

use std::time::Duration;

use onsale::queue::load::EndedPlaces;
use onsale::queue::model::{Ended, Sequence};
use onsale::seats::redis::load_buyers;
use onsale::store::id::UserId;
use onsale::store::script::Script;

use super::line_model::{At, LineModel, OVER};
use super::model::World;
use super::seats_model::{Seat, Shown};
use super::stage::{HOUR, now};

/// Longer than a rebuilding takes.
const LEASE: Duration = Duration::from_mins(1);

impl World {
    /// Sets how many tokens there are, and how long ago that was.
    pub async fn fill_bucket(&mut self, thousandths: u32, ago: i64) {
        let (tokens, at) = (f64::from(thousandths) / 1000.0, now() - ago);
        (self.line.tokens, self.line.tokens_at) = (tokens, at);
        let (tokens, at) = (format!("{tokens:.6}"), at.to_string());
        self.stage.touch::<()>("HSET", "meta", &["tokens", &tokens, "tokens_at", &at]).await;
    }

    /// Lets the slots of a user be over: the one that they have, and those on their tickets.
    pub async fn end_slot(&mut self, user: u64) {
        let tickets = self.tickets.get_mut(&user).into_iter().flatten();
        tickets.for_each(|(_, until)| *until = (*until).min(1));
        if let Some(place) = self.line.places.get_mut(&user)
            && let At::Active { claim_by, .. } = place.at
        {
            place.at = At::Active { until: 1, claim_by };
            self.stage.touch::<()>("ZADD", "active", &["1", &user.to_string()]).await;
        }
    }

    /// Lets the claim window of a user be over.
    pub async fn end_claim(&mut self, user: u64) {
        if let Some(place) = self.line.places.get_mut(&user)
            && let At::Active { until, claim_by: Some(_) } = place.at
        {
            place.at = At::Active { until, claim_by: Some(1) };
            self.stage.touch::<()>("ZADD", "called", &["1", &user.to_string()]).await;
        }
    }

    /// Lets the grace of a user be over.
    pub async fn end_grace(&mut self, user: u64) {
        let Some(place) = self.line.places.get_mut(&user).filter(|place| place.grace.is_some())
        else {
            return;
        };
        place.grace = Some(1);
        let (user, text) = (user.to_string(), format!("{} 1", place.sequence));
        self.stage.touch::<()>("HSET", "place", &[&user, &text]).await;
        if place.at == At::Parked {
            self.stage.touch::<()>("ZADD", "parked", &["1", &user]).await;
        }
    }

    /// Lets half presence windows pass.
    pub async fn pass_windows(&mut self, halves: i64) {
        self.line.since -= halves * (HOUR / 2);
        let since = self.line.since.to_string();
        self.line.notice_at -= halves * (HOUR / 2);
        let notice = self.line.notice_at.to_string();
        let times = ["here_since", &since, "notice_at", &notice];
        self.stage.touch::<()>("HSET", "meta", &times).await;
    }

    /// Lets a process that answers polls die: its time is over.
    pub async fn end_merger(&mut self, process: &str) {
        if let Some(upto) = self.line.mergers.get_mut(process) {
            *upto = None;
            let over = format!("{OVER} 1");
            self.stage.touch::<()>("HSET", "mergers", &[process, &over]).await;
        }
    }

    /// Lets the deadline of a seat pass.
    pub async fn lapse(&mut self, seat: u32) {
        if let Some(state) = self.seats.seats.get_mut(&seat)
            && matches!(state.shown, Shown::Held(_))
        {
            state.shown = Shown::Held(1);
            self.stage.touch::<()>("ZADD", "held", &["1", &seat.to_string()]).await;
        }
    }

    /// Waits until no deadline is about to pass, so that Redis's clock and ours say the same of each.
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

    /// Redis loses everything, and is rebuilt from what the database knows.
    pub async fn lose(&mut self) {
        let (old, kept) = (self.line.clone(), std::mem::take(&mut self.seats));
        self.stage.at_epoch(old.epoch + 1);
        let now = self.stage.build().await;
        let line = self.stage.line();
        let ended = |(sequence, reason): (&u64, &u8)| {
            (Sequence(*sequence), Ended::from_bits(*reason).expect("a reason"))
        };
        let mut places = EndedPlaces::default();
        old.done.iter().map(ended).for_each(|(place, reason)| places.add(place, reason));
        for segment in places.take() {
            line.load_ended(&segment, LEASE).await.expect("ended places");
        }
        let buyers: Vec<UserId> =
            kept.buyers.iter().map(|user| UserId(user.cast_signed())).collect();
        load_buyers(&line, &buyers).await.expect("buyers");
        self.seats.buyers = kept.buyers;
        self.line = LineModel::new(old.epoch + 1, now, old.done);
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
        self.settings(old.capacity as u32, old.rate as u32, self.phase).await;
        self.stage.say(Script::Ready, &["0"]).await;
    }
}
