//! Seat calls, made to Redis and to the model.

use onsale::store::script::Script;
use onsale_model::queue::{At, Entry};

use super::model::{World, hold, without_clock};
use super::seats_model::Shown;
use super::stage::{HOUR, now};

/// The largest number of seats for one user.
const LIMIT: usize = 3;

impl World {
    pub async fn take(&mut self, user: u64, pick: usize, number: usize, seats: &[u32]) {
        let (shown, _) = self.ticket(user, pick);
        let mut args = vec![user.to_string(), shown.to_string(), hold(number), LIMIT.to_string()];
        args.extend(seats.iter().map(ToString::to_string));
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let reply = self.stage.run(Script::ClaimSeats, &args).await;
        let at = if reply.word == "OK" { 1 } else { usize::MAX };
        let (numbers, now) = without_clock(&reply, at);
        let version = self.seats.version;
        let entry = self.queue.entries.get(user).filter(|entry| entry.sequence == shown);
        let active =
            entry.is_some_and(|entry| matches!(entry.at, At::Active { until, .. } if until > now));
        let answer = self.seats.take((user, active), &hold(number), (LIMIT, seats), now);
        assert_eq!((reply.word.as_str(), numbers), answer);
        if let Some(entry) = entry
            && let At::Active { until, .. } = entry.at
            && self.seats.version > version
        {
            let seen = Entry { at: At::Active { until, claim_by: None }, ..entry };
            self.queue.entries.write(user, seen);
        }
        let (_, redis) = self.compare().await;
        if reply.word == "OK" && reply.try_get(2) > Some(0) {
            assert!(redis.kept_for(user, now) <= LIMIT, "more than the limit: {redis:?}");
        }
        // Claims last 5 s; this makes them last until an operation lets them expire.
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
        let reply = self.stage.run(Script::ReleaseClaims, &args).await;
        Self::agree(&reply, &self.seats.give_up(&hold(number), seats, now()));
    }

    pub async fn sweep(&mut self) {
        let reply = self.stage.run(Script::SweepSeats, &[]).await;
        let (word, numbers) = self.seats.sweep(now());
        assert_eq!((reply.word.as_str(), &without_clock(&reply, 2).0), (word, &numbers));
        assert_eq!(reply.get::<i64>(2) >= 0, self.seats.has_held(), "whether a seat may lapse");
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
        let reply = self.stage.run(Script::ApplySeats, &args).await;
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
        Self::agree(&reply, &self.seats.apply((state, hold, user), until, seats));
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
