//! Reads the requested page of a list: `?limit=` and `?cursor=`.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use garde::Validate;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use utoipa::IntoParams;

use super::body::parse_query;
use super::problem::{FieldError, Problem};
use crate::pagination::{ListPaging, Paging, TimeCursor, TimePaging, decode_id};

/// The filter and the requested page of a list. One `422 invalid_request` lists the errors of both.
#[derive(Debug, Clone, Copy)]
pub struct Filtered<T>(pub T, pub Paging);

/// The query parameters of a list.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// Maximum number of items.
    #[serde(default = "default_limit")]
    #[garde(range(min = 1, max = 200))]
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: u16,
    /// The `next_cursor` of the previous page.
    #[garde(skip)]
    #[expect(
        dead_code,
        reason = "read from the query itself, so that it is checked even if the limit is wrong"
    )]
    cursor: Option<String>,
}

fn default_limit() -> u16 {
    50
}

/// Reads the page of a list in order of ids.
///
/// # Errors
/// `422 invalid_request` if the limit or the cursor is not valid.
pub fn parse_paging(query: &str) -> Result<Paging, Problem> {
    read_paging(query).map_err(Problem::invalid_request)
}

/// Reads the page of a list in order of a time.
///
/// # Errors
/// `422 invalid_request` if the limit or the cursor is not valid.
pub fn parse_time_paging(query: &str) -> Result<TimePaging, Problem> {
    read_time_paging(query).map_err(Problem::invalid_request)
}

/// Reads the cursor of a list in order of a time.
///
/// # Errors
/// `422 invalid_request` if it is not valid.
pub fn parse_time_cursor(cursor: &str) -> Result<TimeCursor, Problem> {
    TimeCursor::decode(cursor).ok_or_else(|| Problem::invalid_request(vec![invalid_cursor()]))
}

/// Reads the filter and the requested page of a list. `by_time` returns whether the list with this
/// filter is in order of a time.
///
/// # Errors
/// `422 invalid_request` with every error.
pub fn parse_filtered<T>(
    query: &str,
    by_time: impl Fn(&T) -> bool,
) -> Result<(T, ListPaging), Problem>
where
    T: DeserializeOwned + Validate<Context = ()> + IntoParams,
{
    let filter = parse_query::<T>(query);
    let paging = match &filter {
        Ok(filter) if by_time(filter) => read_time_paging(query).map(ListPaging::ByTime),
        Ok(_) => read_paging(query).map(ListPaging::ById),
        // Without the filter the list's kind of cursor is unknown: accept both kinds.
        Err(_) => read_paging(query)
            .map(ListPaging::ById)
            .or_else(|errors| read_time_paging(query).map(ListPaging::ByTime).map_err(|_| errors)),
    };
    both(filter, paging)
}

impl<S, T> FromRequestParts<S> for Filtered<T>
where
    S: Send + Sync,
    T: DeserializeOwned + Validate<Context = ()> + IntoParams,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        let (filter, paging) = both(parse_query(query), read_paging(query))?;
        Ok(Self(filter, paging))
    }
}

/// Reads the page of a list in order of ids; `422 invalid_request` if it is not valid.
impl<S: Send + Sync> FromRequestParts<S> for Paging {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parse_paging(parts.uri.query().unwrap_or_default())
    }
}

/// Both values, or the errors of both.
fn both<A, B>(
    left: Result<A, Vec<FieldError>>,
    right: Result<B, Vec<FieldError>>,
) -> Result<(A, B), Problem> {
    match (left, right) {
        (Ok(left), Ok(right)) => Ok((left, right)),
        (left, right) => {
            let errors = left.err().into_iter().chain(right.err()).flatten();
            Err(Problem::invalid_request(errors.collect()))
        }
    }
}

fn read_paging(query: &str) -> Result<Paging, Vec<FieldError>> {
    let (limit, after) = read_page(query, decode_id)?;
    Ok(Paging { limit, after })
}

fn read_time_paging(query: &str) -> Result<TimePaging, Vec<FieldError>> {
    let (limit, after) = read_page(query, TimeCursor::decode)?;
    Ok(TimePaging { limit, after })
}

/// Reads the limit and the cursor, or lists the errors of both.
fn read_page<C>(
    query: &str,
    decode: impl Fn(&str) -> Option<C>,
) -> Result<(u16, Option<C>), Vec<FieldError>> {
    let page = parse_query::<PageQuery>(query);
    let mut parameters = form_urlencoded::parse(query.as_bytes());
    let after = match parameters.find(|(name, _)| name == "cursor") {
        None => Ok(None),
        Some((_, cursor)) => decode(&cursor).map(Some).ok_or_else(invalid_cursor),
    };
    match (page, after) {
        (Ok(page), Ok(after)) => Ok((page.limit, after)),
        (page, after) => Err(page.err().into_iter().flatten().chain(after.err()).collect()),
    }
}

fn invalid_cursor() -> FieldError {
    FieldError {
        pointer: "/cursor".to_owned(),
        detail: "must be a next_cursor of this list".to_owned(),
    }
}

#[cfg(test)]
mod tests;
