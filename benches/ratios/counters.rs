//! Counters of onsale, from its `/metrics`, to check what a load has caused.

use std::time::Duration;

use crate::Outcome;
use crate::load::{Load, Round};
use crate::stage::Stage;

impl Stage {
    /// Returns a counter: its name, with or without labels. Without labels, the sum over all.
    pub async fn counter(&self, name: &str) -> Outcome<u64> {
        let answer = self.answer("/metrics", &[]).await?;
        let text = answer["body"].as_str().ok_or("no body")?;
        let value = |line: &str| {
            let rest = line.strip_prefix(name)?;
            let is_counter = rest.starts_with([' ', '{']);
            is_counter.then(|| rest.rsplit(' ').next()?.parse::<u64>().ok()).flatten()
        };
        Ok(text.lines().filter_map(value).sum())
    }

    /// Sends a load to onsale.
    ///
    /// # Errors
    /// Fails unless the counter of the load rises by its answers: a request that fails early would
    /// be fast.
    pub async fn send(&self, load: &Load, time: Duration) -> Outcome<Round> {
        let before = self.counter(&load.counter).await?;
        let pids = [self.onsale.pid, self.stores.redis.pid()];
        let round = load.run(self.onsale.addr, time, pids).await?;
        let counted = self.counter(&load.counter).await? - before;
        // wrk ends without the answers to its last requests.
        let unread = u64::from(load.connections);
        if !load.may_fail && !(round.answers..=round.answers + unread).contains(&counted) {
            let (name, answers) = (&load.counter, round.answers);
            return Err(format!("{answers} answers, but {name} rose by {counted}").into());
        }
        Ok(round)
    }
}
