//! Extractors that parse and check bodies, query strings and path parameters.

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

/// A JSON body that fulfils the rules of its type; as an answer, the value as JSON.
///
/// Refuses with `415 unsupported_encoding`, `415 unsupported_media_type`, `413 body_too_large`,
/// `400 invalid_json`, and `422 invalid_request`, which lists every wrong field.
#[derive(Debug, Clone, Copy)]
pub struct Json<T>(pub T);

/// A query string that fulfils the rules of its type; otherwise `422 invalid_request`.
#[derive(Debug, Clone, Copy)]
pub struct Query<T>(pub T);

/// The parameters of the path; `404 not_found` if one cannot be parsed.
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

/// A `201 Created` answer with the path of the new resource in `Location`.
pub fn created(location: &str, answer: impl IntoResponse) -> Response {
    with_location((StatusCode::CREATED, answer).into_response(), location)
}

/// A response with a path in `Location`.
pub fn with_location(mut response: Response, location: &str) -> Response {
    match HeaderValue::try_from(location) {
        Ok(location) => {
            response.headers_mut().insert(LOCATION, location);
        }
        Err(error) => tracing::error!(%error, "the path for `Location` is not a header value"),
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
    /// Parses and checks a body.
    ///
    /// # Errors
    /// `400 invalid_json`, or `422 invalid_request` with every wrong field.
    pub fn read(body: &[u8]) -> Result<Self, Problem> {
        parse(body).map(Self)
    }
}

/// Parses and checks a JSON body. A body that is not valid is read again, against the schema of
/// `T`: the schema finds every wrong field, while serde stops at the first.
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
                Err(errors) => merge(checker().check(body), errors),
            }
        }
        Err(error) => {
            let (checker, cause) = (checker(), error.inner());
            let unreadable = is_huge_number(cause);
            if cause.classify() != Category::Data && !unreadable {
                return Err(not_json(cause));
            }
            let errors = checker.check(body);
            if errors.is_empty() || unreadable {
                let pointer = pointer(error.path());
                let detail = checker.requirement(&pointer);
                merge(errors, vec![FieldError { pointer, detail }])
            } else {
                errors
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
            // Used only if the schema finds nothing wrong with this parameter.
            let detail = "is missing or not accepted".to_owned();
            vec![FieldError { pointer: pointer(error.path()), detail }]
        }
    };
    Err(merge(check_query(&T::into_params(|| None), query), first))
}

/// Checks a parsed value against the rules of its type.
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

/// Adds to the schema's errors those that only the rules of the type find: one error per pointer,
/// at most [`MAX_ERRORS`].
fn merge(mut errors: Vec<FieldError>, others: Vec<FieldError>) -> Vec<FieldError> {
    for other in others {
        if errors.len() < MAX_ERRORS && !errors.iter().any(|error| error.pointer == other.pointer) {
            errors.push(other);
        }
    }
    errors
}

/// The problem for a body that is not JSON: says at which line and column reading stopped.
fn not_json(error: &serde_json::Error) -> Problem {
    let (line, column) = (error.line(), error.column());
    let detail = if error.classify() == Category::Eof {
        format!("The JSON ends too early, at line {line}, column {column}.")
    } else {
        format!("The JSON is not well formed at line {line}, column {column}.")
    };
    Problem::new(ProblemCode::InvalidJson).detail(detail)
}

/// Whether the error is a number that fits no numeric type, such as `1e400`. `serde_json` reports
/// it as a syntax error, although the text is JSON.
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

/// Writes garde's path as a JSON Pointer. garde shows the kinds of a path's parts only in its
/// serialized form: `[["key", "rows"], ["index", "0"]]`.
fn garde_pointer(path: &garde::Path) -> String {
    let parts =
        serde_json::to_value(path).and_then(serde_json::from_value::<Vec<(String, String)>>);
    let parts = parts.unwrap_or_default();
    parts.iter().filter(|(kind, _)| kind != "none").map(|(_, part)| token(part)).collect()
}

#[cfg(test)]
mod tests;
