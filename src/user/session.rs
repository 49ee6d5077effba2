//! The lifetime of a session, which begins with a sign-up or a recovery code.
//!
//! A token of a session can be renewed while it is valid, and handed to another device. Neither
//! moves the end of the session, so a stolen token can be used until that end at most.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::caller::{Caller, Lifetime};

/// Lifetime of one token of a session.
pub const TOKEN_TTL: Duration = Duration::from_hours(24);

/// Lifetime of a session.
pub const SESSION_TTL: Duration = Duration::from_hours(7 * 24);

/// Returns the lifetime of the first token of a session that begins now.
#[must_use]
pub fn begin(now: DateTime<Utc>) -> Lifetime {
    Lifetime { expires_at: now + TOKEN_TTL, renew_until: Some(now + SESSION_TTL) }
}

/// Returns the lifetime of the next token of the caller's session. `None` if the session is over,
/// or if the token has none: tokens of operators, of shops and of identity providers have no
/// session.
#[must_use]
pub fn renew(caller: &Caller, now: DateTime<Utc>) -> Option<Lifetime> {
    let until = caller.lifetime.renew_until.filter(|_| !caller.role.is_staff())?;
    (until > now)
        .then(|| Lifetime { expires_at: until.min(now + TOKEN_TTL), renew_until: Some(until) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::caller::Role;
    use crate::store::id::UserId;

    #[test]
    fn renewing_again_and_again_never_moves_the_end_of_a_session() {
        let start = Utc::now();
        let mut caller = Caller { user: UserId(7), role: Role::User, lifetime: begin(start) };
        let end = start + SESSION_TTL;
        for hours in 1..7 * 24 {
            let now = start + Duration::from_hours(hours);
            let next = renew(&caller, now).unwrap();
            assert_eq!(next.renew_until, Some(end));
            assert_eq!(next.expires_at, end.min(now + TOKEN_TTL));
            caller.lifetime = next;
        }
        assert_eq!(renew(&caller, end), None);
    }

    #[test]
    fn a_token_without_a_session_and_an_operators_token_are_not_renewed() {
        let now = Utc::now();
        let session = begin(now);
        let short = Lifetime { renew_until: None, ..session };
        let caller = |role, lifetime| Caller { user: UserId(7), role, lifetime };
        assert_eq!(renew(&caller(Role::User, short), now), None);
        for role in Role::ALL.into_iter().filter(|role| role.is_staff()) {
            assert_eq!(renew(&caller(role, session), now), None);
        }
        assert!(renew(&caller(Role::User, session), now).is_some());
    }
}
