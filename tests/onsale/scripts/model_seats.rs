//! Calls about seats, made to Redis and to the model alike.

use onsale::store::script::Script;

use super::line_model::At;
use super::model::{World, hold, without_clock};
use super::seats_model::Shown;
use super::stage::{HOUR, now};

/// The most seats of one user.
const LIMIT: usize = 3;

impl World {
    pub async fn take(&mut self, user: u64, pick: usize, number: usize, seats: &[u32]) {
        let (shown, _) = self.ticket(user, pick);
        let mut args = vec![user.to_string(), shown.to_string(), hold(number), LIMIT.to_string()];
        args.extend(seats.iter().map(ToString::to_string));
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let said = self.stage.say(Script::Take, &args).await;
        let at = if said.word == "OK" { 1 } else { usize::MAX };
        let (numbers, now) = without_clock(&said, at);
        let version = self.seats.version;
        let place = self.line.places.get_mut(&user).filter(|place| place.sequence == shown);
        let active = place
            .as_ref()
            .is_some_and(|place| matches!(place.at, At::Active { until, .. } if until > now));
        let answer = self.seats.take((user, active), &hold(number), (LIMIT, seats), now);
        assert_eq!((said.word.as_str(), numbers), answer);
        if let Some(place) = place
            && let At::Active { until, .. } = place.at
            && self.seats.version > version
        {
            place.at = At::Active { until, claim_by: None };
        }
        let (_, redis) = self.compare().await;
        if said.word == "OK" && said.try_get(2) > Some(0) {
            assert!(redis.kept_for(user, now) <= LIMIT, "more than the limit: {redis:?}");
        }
        // Claims last 5 s: from here on they last until an operation lets them lapse.
        for (seat, state) in &mut self.seats.seats {
            if state.claim.is_some() && matches!(state.shown, Shown::Held(until) if until > 1) {
                state.shown = Shown::Held(now + HOUR);
                let (until, seat) = ((now + HOUR).to_string(), seat.to_string());
                self.stage.touch::<()>("ZADD", "held", &[&until, &seat]).await;
            }
        }
    }

    pub async fn give_up(&mut self, number: usize, seats: &[u32]) {
        let mut args = vec![hold(number)];
        args.extend(seats.iter().map(ToString::to_string));
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let said = self.stage.say(Script::Drop, &args).await;
        Self::agree(&said, &self.seats.give_up(&hold(number), seats, now()));
    }

    pub async fn sweep(&mut self) {
        let said = self.stage.say(Script::Sweep, &[]).await;
        Self::agree(&said, &self.seats.sweep(now()));
    }

    pub async fn apply(
        &mut self,
        state: &'static str,
        (hold, user): (&str, u64),
        left: i64,
        seats: &[(u32, i64)],
    ) {
        let mut args = vec![state.to_owned(), hold.to_owned(), left.to_string()];
        args.extend(
            seats
                .iter()
                .flat_map(|(seat, fence)| [seat.to_string(), fence.to_string(), user.to_string()]),
        );
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let before = now();
        let said = self.stage.say(Script::Apply, &args).await;
        let after = now();
        let newer = |(seat, fence): &&(u32, i64)| {
            let decided = self.seats.seats.get(seat).and_then(|seat| seat.decided.as_ref());
            decided.is_none_or(|decided| decided.0 < *fence)
        };
        let mut until = None;
        if let (Some((seat, _)), "KEEP", 1..) = (seats.iter().find(newer), state, left) {
            let score: i64 = self.stage.touch("ZSCORE", "held", &[&seat.to_string()]).await;
            assert!((before + left..=after + left).contains(&score));
            until = Some(score);
        }
        Self::agree(&said, &self.seats.apply((state, hold, user), until, seats));
    }

    pub async fn decide(
        &mut self,
        state: &'static str,
        (number, user): (usize, u64),
        left: i64,
        seats: &[(u32, i64)],
    ) {
        let hold = if let "KEEP" | "SELL" = state { hold(number) } else { "-".to_owned() };
        self.apply(state, (&hold, user), left, seats).await;
    }
}
