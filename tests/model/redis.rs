//! The Lua scripts: `seats/claim`, `seats/release_claims`, `seats/apply`, and those of a rebuild.

use crate::state::{Buyer, Guard, Guards, Redis, SeatState, Tick};

/// Reply of `seats/claim`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimReply {
    Ok,
    Taken,
    /// Redis is lost or being rebuilt; an active buyer continues with PostgreSQL alone.
    Unavailable,
}

impl Redis {
    pub const LOST: Self = Self {
        epoch: 0,
        loading: None,
        fence: 0,
        seat_state: SeatState::Free,
        claim: None,
        until: 0,
    };

    fn serves(&self) -> bool {
        self.epoch > 0 && self.loading.is_none()
    }

    /// `seats/claim`.
    pub fn claim(&mut self, buyer: Buyer, now: Tick) -> ClaimReply {
        if !self.serves() {
            return ClaimReply::Unavailable;
        }
        let live = self.until > now;
        let sold = matches!(self.seat_state, SeatState::Sold(_));
        let owner = match (self.claim, self.seat_state) {
            (Some(claim), _) if live && !sold => Some(claim),
            (_, SeatState::Held(buyer, _) | SeatState::Sold(buyer)) => Some(buyer),
            (_, SeatState::Free) => None,
        };
        if (sold || live) && owner != Some(buyer) {
            return ClaimReply::Taken;
        }
        if !(sold || live) || self.claim.is_some() {
            self.claim = Some(buyer);
            self.until = now + 1;
        }
        ClaimReply::Ok
    }

    /// `seats/release_claims`.
    pub fn release_claim(&mut self, buyer: Buyer) {
        if self.serves() && self.claim == Some(buyer) {
            self.claim = None;
            self.until = 0;
        }
    }

    /// `seats/apply`: works during a rebuild too. Returns whether Redis received the change.
    pub fn apply(&mut self, guards: &Guards, fence: u8, seat_state: SeatState, now: Tick) -> bool {
        if self.epoch == 0 {
            return false;
        }
        if fence > self.fence || !guards.has(Guard::Fence) {
            self.fence = fence;
            self.seat_state = seat_state;
            self.claim = None;
            self.until = match seat_state {
                SeatState::Held(_, until) if until > now => until,
                _ => 0,
            };
        }
        true
    }

    /// Removes a claim or hold that has ended.
    pub fn sweep(&mut self, now: Tick) {
        if self.until <= now {
            self.until = 0;
            self.claim = None;
        }
    }

    /// Whether a process may begin a rebuild.
    pub fn is_lost(&self, now: Tick) -> bool {
        self.epoch == 0 || self.loading.is_some_and(|until| until <= now)
    }

    /// `queue/begin_rebuild`.
    pub fn begin_rebuild(&mut self, epoch: u8, now: Tick) {
        *self = Self { epoch, loading: Some(now + 1), ..Self::LOST };
    }

    /// `lib/rebuild`: renews the lease of a rebuild. False if the rebuild has ended or another
    /// process has started a new one; then nothing is loaded.
    pub fn renew_lease(&mut self, epoch: u8, now: Tick) -> bool {
        let loads = self.epoch == epoch && self.loading.is_some();
        if loads {
            self.loading = Some(now + 1);
        }
        loads
    }

    /// `queue/finish_rebuild`: false if another process has started a new rebuild.
    pub fn finish_rebuild(&mut self, guards: &Guards, epoch: u8) -> bool {
        if self.epoch == 0 || (guards.has(Guard::Epoch) && self.epoch != epoch) {
            return false;
        }
        self.loading = None;
        true
    }
}
