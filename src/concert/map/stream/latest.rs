//! The latest version of a seat map as events: one event for each version that a client may have.

use std::collections::HashMap;
use std::sync::Arc;

use serde::Serialize;

use crate::board::seats::SeatStates;
use crate::concert::layout::Layout;
use crate::concert::map::{MapVersion, changes};
use crate::http::stream::event;
use crate::http::stream::socket::Event;

/// Most events in memory. Usually one is enough; clients that reconnect may need others.
const MAX_EVENTS: usize = 64;

/// Version that a client has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Since {
    /// The current map, whatever its version is.
    Now,
    /// This version.
    Version(MapVersion),
    /// Something that is not a version.
    Unknown,
}

/// The latest map, and the events that bring clients to it.
#[derive(Debug, Default)]
pub(super) struct Latest {
    pub layout: Option<Arc<Layout>>,
    states: Option<Arc<SeatStates>>,
    events: HashMap<Since, Event>,
    /// The version that `events` lead to.
    events_version: Option<MapVersion>,
}

/// Event for a client whose missed changes are no longer known. It has to load the map again.
#[derive(Serialize)]
struct Reload {
    version: String,
}

impl Latest {
    /// Sets the states of a new board. Drops the events if the version changed.
    pub fn set_states(&mut self, states: &Arc<SeatStates>) {
        self.states = Some(Arc::clone(states));
        if self.events_version != self.version() {
            self.events_version = self.version();
            self.events.clear();
        }
    }

    /// Returns the version; `None` until layout and states are known.
    pub fn version(&self) -> Option<MapVersion> {
        let (layout, states) = (self.layout.as_ref()?, self.states.as_ref()?);
        Some(MapVersion { seats: states.version, layout: layout.version })
    }

    /// Returns the event that brings a client with `has` to `version`, which is the latest.
    pub fn event_since(&mut self, has: Since, version: MapVersion) -> Event {
        if let Some(event) = self.events.get(&has) {
            return event.clone();
        }
        let event = self.write(has, version);
        if self.events.len() < MAX_EVENTS {
            self.events.insert(has, event.clone());
        }
        event
    }

    fn write(&self, has: Since, version: MapVersion) -> Event {
        let since = match has {
            Since::Now => Some(version),
            Since::Version(since) => Some(since),
            Since::Unknown => None,
        };
        let (layout, states) = (self.layout.as_ref(), self.states.as_ref());
        let changed = layout.zip(states).zip(since);
        let mut out = Vec::new();
        let changed = changed.and_then(|((layout, states), since)| changes(layout, states, since));
        if let Some(changes) = changed {
            event::write(&mut out, "seats", version, &changes);
        } else {
            let reload = Reload { version: version.to_string() };
            event::write(&mut out, "reload", version, &reload);
        }
        out.into()
    }
}
