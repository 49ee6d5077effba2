//! Writes the document page by page.

use super::pg::{self, LISTS};
use crate::store::StoreError;
use crate::store::id::UserId;
use crate::store::pg::Pg;

/// Items of a page.
const PAGE: i64 = 500;

/// Reads the data of persons; cheap to clone.
#[derive(Debug, Clone)]
pub struct People {
    pg: Pg,
}

/// The next part of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DocumentPart {
    /// Index of the list.
    list: usize,
    /// Items before this id.
    before: i64,
    /// Whether the list has items before these.
    is_begun: bool,
}

impl People {
    /// Creates the service.
    #[must_use]
    pub fn new(pg: Pg) -> Self {
        Self { pg }
    }

    /// The beginning of the document of a person, and its next part; `None` if there is no such user.
    pub async fn begin(&self, user: UserId) -> Result<Option<(String, DocumentPart)>, StoreError> {
        let begun = pg::user(&self.pg, user).await?.map(|json| format!("{{\"user\":{json}"));
        Ok(begun.map(|text| (text, DocumentPart { list: 0, before: i64::MAX, is_begun: false })))
    }

    /// A part of the document, and the next one; `None` after the last.
    pub async fn part(
        &self,
        user: UserId,
        part: DocumentPart,
    ) -> Result<Option<(String, DocumentPart)>, StoreError> {
        let DocumentPart { list, before, is_begun } = part;
        let Some((of, name)) = LISTS.get(list).copied() else {
            return Ok(None);
        };
        let items = pg::items(&self.pg, of, user, before, PAGE).await?;
        let mut text = if is_begun { String::new() } else { format!(",\"{name}\":[") };
        for (at, item) in items.iter().enumerate() {
            if is_begun || at > 0 {
                text.push(',');
            }
            text.push_str(&item.json);
        }
        if let Some(last) = items.get(usize::try_from(PAGE).unwrap_or(usize::MAX) - 1) {
            return Ok(Some((text, DocumentPart { list, before: last.id, is_begun: true })));
        }
        let next = DocumentPart { list: list + 1, before: i64::MAX, is_begun: false };
        text.push_str(if next.list == LISTS.len() { "]}\n" } else { "]" });
        Ok(Some((text, next)))
    }
}
