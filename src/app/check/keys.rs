//! Checks the keys with which access tokens are verified.

use chrono::{DateTime, TimeDelta, Utc};

use super::report::Report;
use crate::config::AccessSettings;
use crate::user::keys::{JwksSource, ProviderKeys};

/// Age of the last good read of the identity provider's keys from which on a check warns: three
/// fetches in a row have failed.
const OLD: TimeDelta = TimeDelta::minutes(15);

/// What is known about the keys of access tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeysSeen {
    /// This service signs its tokens.
    Own,
    /// The identity provider's keys, when they were last read, or found unchanged.
    Provider(Option<DateTime<Utc>>),
}

/// Reads the keys of an identity provider once, for a command that does not serve.
pub(super) async fn read(access: &AccessSettings) -> KeysSeen {
    let keys = match (&access.jwks_path, &access.jwks_url) {
        (Some(path), _) => ProviderKeys::open(path).ok(),
        (None, Some(url)) => JwksSource::address(url.clone()).ok().map(ProviderKeys::at),
        (None, None) => return KeysSeen::Own,
    };
    let Some(keys) = keys else { return KeysSeen::Provider(None) };
    keys.read_again().await;
    KeysSeen::Provider(keys.confirmed_at())
}

/// Checks that the keys are there, and not old.
pub(super) fn check(seen: KeysSeen, now: DateTime<Utc>, report: &mut Report) {
    let name = "keys.jwks";
    let advice = "see the log, and that the JWKS of the identity provider can be read from here";
    match seen {
        KeysSeen::Own => {
            report.ok(name, "this service signs its access tokens itself").case("own");
        }
        KeysSeen::Provider(None) => {
            let text = "the identity provider's keys could not be read: nobody can sign in";
            report.fail(name, text, advice);
        }
        KeysSeen::Provider(Some(at)) => {
            let age = now - at;
            let seconds = age.num_seconds().max(0);
            let text = format!("the identity provider's keys were read {seconds} s ago");
            let finding =
                if age > OLD { report.warn(name, text, advice) } else { report.ok(name, text) };
            finding.value("seconds", seconds);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_keys_are_a_failure_and_old_ones_a_warning() {
        let now = Utc::now();
        let code = |seen| {
            let mut report = Report::default();
            check(seen, now, &mut report);
            report.findings.remove(0).code
        };
        assert_eq!(code(KeysSeen::Own), "keys.jwks.own");
        assert_eq!(code(KeysSeen::Provider(None)), "keys.jwks.failure");
        assert_eq!(code(KeysSeen::Provider(Some(now))), "keys.jwks.ok");
        let old = KeysSeen::Provider(Some(now - OLD - TimeDelta::seconds(1)));
        assert_eq!(code(old), "keys.jwks.warning");
    }
}
