//! The latest version of a map as events, one for each version that followers come from.

use std::collections::HashMap;
use std::sync::Arc;

use serde::Serialize;

use crate::board::seats::SeatStates;
use crate::concert::map::{MapVersion, changes};
use crate::concert::model::Layout;
use crate::http::stream::event;
use crate::http::stream::socket::Event;

/// Events kept: mostly there is one, and those who come back after a while need others.
const KEPT: usize = 64;

/// What a client has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Since {
    /// The map of this moment, whichever that is.
    Now,
    /// A version.
    Version(MapVersion),
    /// Something that is no version of ours.
    Unknown,
}

/// The latest map, and the events that lead to it.
#[derive(Debug, Default)]
pub(super) struct Latest {
    pub layout: Option<Arc<Layout>>,
    states: Option<Arc<SeatStates>>,
    events: HashMap<Since, Event>,
    /// What the events lead to.
    told: Option<MapVersion>,
}

/// What was missed is not known any more: the map is to be loaded anew.
#[derive(Serialize)]
struct Reload {
    version: String,
}

impl Latest {
    /// Takes over the states of a board.
    pub fn is(&mut self, states: &Arc<SeatStates>) {
        self.states = Some(Arc::clone(states));
        if self.told != self.version() {
            self.told = self.version();
            self.events.clear();
        }
    }

    /// Nothing before anything is known.
    pub fn version(&self) -> Option<MapVersion> {
        let (layout, states) = (self.layout.as_ref()?, self.states.as_ref()?);
        Some(MapVersion { seats: states.version, layout: layout.version })
    }

    /// The event that leads from what a client has to `version`, which is the latest.
    pub fn since(&mut self, has: Since, version: MapVersion) -> Event {
        if let Some(event) = self.events.get(&has) {
            return event.clone();
        }
        let event = self.write(has, version);
        if self.events.len() < KEPT {
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
