//! What the scripts do: `seats/claim`, `seats/release_claims`, `seats/apply`, and those of a rebuilding.

use crate::state::{Buyer, Guard, Guards, Redis, Shown, Tick};

/// What `seats/claim` replies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Take {
    Ok,
    Taken,
    /// Lost, or being rebuilt: whoever is inside goes on without.
    Away,
}

impl Redis {
    pub const LOST: Self =
        Self { epoch: 0, loading: None, fence: 0, shown: Shown::Free, claim: None, until: 0 };

    fn serves(&self) -> bool {
        self.epoch > 0 && self.loading.is_none()
    }

    /// `seats/claim`.
    pub fn take(&mut self, buyer: Buyer, now: Tick) -> Take {
        if !self.serves() {
            return Take::Away;
        }
        let live = self.until > now;
        let gone = matches!(self.shown, Shown::Sell(_));
        let owner = match (self.claim, self.shown) {
            (Some(claim), _) if live && !gone => Some(claim),
            (_, Shown::Keep(buyer, _) | Shown::Sell(buyer)) => Some(buyer),
            (_, Shown::Free) => None,
        };
        if (gone || live) && owner != Some(buyer) {
            return Take::Taken;
        }
        if !(gone || live) || self.claim.is_some() {
            self.claim = Some(buyer);
            self.until = now + 1;
        }
        Take::Ok
    }

    /// `seats/release_claims`.
    pub fn drop(&mut self, buyer: Buyer) {
        if self.serves() && self.claim == Some(buyer) {
            self.claim = None;
            self.until = 0;
        }
    }

    /// `seats/apply`: takes a change while loading, too. Whether Redis was there to hear it.
    pub fn apply(&mut self, guards: &Guards, fence: u8, shown: Shown, now: Tick) -> bool {
        if self.epoch == 0 {
            return false;
        }
        if fence > self.fence || !guards.has(Guard::Fence) {
            self.fence = fence;
            self.shown = shown;
            self.claim = None;
            self.until = match shown {
                Shown::Keep(_, until) if until > now => until,
                _ => 0,
            };
        }
        true
    }

    /// Lets lapse what is over.
    pub fn sweep(&mut self, now: Tick) {
        if self.until <= now {
            self.until = 0;
            self.claim = None;
        }
    }

    /// Whether anybody may begin a rebuilding.
    pub fn is_lost(&self, now: Tick) -> bool {
        self.epoch == 0 || self.loading.is_some_and(|until| until <= now)
    }

    /// `queue/begin_rebuild`.
    pub fn restore(&mut self, epoch: u8, now: Tick) {
        *self = Self { epoch, loading: Some(now + 1), ..Self::LOST };
    }

    /// `lib/rebuild`: renews the lease of a rebuilding. False where it is over, or another process has
    /// started over: then nothing is loaded.
    pub fn renew_lease(&mut self, epoch: u8, now: Tick) -> bool {
        let loads = self.epoch == epoch && self.loading.is_some();
        if loads {
            self.loading = Some(now + 1);
        }
        loads
    }

    /// `queue/finish_rebuild`: false where somebody else has started over.
    pub fn ready(&mut self, guards: &Guards, epoch: u8) -> bool {
        if self.epoch == 0 || (guards.has(Guard::Epoch) && self.epoch != epoch) {
            return false;
        }
        self.loading = None;
        true
    }
}
