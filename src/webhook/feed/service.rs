//! Reads the feed, and turns it on and off.

use super::model::{FeedEvent, FeedPage, FeedQuery, FeedState};
use crate::pagination::{decode_id, encode_id};
use crate::store::id::UserId;
use crate::store::pg::Pg;
use crate::webhook::error::WebhookError;
use crate::webhook::pg::event::{Bounds, Placed};
use crate::webhook::pg::{self, Recording, event};
use crate::webhook::service::set_feed;

/// The feed; cheap to clone.
#[derive(Debug, Clone)]
pub struct Feed {
    pg: Pg,
}

impl Feed {
    /// Creates the service.
    #[must_use]
    pub fn new(pg: Pg) -> Self {
        Self { pg }
    }

    /// Reads whether the feed is on.
    pub async fn state(&self) -> Result<FeedState, WebhookError> {
        Ok(state(pg::recording(&self.pg).await?))
    }

    /// Turns the feed on or off.
    pub async fn set(&self, admin: UserId, on: bool) -> Result<FeedState, WebhookError> {
        Ok(state(set_feed(&self.pg, admin, on).await?))
    }

    /// Reads events after a cursor. Positions are given after the commit, in the order of the feed,
    /// so an event never appears before one that was read earlier.
    pub async fn read(&self, query: &FeedQuery) -> Result<FeedPage, WebhookError> {
        let wrong = WebhookError::Invalid { pointer: "/after", detail: "must be a next_after" };
        let after = match &query.after {
            Some(text) => Some(decode_id(text).filter(|id| *id >= 0).ok_or(wrong)?),
            None => None,
        };
        if !pg::recording(&self.pg).await?.feed {
            return Err(WebhookError::FeedOff);
        }
        let after = match after {
            Some(after) => after,
            None => event::bounds(&self.pg).await?.oldest_after,
        };
        let limit = usize::from(query.limit);
        let mut rows = event::after(&self.pg, after, i64::from(query.limit) + 1).await?;
        // Read after the events, so that a purge in between is noticed. A cursor beyond the last
        // position is from before a loss of events, and other events have its positions now.
        let Bounds { oldest_after, last } = event::bounds(&self.pg).await?;
        if !(oldest_after..=last).contains(&after) {
            return Err(WebhookError::EventsExpired { oldest_after: encode_id(oldest_after) });
        }
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().map_or(after, |row| row.position);
        let items = rows.into_iter().filter(|row| !row.is_test).map(shown).collect();
        Ok(FeedPage { items, next_after: encode_id(next), has_more })
    }
}

fn shown(row: Placed) -> FeedEvent {
    let Placed { id, event_type, occurred_at, data, .. } = row;
    FeedEvent { id, event_type, timestamp: occurred_at, data }
}

fn state(recording: Recording) -> FeedState {
    FeedState { enabled: recording.feed, recorded_since: recording.since }
}
