//! The API's description in OpenAPI 3.1, generated from the handlers, and a page that shows it.
//!
//! Handlers list their own answers and refusals. This module adds the refusals that follow from an
//! operation's body, key, token or path.

mod finish;
mod links;

use std::collections::btree_map::Entry;

use axum::Router;
use serde_json::Value;
use utoipa::openapi::path::{Operation, ParameterIn};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{Components, Content, Info, OpenApi, Ref, RefOr, Response};
use utoipa::{PartialSchema, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_swagger_ui::{Config, SwaggerUi};

use super::problem::FieldError;

use crate::caller::Role;

use self::finish::BEARER;
use self::links::operations;

/// Name of the security scheme of a ticket: `security(("queue_token" = []))` in a handler.
pub const QUEUE_TOKEN: &str = "queue_token";

/// Name of the schema [`ProblemBody`].
const PROBLEM: &str = "Problem";

/// A status and the description of its codes.
type Refusal = (&'static str, &'static str);

/// The refusal by the quota of the caller's address, which every path counts towards.
const RATE_LIMITED: Refusal = ("429", "`rate_limited`: `Retry-After` says when to try again");

/// Refusals of every operation but the operators' own.
const COMMON: [Refusal; 4] = [
    ("422", "`invalid_request`: `errors` lists each wrong field"),
    RATE_LIMITED,
    ("500", "`internal_error`: a defect of the service"),
    ("503", "`store_unavailable`, `overloaded`: nothing is half done, try again"),
];

/// Refusals of an operation that takes a body.
const WITH_BODY: [Refusal; 4] = [
    ("400", "`invalid_json`"),
    ("408", "`body_timeout`: the body did not arrive in time"),
    ("413", "`body_too_large`"),
    ("415", "`unsupported_media_type`: not JSON in UTF-8; `unsupported_encoding`: compressed"),
];

/// Refusals of an operation that needs an idempotency key.
const WITH_KEY: [Refusal; 3] = [
    ("400", "`idempotency_key_required`"),
    ("409", "`request_in_progress`: the first request with this key has not finished"),
    ("422", "`idempotency_key_reused`: the key was used for another request"),
];

const WITH_PATH: Refusal = ("404", "`not_found`: an id in the path is malformed");
const WITH_BEARER: Refusal = ("401", "`unauthenticated`: no valid access token");
const WITH_QUEUE_TOKEN: Refusal = ("401", "`ticket_invalid`: no valid ticket");

/// An error answer (RFC 9457). Some codes add further members.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its schema is used: http::problem renders the real one")]
struct ProblemBody {
    /// The kind of problem: the path that explains it, `/problems/{code}`.
    r#type: String,
    /// The kind in words; the same in every problem of this code.
    title: String,
    /// The status of the answer.
    status: u16,
    /// What happened this time.
    detail: String,
    /// The stable name of the problem, for programs.
    code: String,
    /// The request's id, also in the header `x-request-id`.
    instance: String,
    /// Only with `invalid_request`: every error in the request.
    errors: Option<Vec<FieldError>>,
}

/// Splits the collected routes into the router and the description of the whole API. The operations
/// in `always` are served beyond the limit of concurrency, but count towards the quota of the
/// caller's address.
pub fn describe<S>(collected: OpenApiRouter<S>, always: OpenApi) -> (Router<S>, Value)
where
    S: Clone + Send + Sync + 'static,
{
    let (router, mut api) = collected.split_for_parts();
    api.info = Info::new("onsale", env!("CARGO_PKG_VERSION"));
    api.info.description = Some(env!("CARGO_PKG_DESCRIPTION").to_owned());
    add_components(api.components.get_or_insert_default());
    for operation in operations(&mut api.paths) {
        name_role(operation);
        complete(operation, &implied(operation));
    }
    links::add(&mut api.paths);
    let mut always = always;
    operations(&mut always.paths).for_each(|operation| complete(operation, &[RATE_LIMITED]));
    api.paths.paths.extend(always.paths.paths);
    (router, finish::finish(api))
}

/// Routes for `/openapi.json` and `/docs`: Swagger UI, served from this binary. The page loads
/// nothing from another host.
pub fn pages<S>(api: Value) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    // Otherwise the page loads the badge of an online validator.
    let config = Config::default().validator_url("none");
    SwaggerUi::new("/docs").external_url_unchecked("/openapi.json", api).config(config).into()
}

fn add_components(components: &mut Components) {
    let bearer = Http::builder().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
    components.add_security_scheme(BEARER, SecurityScheme::Http(bearer));
    let description = "The `queue_token` of the latest answer for this ticket.";
    let ticket = ApiKey::Header(ApiKeyValue::with_description("Queue-Token", description));
    components.add_security_scheme(QUEUE_TOKEN, SecurityScheme::ApiKey(ticket));
    components.schemas.insert(PROBLEM.to_owned(), ProblemBody::schema());
    components.schemas.insert("FieldError".to_owned(), FieldError::schema());
}

/// Gives an operation's own refusals the problem body.
fn add_problem_bodies(operation: &mut Operation) {
    for (status, answer) in &mut operation.responses.responses {
        let refusal = status.starts_with(['4', '5']);
        if let RefOr::T(response) = answer
            && refusal
            && response.content.is_empty()
        {
            *response = problem(std::mem::take(response));
        }
    }
}

/// Completes an operation's own refusals, and adds others.
fn complete(operation: &mut Operation, refusals: &[Refusal]) {
    add_problem_bodies(operation);
    for (status, codes) in refusals {
        match operation.responses.responses.entry((*status).to_owned()) {
            Entry::Vacant(entry) => {
                entry.insert(problem(Response::new(*codes)).into());
            }
            Entry::Occupied(mut own) => {
                if let RefOr::T(response) = own.get_mut() {
                    response.description = format!("{}; {codes}", response.description);
                }
            }
        }
    }
}

/// The refusals that follow from an operation's body, key, token, or id in its path.
fn implied(operation: &Operation) -> Vec<Refusal> {
    let takes = |place: ParameterIn, name: Option<&str>| {
        operation.parameters.iter().flatten().any(|parameter| match parameter {
            RefOr::T(one) => one.parameter_in == place && name.is_none_or(|name| one.name == name),
            RefOr::Ref(_) => false,
        })
    };
    let secured = |scheme| operation.security.iter().flatten().any(|one| names(one, scheme));
    let mut refusals = COMMON.to_vec();
    refusals.extend(operation.request_body.iter().flat_map(|_| WITH_BODY));
    if takes(ParameterIn::Header, Some("Idempotency-Key")) {
        refusals.extend(WITH_KEY);
    }
    if takes(ParameterIn::Path, None) {
        refusals.push(WITH_PATH);
    }
    refusals.extend(secured(BEARER).then_some(WITH_BEARER));
    refusals.extend(secured(QUEUE_TOKEN).then_some(WITH_QUEUE_TOKEN));
    refusals
}

/// The least role that an operation needs: `security(("bearer" = ["operator"]))` in a handler.
fn least_role(operation: &Operation) -> Option<String> {
    let bearer = |requirement: &SecurityRequirement| {
        let schemes = serde_json::to_value(requirement).ok()?;
        Some(schemes.get(BEARER)?.get(0)?.as_str()?.to_owned())
    };
    operation.security.iter().flatten().find_map(bearer)
}

/// Adds the least role of an operation to its description, and to that of `403 forbidden`.
fn name_role(operation: &mut Operation) {
    let Some(role) = least_role(operation) else {
        return;
    };
    let higher = if role == Role::Admin.as_str() { "" } else { " or a higher one" };
    let needs = format!("Needs a token with the role `{role}`{higher}.");
    let text = operation.description.get_or_insert_default();
    *text = if text.is_empty() { needs } else { format!("{text}\n\n{needs}") };
    if let Some(RefOr::T(refusal)) = operation.responses.responses.get_mut("403") {
        let reason = format!("`forbidden`: the role is lower than {role}");
        refusal.description = refusal.description.replacen("`forbidden`", &reason, 1);
    }
}

/// Whether a security requirement includes this scheme.
fn names(requirement: &SecurityRequirement, scheme: &str) -> bool {
    serde_json::to_value(requirement).is_ok_and(|value| value.get(scheme).is_some())
}

fn problem(mut response: Response) -> Response {
    let content = Content::new(Some(Ref::from_schema_name(PROBLEM)));
    response.content.insert("application/problem+json".to_owned(), content.into());
    response
}

#[cfg(test)]
mod tests;
