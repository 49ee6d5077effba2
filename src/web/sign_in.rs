//! `/sign-in?return_to=/…`: redirects a buyer to the page on which they sign in
//! (`ONSALE_SIGN_IN_URL`), with the address to return to.
//!
//! That address is always a page of this site: `return_to` is a path, and the host is the one of
//! the request.

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, HOST, LOCATION};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use reqwest::Url;

use super::context::Web;
use super::headers::is_secure;

/// The page to return to if `return_to` names none of ours.
const HOME: &str = "/";

/// Maximum length of `return_to`, in bytes.
const MAX_PATH_BYTES: usize = 1024;

/// `GET /sign-in`
pub(super) async fn sign_in(State(web): State<Web>, headers: HeaderMap, uri: Uri) -> Response {
    let mut pairs = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let path = pairs.find(|(name, _)| name == "return_to").map(|(_, path)| path);
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let scheme = if is_secure(&headers) { "https" } else { "http" };
    let return_to = return_url(scheme, host, path.as_deref().unwrap_or(HOME));
    let target = match (web.sign_in_url, return_to) {
        (Some(mut target), Some(return_to)) => {
            target.query_pairs_mut().append_pair("return_to", return_to.as_str());
            target.into()
        }
        (Some(target), None) => String::from(target),
        (None, _) => HOME.to_owned(),
    };
    (StatusCode::SEE_OTHER, [(LOCATION, target), (CACHE_CONTROL, "no-store".to_owned())])
        .into_response()
}

/// The URL of one of our pages; the home page if `path` is not a path of this site. `None` if
/// `host` is not a valid host.
fn return_url(scheme: &str, host: &str, path: &str) -> Option<Url> {
    let home = Url::parse(&format!("{scheme}://{host}/")).ok()?;
    let plain = home.username().is_empty() && home.password().is_none();
    if !plain || home.path() != HOME || home.query().is_some() || home.fragment().is_some() {
        return None;
    }
    let is_path = path.starts_with('/') && path.len() <= MAX_PATH_BYTES;
    let page = Some(path).filter(|_| is_path).and_then(|path| home.join(path).ok());
    let ours = page.filter(|page| page.origin() == home.origin() && page.fragment().is_none());
    Some(ours.unwrap_or(home))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buyer_returns_to_a_page_of_this_site_for_every_value_of_return_to() {
        let to =
            |path: &str| return_url("https", "tickets.example:8443", path).unwrap().to_string();
        assert_eq!(to("/schedules/7/wait"), "https://tickets.example:8443/schedules/7/wait");
        assert_eq!(to("/me?lang=ko"), "https://tickets.example:8443/me?lang=ko");
        let long = format!("/{}", "x".repeat(MAX_PATH_BYTES));
        for bad in [
            "",
            "me",
            "//evil.example",
            "/\\evil.example",
            "/\t/evil.example",
            "\\\\evil.example",
            "https://evil.example",
            "https:evil.example",
            "javascript:alert(1)",
            "/me#token=x",
            &long,
        ] {
            assert_eq!(to(bad), "https://tickets.example:8443/", "{bad:?}");
        }
        assert_eq!(to("/.//evil.example"), "https://tickets.example:8443//evil.example");
        for bad in ["", "user@tickets.example", "a/b", "a?b", "a#b", "a b"] {
            assert_eq!(return_url("https", bad, "/me"), None, "{bad:?}");
        }
    }
}
