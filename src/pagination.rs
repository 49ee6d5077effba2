//! Lists in pages: a limit, and an opaque cursor that marks the end of the previous page.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Page<T> {
    /// The items of this page.
    pub items: Vec<T>,
    /// The value of `?cursor=` for the next page; null on the last page.
    pub next_cursor: Option<String>,
}

/// Which page of a list in order of ids is requested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paging {
    /// Maximum number of items, 1 to 200.
    pub limit: u16,
    /// The id of the last item of the previous page; `None` for the first page.
    pub after: Option<i64>,
}

/// Which page is requested of a list in order of a time, and of ids where times are equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimePaging {
    /// Maximum number of items, 1 to 200.
    pub limit: u16,
    /// The time and the id of the last item of the previous page; `None` for the first page.
    pub after: Option<TimeCursor>,
}

/// The end of a page of a list in order of a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TimeCursor {
    /// The time of the last item, exact to the microsecond.
    pub time: DateTime<Utc>,
    /// The id of the last item.
    pub id: i64,
}

/// Which page is requested of a list that has two orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListPaging {
    /// In order of ids.
    ById(Paging),
    /// In order of a time.
    ByTime(TimePaging),
}

impl Paging {
    /// Number of rows to fetch: one more than the limit, which shows whether there is a next page.
    #[must_use]
    pub fn fetch(self) -> i64 {
        i64::from(self.limit) + 1
    }

    /// Builds the page from up to [`Paging::fetch`] rows in the list's order. `id` returns the id
    /// of an item; the next page begins after the last one.
    #[must_use]
    pub fn page<T>(self, items: Vec<T>, id: impl Fn(&T) -> i64) -> Page<T> {
        cut(items, self.limit, |last| encode_id(id(last)))
    }
}

impl TimePaging {
    /// Number of rows to fetch: one more than the limit, which shows whether there is a next page.
    #[must_use]
    pub fn fetch(self) -> i64 {
        i64::from(self.limit) + 1
    }

    /// Builds the page from up to [`TimePaging::fetch`] rows in the list's order. `end` returns the
    /// cursor for a page that ends with an item.
    #[must_use]
    pub fn page<T>(self, items: Vec<T>, end: impl Fn(&T) -> TimeCursor) -> Page<T> {
        cut(items, self.limit, |last| end(last).encode())
    }
}

impl ListPaging {
    /// The page of the list in order of ids; the first page if a page in order of a time was
    /// requested.
    #[must_use]
    pub fn by_id(self) -> Paging {
        match self {
            Self::ById(paging) => paging,
            Self::ByTime(TimePaging { limit, .. }) => Paging { limit, after: None },
        }
    }
}

impl TimeCursor {
    /// Reads what [`TimeCursor::encode`] wrote; `None` for any other text.
    #[must_use]
    pub fn decode(cursor: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let bytes: [u8; 16] = bytes.try_into().ok()?;
        let value = u128::from_be_bytes(bytes);
        let micros = i64::try_from(value >> 64).ok()?;
        let id = i64::try_from(value & u128::from(u64::MAX)).ok()?;
        Some(Self { time: DateTime::from_timestamp_micros(micros)?, id })
    }

    /// Writes the cursor for clients: base64url of the time in microseconds and the id.
    #[must_use]
    pub fn encode(self) -> String {
        let micros = self.time.timestamp_micros();
        let bytes = [micros.to_be_bytes(), self.id.to_be_bytes()].concat();
        URL_SAFE_NO_PAD.encode(bytes)
    }
}

impl<T> Page<T> {
    /// The same page with each item mapped.
    #[must_use]
    pub fn map<U>(self, into: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(into).collect(), next_cursor: self.next_cursor }
    }
}

/// Reads what [`encode_id`] wrote; `None` for any other text.
pub(crate) fn decode_id(cursor: &str) -> Option<i64> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    Some(i64::from_be_bytes(bytes.try_into().ok()?))
}

/// The cursor of a list in order of ids: base64url of the last id.
pub(crate) fn encode_id(id: i64) -> String {
    URL_SAFE_NO_PAD.encode(id.to_be_bytes())
}

fn cut<T>(mut items: Vec<T>, limit: u16, cursor: impl Fn(&T) -> String) -> Page<T> {
    let has_more = items.len() > usize::from(limit);
    items.truncate(usize::from(limit));
    let next_cursor = items.last().filter(|_| has_more).map(cursor);
    Page { items, next_cursor }
}
