//! `/sign-in?return_to=/…`: sends a buyer to the page on which they sign in (`ONSALE_SIGN_IN_URL`),
//! and says where to send them back to.
//!
//! That is always a page of this site: what `return_to` asks for is a path, and the address before
//! it is the one that the browser itself asked.

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, HOST, LOCATION};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use reqwest::Url;

use super::context::Web;
use super::headers::is_secure;

/// Where a buyer is sent who names no page, or none of ours.
const HOME: &str = "/";

/// The longest path that a buyer is sent back to, in bytes.
const MAX_PATH_BYTES: usize = 1024;

/// `GET /sign-in`
pub(super) async fn sign_in(State(web): State<Web>, headers: HeaderMap, uri: Uri) -> Response {
    let mut pairs = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let wanted = pairs.find(|(name, _)| name == "return_to").map(|(_, path)| path);
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let scheme = if is_secure(&headers) { "https" } else { "http" };
    let back = back(scheme, host, wanted.as_deref().unwrap_or(HOME));
    let to = match (web.sign_in_url, back) {
        (Some(mut to), Some(back)) => {
            to.query_pairs_mut().append_pair("return_to", back.as_str());
            to.into()
        }
        (Some(to), None) => String::from(to),
        (None, _) => HOME.to_owned(),
    };
    (StatusCode::SEE_OTHER, [(LOCATION, to), (CACHE_CONTROL, "no-store".to_owned())])
        .into_response()
}

/// The address of one of our pages, its home where `path` is none; `None` where the host is no host.
fn back(scheme: &str, host: &str, path: &str) -> Option<Url> {
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
    fn a_buyer_is_sent_back_to_a_page_of_this_site_whatever_was_asked_for() {
        let to = |path: &str| back("https", "tickets.example:8443", path).unwrap().to_string();
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
            assert_eq!(back("https", bad, "/me"), None, "{bad:?}");
        }
    }
}
