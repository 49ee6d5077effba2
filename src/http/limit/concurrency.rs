//! How many requests of a route are in progress at a time: as many as are answered in time.
//!
//! A process that takes on more than it can do answers everybody late. So each route begins with
//! little room, which grows by one with each answer that is quick: it doubles in the time that an
//! answer takes, until answers take a quarter of the time that they may (slow start, RFC 5681). From
//! then on it grows by a sixteenth in each window that went well. Where more than a tenth of the
//! answers were late, the route is given as many places as it empties in a quarter of the time that an
//! answer may take (Little's law). Late is what takes half of that time: what comes after it takes
//! longer still, and a longer queue empties no faster. Room that is not used does not grow. What finds
//! no place is refused at once, which costs next to nothing. Each route by itself: a store that is
//! slow for one must not close the others.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;

/// A route has room for so many whatever happens: enough for what is not a rush.
const FLOOR: usize = 64;

/// And for so many at first.
const START: usize = 256;

/// How long answers are counted before it is decided anew.
const WINDOW: Duration = Duration::from_millis(250);

/// One answer in so many may be late.
const LATE: usize = 10;

/// The room of every route.
#[derive(Debug)]
pub struct Depths {
    rules: Rules,
    routes: ArcSwap<HashMap<(String, String), Arc<Depth>>>,
}

#[derive(Debug, Clone, Copy)]
struct Rules {
    most: usize,
    target: Duration,
}

/// The room of one route.
#[derive(Debug)]
struct Depth {
    rules: Rules,
    running: AtomicUsize,
    room: AtomicUsize,
    window: Mutex<Window>,
}

/// What is counted until it is decided anew.
#[derive(Debug, Clone, Copy)]
struct Window {
    begun: Instant,
    done: usize,
    late: usize,
    /// The most that were in progress.
    most: usize,
    /// Everything was quick since there was nothing in progress.
    starting: bool,
}

/// A place among the requests in progress, until it is dropped.
#[derive(Debug)]
pub struct Place {
    depth: Arc<Depth>,
    begun: Instant,
}

impl Depths {
    /// At most `most` of a route, and fewer where answers take longer than `target`.
    #[must_use]
    pub fn new(most: usize, target: Duration) -> Self {
        Self { rules: Rules { most, target }, routes: ArcSwap::default() }
    }

    /// A place for a request of a route (its pattern and method); none where it has no room.
    #[must_use]
    pub fn enter(&self, route: &str, method: &str) -> Option<Place> {
        let known = self.routes.load();
        // A key of borrowed parts cannot be looked up in a map of owned ones; routes are few.
        let of = |(known, with): &(String, String)| known == route && with == method;
        let found = known.iter().find(|(key, _)| of(key)).map(|(_, depth)| Arc::clone(depth));
        let depth = found.unwrap_or_else(|| self.add(route, method));
        let before = depth.running.fetch_add(1, Ordering::AcqRel);
        if before >= depth.room.load(Ordering::Relaxed) {
            depth.running.fetch_sub(1, Ordering::AcqRel);
            return None;
        }
        Some(Place { depth, begun: Instant::now() })
    }

    fn add(&self, route: &str, method: &str) -> Arc<Depth> {
        let key = (route.to_owned(), method.to_owned());
        let new = Arc::new(Depth::new(self.rules));
        self.routes.rcu(|known| {
            let mut known = HashMap::clone(known);
            known.entry(key.clone()).or_insert_with(|| Arc::clone(&new));
            known
        });
        self.routes.load().get(&key).map_or(new, Arc::clone)
    }
}

impl Depth {
    fn new(rules: Rules) -> Self {
        let window = Window::new(Instant::now(), true);
        Self {
            rules,
            running: AtomicUsize::new(0),
            room: AtomicUsize::new(START.min(rules.most)),
            window: Mutex::new(window),
        }
    }

    fn left(&self, begun: Instant, now: Instant) {
        let still = self.running.fetch_sub(1, Ordering::AcqRel) - 1;
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        let (took, may) = (now.saturating_duration_since(begun), self.rules.target);
        window.done += 1;
        window.late += usize::from(took > may / 2);
        window.most = window.most.max(still + 1);
        window.starting &= took <= may / 4;
        let room = self.room.load(Ordering::Relaxed);
        if window.starting && 2 * (still + 1) >= room {
            self.room.store((room + 1).min(self.rules.most), Ordering::Relaxed);
        }
        let span = now.saturating_duration_since(window.begun);
        if still > 0 && span < WINDOW {
            return;
        }
        let badly = window.went_badly();
        if badly || span >= WINDOW {
            let room = self.room.load(Ordering::Relaxed);
            self.room.store(self.rules.room(room, &window, span), Ordering::Relaxed);
        }
        // Once nothing is in progress, whatever it was is over.
        *window = Window::new(now, still == 0 || (window.starting && !badly));
    }
}

impl Window {
    fn new(begun: Instant, starting: bool) -> Self {
        Self { begun, done: 0, late: 0, most: 0, starting }
    }

    fn went_badly(&self) -> bool {
        self.late * LATE > self.done
    }
}

impl Rules {
    /// The room after a window of this length.
    fn room(&self, room: usize, window: &Window, span: Duration) -> usize {
        if !window.went_badly() {
            let used = 2 * window.most >= room;
            return if used { (room + room / 16 + 1).min(self.most) } else { room };
        }
        let in_time = window.done as u128 * (self.target.as_millis() / 4) / span.as_millis().max(1);
        let in_time = usize::try_from(in_time).unwrap_or(usize::MAX);
        in_time.max(FLOOR).min(room)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.depth.left(self.begun, Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: Rules = Rules { most: 4_096, target: Duration::from_millis(500) };

    fn after(room: usize, done: usize, late: usize, millis: u64) -> usize {
        let window = Window { done, late, most: room, ..Window::new(Instant::now(), false) };
        RULES.room(room, &window, Duration::from_millis(millis))
    }

    #[test]
    fn the_room_is_what_is_emptied_in_a_quarter_of_the_time_and_grows_while_all_goes_well() {
        // 2,000 a second, 125 ms each.
        assert_eq!(after(4_096, 500, 51, 250), 250);
        assert_eq!(after(4_096, 500, 50, 250), 4_096);
        assert_eq!(after(800, 500, 0, 250), 851);
        assert_eq!(after(4_096, 10, 10, 1_000), FLOOR, "never below the floor");
        assert_eq!(after(200, 500, 500, 250), 200, "lateness is no reason for more");
    }

    /// Fills a route and empties it again, each answer after so long.
    fn answered(depths: &Depths, took: Duration) -> usize {
        let mut places: Vec<_> = std::iter::from_fn(|| depths.enter("/slow", "POST")).collect();
        let before =
            |at: Instant| at.checked_sub(took).expect("a machine that has run for a while");
        for place in &mut places {
            place.begun = before(place.begun);
        }
        let mut window = places[0].depth.window.lock().expect("nobody panicked");
        window.begun = before(window.begun);
        drop(window);
        places.len()
    }

    #[test]
    fn a_route_begins_with_little_room_doubles_it_while_all_is_in_time_and_loses_it_where_late() {
        let depths = Depths::new(4_096, Duration::from_millis(500));
        let in_time = Duration::from_millis(1);
        assert_eq!(answered(&depths, in_time), START);
        // Only while it empties: under a steady load it doubles.
        let grown = answered(&depths, in_time);
        assert!((START + START / 4..=2 * START).contains(&grown), "{grown}");
        for _ in 0..12 {
            answered(&depths, in_time);
        }
        assert_eq!(answered(&depths, in_time), 4_096, "as much as there is");
        answered(&depths, Duration::from_secs(2));
        assert!(answered(&depths, in_time) < 4_096, "what was late costs room");
        assert!(depths.enter("/slow", "GET").is_some());
    }

    #[test]
    fn little_used_room_does_not_grow() {
        let window = Window { done: 500, most: 127, ..Window::new(Instant::now(), false) };
        assert_eq!(RULES.room(256, &window, WINDOW), 256);
        let depths = Depths::new(4_096, Duration::from_millis(500));
        for _ in 0..10_000 {
            drop(depths.enter("/slow", "POST"));
        }
        assert_eq!(answered(&depths, Duration::ZERO), START);
    }
}
