//! The page that browsers get instead of a problem.

use askama::Template;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};

use super::assets::Assets;
use super::page::Page;
use super::visit::Visit;
use crate::http::api::problem::Problem;
use crate::http::server::middleware::RenderErrorPage;

/// Renders problems as pages, in the reader's language.
#[derive(Debug, Clone)]
pub struct ErrorPage(pub Assets);

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPageTemplate {
    page: Page,
    said: String,
    /// The request's id, by which an operator finds it in the log.
    instance: String,
    /// Whether a retry may succeed (status 429 or 503).
    passing: bool,
}

impl RenderErrorPage for ErrorPage {
    fn render(
        &self,
        uri: &Uri,
        headers: &HeaderMap,
        problem: &Problem,
        instance: &str,
    ) -> Response {
        let visit = Visit::new(&self.0, uri, headers);
        let status = problem.status();
        let passing =
            status == StatusCode::SERVICE_UNAVAILABLE || status == StatusCode::TOO_MANY_REQUESTS;
        let title = match status {
            StatusCode::NOT_FOUND => "common.errorpage.absent",
            _ if passing => "common.errorpage.busy",
            _ => "common.errorpage.failed",
        };
        let key = format!("common.error.{}", problem.code());
        let said = visit.find(&key).unwrap_or(visit.t("common.error.unknown")).to_owned();
        let page = Page::named(&visit, "error").without_module().titled(visit.t(title));
        let page = ErrorPageTemplate { page, said, instance: instance.to_owned(), passing };
        visit.html_as(status, &page).unwrap_or_else(|_| status.into_response())
    }
}
