//! `/problems`: explains every problem code, from the list of codes. Browsers get a page, API
//! clients get JSON. The `type` of a problem is the path of its page here.

use askama::Template;
use axum::http::header::{ACCEPT, CACHE_CONTROL, VARY};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::context::Web;
use super::page::Page;
use super::visit::Visit;
use crate::http::api::body::{Json, Path};
use crate::http::api::negotiation::wants_page;
use crate::http::api::problem::{Problem, ProblemCode, ProblemKind};

/// The routes of `/problems`.
pub(super) fn routes() -> OpenApiRouter<Web> {
    OpenApiRouter::new().routes(routes!(list_problems)).routes(routes!(find_problem))
}

/// The explanation of a problem code.
#[derive(Debug, Serialize, ToSchema)]
struct ProblemDescription {
    /// The `type` of these problems: the path of this description.
    r#type: String,
    /// The stable name.
    code: &'static str,
    /// The status of the answer.
    status: u16,
    /// The title; the same in every problem of this code.
    title: &'static str,
    /// When this problem is sent.
    meaning: &'static str,
    /// What a client does about it.
    action: &'static str,
    /// An example body of such a problem.
    #[schema(value_type = Object)]
    example: Value,
}

/// The explanations of all problem codes.
#[derive(Debug, Serialize, ToSchema)]
struct ProblemDescriptions {
    /// The explanations, in order of status.
    items: Vec<ProblemDescription>,
}

#[derive(Template)]
#[template(path = "problems.html")]
struct ProblemsPage {
    page: Page,
    problems: Vec<ProblemDescription>,
}

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage {
    page: Page,
    problem: ProblemDescription,
    example: String,
}

impl From<ProblemCode> for ProblemDescription {
    fn from(code: ProblemCode) -> Self {
        let ProblemKind { code: name, status, title, meaning, action } = code.kind();
        Self {
            r#type: code.reference(),
            code: name,
            status: status.as_u16(),
            title,
            meaning,
            action,
            example: code.example(),
        }
    }
}

/// List every problem code.
///
/// Each item has the status, the meaning, the client's action, and an example. A browser that asks
/// for HTML gets a page.
#[utoipa::path(get, path = "/problems", tag = "Operations",
    responses((status = 200, description = "Every code, in order of status",
               content((ProblemDescriptions = "application/json"), (String = "text/html")))))]
async fn list_problems(visit: Visit, headers: HeaderMap) -> Result<Response, Problem> {
    let problems: Vec<_> = ProblemCode::ALL.iter().map(|code| (*code).into()).collect();
    if !wants_page(&headers) {
        return Ok(shared(Json(ProblemDescriptions { items: problems })));
    }
    let page = Page::named(&visit, "problems").without_module();
    Ok(by_accept(visit.html(&ProblemsPage { page, problems })?))
}

/// Explain one problem code.
///
/// The path is the `type` of such a problem. A browser that asks for HTML gets a page.
#[utoipa::path(get, path = "/problems/{code}", tag = "Operations",
    params(("code" = String, Path, description = "The `code` of a problem")),
    responses((status = 200, description = "What the code means",
               content((ProblemDescription = "application/json"), (String = "text/html"))),
              (status = 404, description = "`not_found`: no problem has this code")))]
async fn find_problem(
    visit: Visit,
    Path(code): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let code = ProblemCode::find(&code).ok_or_else(Problem::not_found)?;
    let problem = ProblemDescription::from(code);
    if !wants_page(&headers) {
        return Ok(shared(Json(problem)));
    }
    let page = Page::named(&visit, "problems").without_module().titled(problem.title);
    let example = serde_json::to_string_pretty(&problem.example).unwrap_or_default();
    Ok(by_accept(visit.html(&ProblemPage { page, problem, example })?))
}

/// An answer that shared caches may keep for an hour. The texts change only with a release.
fn shared(answer: impl IntoResponse) -> Response {
    let mut response = answer.into_response();
    let an_hour = HeaderValue::from_static("public, max-age=3600");
    response.headers_mut().insert(CACHE_CONTROL, an_hour);
    by_accept(response)
}

/// Adds `Vary: Accept`, because browsers and API clients get different answers.
fn by_accept(mut response: Response) -> Response {
    response.headers_mut().append(VARY, HeaderValue::from_name(ACCEPT));
    response
}
