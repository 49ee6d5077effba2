//! The `RateLimit` and `RateLimit-Policy` headers (draft-ietf-httpapi-ratelimit-headers).

use axum::http::header::InvalidHeaderValue;
use axum::http::{HeaderMap, HeaderName, HeaderValue};

use crate::rate_limit::{RateLimitExceeded, RateLimitPolicy, Remaining};

/// The header that lists the policies: name, quota and window.
pub const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
/// The header that says how much of each policy remains.
pub const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// Writes both headers of an accepted request, with an item for each policy.
pub(crate) fn write_remaining(all: &[Remaining], headers: &mut HeaderMap) {
    let join = |item: fn(&Remaining) -> String| all.iter().map(item).collect::<Vec<_>>().join(", ");
    let policies = join(|remaining| policy_item(&remaining.policy));
    let limits = join(|remaining| {
        let seconds = remaining.seconds_until_full();
        format!("\"{}\";r={};t={seconds}", remaining.policy.name, remaining.requests)
    });
    insert(headers, policies, limits);
}

/// Writes both headers of a refused request.
pub(crate) fn write_exceeded(exceeded: &RateLimitExceeded, headers: &mut HeaderMap) {
    let RateLimitExceeded { policy, .. } = exceeded;
    let limit = format!("\"{}\";r=0;t={}", policy.name, exceeded.wait_seconds());
    insert(headers, policy_item(policy), limit);
}

fn policy_item(policy: &RateLimitPolicy) -> String {
    format!("\"{}\";q={};w={}", policy.name, policy.quota, policy.window.as_secs())
}

fn insert(headers: &mut HeaderMap, policies: String, limits: String) {
    let values = || -> Result<_, InvalidHeaderValue> {
        Ok((HeaderValue::try_from(policies)?, HeaderValue::try_from(limits)?))
    };
    match values() {
        Ok((policies, limits)) => {
            headers.insert(RATE_LIMIT_POLICY, policies);
            headers.insert(RATE_LIMIT, limits);
        }
        Err(error) => tracing::error!(%error, "the name of a rate limit is not a header value"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::rate_limit::tests::policy;

    #[test]
    fn headers_have_the_format_of_the_draft() {
        let mut headers = HeaderMap::new();
        let (joins, user) = (policy("joins", 600, 60), policy("user", 500, 5));
        let remaining =
            [Remaining { policy: joins, requests: 595 }, Remaining { policy: user, requests: 0 }];
        write_remaining(&remaining, &mut headers);
        assert_eq!(headers[RATE_LIMIT_POLICY], "\"joins\";q=600;w=60, \"user\";q=500;w=5");
        assert_eq!(headers[RATE_LIMIT], "\"joins\";r=595;t=1, \"user\";r=0;t=5");
        let exceeded = RateLimitExceeded { policy: joins, wait: Duration::from_millis(2_500) };
        write_exceeded(&exceeded, &mut headers);
        assert_eq!(headers[RATE_LIMIT_POLICY], "\"joins\";q=600;w=60");
        assert_eq!(headers[RATE_LIMIT], "\"joins\";r=0;t=3");
    }
}
