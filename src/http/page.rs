//! Lists in pages: a limit, and an opaque cursor that says where the last page ended.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use garde::Validate;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::body::parse_query;
use super::problem::{FieldError, Problem};

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// What `?cursor=` must say for the next page; null on the last one.
    pub next_cursor: Option<String>,
}

/// Which page is asked for (`?limit=`, `?cursor=`); `422 invalid_request` where either is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paging {
    /// How many items, 1 to 200.
    pub limit: u16,
    /// The id of the last item of the page before; none for the first page.
    pub after: Option<i64>,
}

/// What a list is filtered by, and which page of it is asked for. Everything that is wrong with
/// either is in one `422 invalid_request`.
#[derive(Debug, Clone, Copy)]
pub struct Filtered<T>(pub T, pub Paging);

/// The query parameters of a list.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// How many items at most.
    #[serde(default = "default_limit")]
    #[garde(range(min = 1, max = 200))]
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: u16,
    /// The `next_cursor` of the page before.
    #[garde(skip)]
    #[expect(
        dead_code,
        reason = "read from the query itself, to be checked whatever else is wrong"
    )]
    cursor: Option<String>,
}

fn default_limit() -> u16 {
    50
}

impl Paging {
    /// How many rows to ask the store for: one more than fits says whether there is a next page.
    #[must_use]
    pub fn fetch(self) -> i64 {
        i64::from(self.limit) + 1
    }

    /// Reads a query string.
    ///
    /// # Errors
    /// `422 invalid_request` where the limit or the cursor is not valid.
    pub fn parse(query: &str) -> Result<Self, Problem> {
        Self::read(query).map_err(Problem::invalid_request)
    }

    /// Reads a query string; lists everything that is wrong with it.
    fn read(query: &str) -> Result<Self, Vec<FieldError>> {
        let (limit, after) = read_page(query, decode)?;
        Ok(Self { limit, after })
    }

    /// Makes the page out of up to [`Paging::fetch`] rows, in the list's order; `id` says what the
    /// next page begins after.
    #[must_use]
    pub fn page<T>(self, mut items: Vec<T>, id: impl Fn(&T) -> i64) -> Page<T> {
        let more = items.len() > usize::from(self.limit);
        items.truncate(usize::from(self.limit));
        let next_cursor = items.last().filter(|_| more).map(|last| encode(id(last)));
        Page { items, next_cursor }
    }
}

/// Which page is asked for of a list that is in order of a time, and of the id where times are equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimePaging {
    /// How many items, 1 to 200.
    pub limit: u16,
    /// The time and the id of the last item of the page before; none for the first page.
    pub after: Option<TimeCursor>,
}

/// Where a page of a list in order of a time ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TimeCursor {
    /// The time of its last item, exact to the microsecond.
    pub time: DateTime<Utc>,
    /// The id of its last item.
    pub id: i64,
}

impl TimePaging {
    /// Reads a query string.
    ///
    /// # Errors
    /// `422 invalid_request` where the limit or the cursor is none.
    pub fn parse(query: &str) -> Result<Self, Problem> {
        Self::read(query).map_err(Problem::invalid_request)
    }

    /// Reads a query string; lists everything that is wrong with it.
    fn read(query: &str) -> Result<Self, Vec<FieldError>> {
        let (limit, after) = read_page(query, TimeCursor::decode)?;
        Ok(Self { limit, after })
    }

    /// How many rows to ask the store for: one more than fits says whether there is a next page.
    #[must_use]
    pub fn fetch(self) -> i64 {
        i64::from(self.limit) + 1
    }

    /// Makes the page out of up to [`TimePaging::fetch`] rows, in the list's order; `end` says where
    /// the page ends that has this item last.
    #[must_use]
    pub fn page<T>(self, mut items: Vec<T>, end: impl Fn(&T) -> TimeCursor) -> Page<T> {
        let more = items.len() > usize::from(self.limit);
        items.truncate(usize::from(self.limit));
        let next_cursor = items.last().filter(|_| more).map(|last| end(last).encode());
        Page { items, next_cursor }
    }
}

impl TimeCursor {
    /// Reads a cursor.
    ///
    /// # Errors
    /// `422 invalid_request` where it is none.
    pub fn parse(cursor: &str) -> Result<Self, Problem> {
        Self::decode(cursor).ok_or_else(|| Problem::invalid_request(vec![no_cursor()]))
    }

    fn decode(cursor: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let bytes: [u8; 16] = bytes.try_into().ok()?;
        let value = u128::from_be_bytes(bytes);
        let micros = i64::try_from(value >> 64).ok()?;
        let id = i64::try_from(value & u128::from(u64::MAX)).ok()?;
        Some(Self { time: DateTime::from_timestamp_micros(micros)?, id })
    }

    /// As [`TimeCursor::parse`] reads it.
    #[must_use]
    pub fn encode(self) -> String {
        let micros = self.time.timestamp_micros();
        let bytes = [micros.to_be_bytes(), self.id.to_be_bytes()].concat();
        URL_SAFE_NO_PAD.encode(bytes)
    }
}

/// Which page is asked for of a list that has two orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListPaging {
    /// In order of ids.
    ById(Paging),
    /// In order of a time.
    ByTime(TimePaging),
}

impl ListPaging {
    /// The page of the list in order of ids; its first page where the other order was read.
    #[must_use]
    pub fn by_id(self) -> Paging {
        match self {
            Self::ById(paging) => paging,
            Self::ByTime(TimePaging { limit, .. }) => Paging { limit, after: None },
        }
    }
}

/// Reads what a list is filtered by, and which page of it is asked for: of the list in order of a
/// time where `by_time` says so of the filter.
///
/// # Errors
/// `422 invalid_request` with everything that is wrong.
pub fn read_filtered<T>(
    query: &str,
    by_time: impl Fn(&T) -> bool,
) -> Result<(T, ListPaging), Problem>
where
    T: DeserializeOwned + Validate<Context = ()> + IntoParams,
{
    let filter = parse_query::<T>(query);
    let paging = match &filter {
        Ok(filter) if by_time(filter) => TimePaging::read(query).map(ListPaging::ByTime),
        Ok(_) => Paging::read(query).map(ListPaging::ById),
        // Without the filter it is not known which cursor belongs to it: either will do.
        Err(_) => Paging::read(query)
            .map(ListPaging::ById)
            .or_else(|errors| TimePaging::read(query).map(ListPaging::ByTime).map_err(|_| errors)),
    };
    match (filter, paging) {
        (Ok(filter), Ok(paging)) => Ok((filter, paging)),
        (filter, paging) => {
            let errors = filter.err().into_iter().chain(paging.err()).flatten();
            Err(Problem::invalid_request(errors.collect()))
        }
    }
}

impl<T> Page<T> {
    /// The same page with each item turned into another.
    #[must_use]
    pub fn map<U>(self, into: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(into).collect(), next_cursor: self.next_cursor }
    }
}

impl<S, T> FromRequestParts<S> for Filtered<T>
where
    S: Send + Sync,
    T: DeserializeOwned + Validate<Context = ()> + IntoParams,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        match (parse_query(query), Paging::read(query)) {
            (Ok(filter), Ok(paging)) => Ok(Self(filter, paging)),
            (filter, paging) => {
                let errors = filter.err().into_iter().chain(paging.err()).flatten();
                Err(Problem::invalid_request(errors.collect()))
            }
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Paging {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Self::parse(parts.uri.query().unwrap_or_default())
    }
}

/// Reads the limit and the cursor of a query string; lists everything that is wrong with them.
fn read_page<C>(
    query: &str,
    decode: impl Fn(&str) -> Option<C>,
) -> Result<(u16, Option<C>), Vec<FieldError>> {
    let page = parse_query::<PageQuery>(query);
    let mut sent = form_urlencoded::parse(query.as_bytes());
    let after = match sent.find(|(name, _)| name == "cursor") {
        None => Ok(None),
        Some((_, cursor)) => decode(&cursor).map(Some).ok_or_else(no_cursor),
    };
    match (page, after) {
        (Ok(page), Ok(after)) => Ok((page.limit, after)),
        (page, after) => Err(page.err().into_iter().flatten().chain(after.err()).collect()),
    }
}

fn no_cursor() -> FieldError {
    FieldError {
        pointer: "/cursor".to_owned(),
        detail: "must be a next_cursor of this list".to_owned(),
    }
}

fn encode(id: i64) -> String {
    URL_SAFE_NO_PAD.encode(id.to_be_bytes())
}

fn decode(cursor: &str) -> Option<i64> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    Some(i64::from_be_bytes(bytes.try_into().ok()?))
}

#[cfg(test)]
mod tests;
