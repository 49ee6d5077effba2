//! CORS: which pages on other origins may call the API, and read which answers.

use axum::extract::Request;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN,
    VARY,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};

const ALLOWED_HEADERS: HeaderValue = HeaderValue::from_static(
    "authorization, queue-token, idempotency-key, content-type, if-match, if-none-match, \
     last-event-id",
);
const EXPOSED_HEADERS: HeaderValue = HeaderValue::from_static(
    "etag, age, location, retry-after, idempotency-replayed, x-request-id, ratelimit, \
     ratelimit-policy",
);
const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE");

/// Path prefixes whose `GET` and `HEAD` answers pages on every origin may read: the catalogue, seat
/// maps and boards.
const PUBLIC: [&str; 2] = ["/v1/concerts", "/v1/schedules"];

/// The origins whose pages may make every call. The API reads no cookies, so a page can only use
/// credentials that its user gave it.
#[derive(Debug, Clone, Default)]
pub struct Cors {
    /// Origins in the form that browsers send: scheme, host and port.
    pub origins: Vec<HeaderValue>,
}

impl Cors {
    /// The value of `Access-Control-Allow-Origin`; `None` if the page may not read the answer.
    fn allowed(&self, method: &Method, path: &str, origin: &HeaderValue) -> Option<HeaderValue> {
        if is_public(method, path) {
            return Some(HeaderValue::from_static("*"));
        }
        self.origins.contains(origin).then(|| origin.clone())
    }
}

/// Whether pages on every origin may read the answer. Such an answer carries `*` and no
/// `Vary: Origin`, so that a shared cache keeps one copy.
fn is_public(method: &Method, path: &str) -> bool {
    let read = method == Method::GET || method == Method::HEAD;
    let under = |prefix: &&str| {
        path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    read && PUBLIC.iter().any(under)
}

/// The CORS decision for one request.
#[derive(Debug)]
pub(super) struct Sharing {
    preflight: bool,
    public: bool,
    allowed: Option<HeaderValue>,
}

impl Sharing {
    /// Decides by the request's method, path and origin.
    pub(super) fn of(cors: &Cors, request: &Request) -> Self {
        let preflight_method = preflight_method(request.method(), request.headers());
        let method = preflight_method.as_ref().unwrap_or(request.method());
        let path = request.uri().path();
        let origin = request.headers().get(ORIGIN);
        Self {
            preflight: preflight_method.is_some(),
            public: is_public(method, path),
            allowed: origin.and_then(|origin| cors.allowed(method, path, origin)),
        }
    }

    /// The answer to a preflight, which no route handles; `None` if the request is not a preflight.
    pub(super) fn preflight(&self) -> Option<Response> {
        self.preflight.then(|| StatusCode::NO_CONTENT.into_response())
    }

    /// Adds the headers that say whether a page may read the answer.
    pub(super) fn add_headers(self, headers: &mut HeaderMap) {
        if !self.public {
            headers.append(VARY, HeaderValue::from_static("origin"));
        }
        let Some(allowed) = self.allowed else {
            return;
        };
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        if self.preflight {
            headers.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED_HEADERS);
            headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
        } else {
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED_HEADERS);
        }
    }
}

/// The method that a preflight asks about; `None` if the request is not a preflight.
fn preflight_method(method: &Method, headers: &HeaderMap) -> Option<Method> {
    if method != Method::OPTIONS {
        return None;
    }
    Method::from_bytes(headers.get(ACCESS_CONTROL_REQUEST_METHOD)?.as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn call(method: &str, path: &str, headers: &[(&str, &str)]) -> Response {
        let cors = Cors { origins: vec![HeaderValue::from_static("https://shop.example")] };
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let sharing = Sharing::of(&cors, &request.body(Body::empty()).unwrap());
        let mut response = sharing.preflight().unwrap_or_default();
        sharing.add_headers(response.headers_mut());
        response
    }

    fn allowed(response: &Response) -> Option<&str> {
        response.headers().get(ACCESS_CONTROL_ALLOW_ORIGIN).map(|value| value.to_str().unwrap())
    }

    const SHOP: (&str, &str) = ("origin", "https://shop.example");
    const EVIL: (&str, &str) = ("origin", "https://evil.example");

    #[test]
    fn every_origin_reads_public_answers_and_only_listed_origins_read_the_rest() {
        let response = call("GET", "/v1/concerts", &[EVIL]);
        assert_eq!(allowed(&response), Some("*"));
        assert!(!response.headers().contains_key(VARY));
        assert!(response.headers().contains_key(ACCESS_CONTROL_EXPOSE_HEADERS));

        assert_eq!(allowed(&call("GET", "/v1/points", &[EVIL])), None);
        let response = call("GET", "/v1/points", &[SHOP]);
        assert_eq!(allowed(&response), Some("https://shop.example"));
        assert_eq!(response.headers()[VARY], "origin");
        assert_eq!(allowed(&call("GET", "/v1/points", &[])), None);
    }

    #[test]
    fn a_preflight_is_answered_for_the_method_it_asks_about() {
        let path = "/v1/schedules/1/queue";
        let post = ("access-control-request-method", "POST");
        let get = ("access-control-request-method", "GET");
        let response = call("OPTIONS", path, &[SHOP, post]);
        assert_eq!(response.status(), StatusCode::NO_CONTENT);
        assert_eq!(allowed(&response), Some("https://shop.example"));
        let headers = response.headers()[ACCESS_CONTROL_ALLOW_HEADERS].to_str().unwrap();
        assert!(headers.contains("idempotency-key"));

        assert_eq!(allowed(&call("OPTIONS", path, &[EVIL, post])), None);
        assert_eq!(allowed(&call("OPTIONS", path, &[EVIL, get])), Some("*"));
    }
}
