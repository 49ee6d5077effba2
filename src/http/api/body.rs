//! What a request says, parsed and checked: bodies, query strings, path parameters.

mod check;
mod expected;
mod media;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header::LOCATION;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use garde::Validate;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use serde_path_to_error::Segment;
use utoipa::{IntoParams, ToSchema};

use self::check::{Checker, MAX_ERRORS, check_query, token};
use super::problem::{FieldError, Problem, ProblemCode};
use crate::strict_object::Object;

/// A JSON body, valid by its type's own rules; as an answer, the value as JSON.
///
/// Refuses with `415 unsupported_encoding`, `415 unsupported_media_type`, `413 body_too_large`,
/// `400 invalid_json`, and `422 invalid_request` with every field that is wrong.
#[derive(Debug, Clone, Copy)]
pub struct Json<T>(pub T);

/// The query string, valid by its type's own rules; `422 invalid_request` where it is not.
#[derive(Debug, Clone, Copy)]
pub struct Query<T>(pub T);

/// The parameters of the path. One that is not what it should be names nothing: `404 not_found`.
#[derive(Debug, Clone, Copy)]
pub struct Path<T>(pub T);

impl<S, T> FromRequest<S> for Json<T>
where
    S: Send + Sync,
    T: DeserializeOwned + Validate<Context = ()> + ToSchema,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        media::check(request.headers())?;
        let body =
            Bytes::from_request(request, state).await.map_err(|rejection| {
                match rejection.status() {
                    StatusCode::PAYLOAD_TOO_LARGE => Problem::new(ProblemCode::BodyTooLarge),
                    _ => {
                        Problem::new(ProblemCode::InvalidJson).detail("The body could not be read.")
                    }
                }
            })?;
        Self::read(&body)
    }
}

/// `201 Created` with the path of what was created in `Location`.
pub fn created(location: &str, answer: impl IntoResponse) -> Response {
    let mut response = (StatusCode::CREATED, answer).into_response();
    match HeaderValue::try_from(location) {
        Ok(location) => {
            response.headers_mut().insert(LOCATION, location);
        }
        Err(error) => tracing::error!(%error, "a path is not a header value"),
    }
    response
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

impl<S, T> FromRequestParts<S> for Query<T>
where
    S: Send + Sync,
    T: DeserializeOwned + Validate<Context = ()> + IntoParams,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        parse_query(query).map(Self).map_err(Problem::invalid_request)
    }
}

impl<S, T> FromRequestParts<S> for Path<T>
where
    S: Send + Sync,
    T: DeserializeOwned + Send,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match axum::extract::Path::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            Err(_) => Err(Problem::not_found()),
        }
    }
}

impl<T: DeserializeOwned + Validate<Context = ()> + ToSchema> Json<T> {
    /// Reads a body.
    ///
    /// # Errors
    /// `400 invalid_json`, or `422 invalid_request` with every field that is wrong.
    pub fn read(body: &[u8]) -> Result<Self, Problem> {
        parse(body).map(Self)
    }
}

/// Parses and checks a JSON body. A body that is not valid is read a second time, against the
/// schema of `T`, which finds every wrong field: serde stops at the first.
fn parse<T: DeserializeOwned + Validate<Context = ()> + ToSchema>(
    body: &[u8],
) -> Result<T, Problem> {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let checker = Checker::of::<T>;
    let errors = match serde_path_to_error::deserialize(&mut deserializer) {
        Ok(Object(value)) => {
            deserializer.end().map_err(|error| not_json(&error))?;
            match check(value) {
                Ok(value) => return Ok(value),
                Err(errors) => merged(checker().check(body), errors),
            }
        }
        Err(error) => {
            let (checker, cause) = (checker(), error.inner());
            let unreadable = is_huge_number(cause);
            if cause.classify() != Category::Data && !unreadable {
                return Err(not_json(cause));
            }
            let found = checker.check(body);
            if found.is_empty() || unreadable {
                let pointer = pointer(error.path());
                let detail = checker.wanted(&pointer);
                merged(found, vec![FieldError { pointer, detail }])
            } else {
                found
            }
        }
    };
    Err(Problem::invalid_request(errors))
}

/// Parses and checks a query string.
pub(super) fn parse_query<T>(query: &str) -> Result<T, Vec<FieldError>>
where
    T: DeserializeOwned + Validate<Context = ()> + IntoParams,
{
    let pairs = form_urlencoded::parse(query.as_bytes());
    let deserializer = serde_urlencoded::Deserializer::new(pairs);
    let first = match serde_path_to_error::deserialize(deserializer) {
        Ok(value) => match check(value) {
            Ok(value) => return Ok(value),
            Err(errors) => errors,
        },
        Err(error) => {
            // The schema says more of each parameter; this stays where it finds nothing.
            let detail = "is missing or not accepted".to_owned();
            vec![FieldError { pointer: pointer(error.path()), detail }]
        }
    };
    Err(merged(check_query(&T::into_params(|| None), query), first))
}

/// Holds a parsed value against its type's rules.
fn check<T: Validate<Context = ()>>(value: T) -> Result<T, Vec<FieldError>> {
    let Err(report) = value.validate() else {
        return Ok(value);
    };
    let errors = report.iter().map(|(path, error)| FieldError {
        pointer: garde_pointer(path),
        detail: error.message().to_owned(),
    });
    Err(errors.collect())
}

/// What the schema finds, and then what only the type's own rules find.
fn merged(mut found: Vec<FieldError>, others: Vec<FieldError>) -> Vec<FieldError> {
    for other in others {
        if found.len() < MAX_ERRORS && !found.iter().any(|error| error.pointer == other.pointer) {
            found.push(other);
        }
    }
    found
}

/// Where reading stopped, without the parser's own words.
fn not_json(error: &serde_json::Error) -> Problem {
    let (line, column) = (error.line(), error.column());
    let detail = if error.classify() == Category::Eof {
        format!("The JSON ends too early, at line {line}, column {column}.")
    } else {
        format!("The JSON is not well formed at line {line}, column {column}.")
    };
    Problem::new(ProblemCode::InvalidJson).detail(detail)
}

/// Whether the text is JSON with a number in it that no type here holds, such as `1e400`, which
/// `serde_json` counts among the errors of syntax.
fn is_huge_number(error: &serde_json::Error) -> bool {
    error.to_string().starts_with("number out of range")
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    path.iter()
        .filter_map(|segment| match segment {
            Segment::Seq { index } => Some(token(&index.to_string())),
            Segment::Map { key } => Some(token(key)),
            Segment::Enum { variant } => Some(token(variant)),
            Segment::Unknown => None,
        })
        .collect()
}

/// garde tells a path's parts apart only when it serializes it: `[["key", "rows"], ["index", "0"]]`.
fn garde_pointer(path: &garde::Path) -> String {
    let parts =
        serde_json::to_value(path).and_then(serde_json::from_value::<Vec<(String, String)>>);
    let parts = parts.unwrap_or_default();
    parts.iter().filter(|(kind, _)| kind != "none").map(|(_, part)| token(part)).collect()
}

#[cfg(test)]
mod tests;
