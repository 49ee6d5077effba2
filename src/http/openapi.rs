//! The API's description, OpenAPI 3.1, made from the handlers, and a page to read it.
//!
//! Handlers name their own answers and refusals; what every operation may answer is added here.

use axum::Router;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{Components, Content, Info, OpenApi, Paths, Ref, RefOr, Response};
use utoipa::{PartialSchema, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_swagger_ui::{Config, SwaggerUi};

use super::problem::FieldError;

/// The security scheme of an access token: `security(("bearer" = []))` in a handler.
pub const BEARER: &str = "bearer";

/// The security scheme of a ticket: `security(("queue_token" = []))` in a handler.
pub const QUEUE_TOKEN: &str = "queue_token";

/// The name of the schema below, and of the media type's answers.
const PROBLEM: &str = "Problem";

/// What any operation may refuse with, by status.
const COMMON: [(&str, &str, &str); 4] = [
    ("422", "InvalidRequest", "`invalid_request`, with `errors`: what is wrong, and where"),
    ("429", "TooManyRequests", "Too many requests; `Retry-After` says when to try again"),
    ("503", "Unavailable", "`store_unavailable` or `overloaded`: nothing is half done, try again"),
    ("default", "Refused", "Any other refusal; `code` says which"),
];

/// What an operation that needs a token or a ticket may refuse with.
const UNAUTHENTICATED: (&str, &str, &str) =
    ("401", "Unauthenticated", "`unauthenticated` or `ticket_invalid`: no good token was sent");

/// A refusal, by RFC 9457. Further members are named by `code`.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its schema is used: http::problem renders the real one")]
struct ProblemBody {
    /// What kind of problem: a stable relative reference.
    r#type: String,
    /// The kind in words, the same every time.
    title: String,
    /// The status of the answer.
    status: u16,
    /// What happened this time.
    detail: String,
    /// The stable name of what went wrong.
    code: String,
    /// The request's id, also in the header `x-request-id`.
    instance: String,
    /// For `invalid_request`: each thing that is wrong.
    errors: Option<Vec<FieldError>>,
}

/// Splits the collected routes into the router and the description of the whole API.
pub fn describe<S>(collected: OpenApiRouter<S>) -> (Router<S>, OpenApi)
where
    S: Clone + Send + Sync + 'static,
{
    let (router, mut api) = collected.split_for_parts();
    api.info = Info::new("onsale", env!("CARGO_PKG_VERSION"));
    api.info.description = Some(env!("CARGO_PKG_DESCRIPTION").to_owned());
    add_components(api.components.get_or_insert_default());
    operations(&mut api.paths).for_each(complete);
    (router, api)
}

/// `/openapi.json`, and `/docs`: Swagger UI out of this binary, which asks no other host.
pub fn pages<S>(api: OpenApi) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    // Without this the page shows the badge of an online validator.
    let config = Config::default().validator_url("none");
    SwaggerUi::new("/docs").url("/openapi.json", api).config(config).into()
}

fn add_components(components: &mut Components) {
    let bearer = Http::builder().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
    components.add_security_scheme(BEARER, SecurityScheme::Http(bearer));
    let said = "The ticket that joining a queue gave; swap it when an answer has another.";
    let ticket = ApiKey::Header(ApiKeyValue::with_description("Queue-Token", said));
    components.add_security_scheme(QUEUE_TOKEN, SecurityScheme::ApiKey(ticket));
    components.schemas.insert(PROBLEM.to_owned(), ProblemBody::schema());
    components.schemas.insert("FieldError".to_owned(), FieldError::schema());
    for (_, name, description) in COMMON.into_iter().chain([UNAUTHENTICATED]) {
        components.responses.insert(name.to_owned(), problem(Response::new(description)).into());
    }
}

fn operations(paths: &mut Paths) -> impl Iterator<Item = &mut Operation> {
    paths.paths.values_mut().flat_map(|item| {
        let PathItem { get, put, post, delete, patch, .. } = item;
        [get, put, post, delete, patch].into_iter().flatten()
    })
}

/// Adds what every operation may answer, unless it says so itself, and gives its own refusals the
/// body that all of them have.
fn complete(operation: &mut Operation) {
    let answers = &mut operation.responses.responses;
    for (status, answer) in answers.iter_mut() {
        let refusal = status.starts_with(['4', '5']);
        if let RefOr::T(response) = answer
            && refusal
            && response.content.is_empty()
        {
            *response = problem(std::mem::take(response));
        }
    }
    let secured = operation.security.as_ref().is_some_and(|needed| !needed.is_empty());
    for (status, name, _) in COMMON.into_iter().chain(secured.then_some(UNAUTHENTICATED)) {
        let common = RefOr::Ref(Ref::from_response_name(name));
        answers.entry(status.to_owned()).or_insert(common);
    }
}

fn problem(mut response: Response) -> Response {
    let content = Content::new(Some(Ref::from_schema_name(PROBLEM)));
    response.content.insert("application/problem+json".to_owned(), content.into());
    response
}

#[cfg(test)]
mod tests;
