//! An organiser's own waiting page and its files, from a folder (`ONSALE_THEME`).
//!
//! `wait.html` is for every schedule, `wait.<schedule id>.html` for one. docs/PAGES.md lists the
//! slots.

use std::collections::HashMap;
use std::path::Path as FilePath;
use std::sync::Arc;

use axum::body::Bytes;
use chrono::{DateTime, Utc};

use super::visit::Visit;
use crate::store::id::ScheduleId;

/// Maximum size of a file, in bytes; larger files are ignored.
const LARGEST: u64 = 2 * 1024 * 1024;

/// What a waiting page must contain: without these a user could not join, see the position, go to
/// the seats, or leave.
const NEEDED: [&str; 5] = [
    "data-do=\"join\"",
    "data-slot=\"place\"",
    "data-do=\"leave\"",
    "data-do=\"seats\"",
    "data-when=\"active\"",
];

/// File endings that are served beside the page, with their content types.
const KINDS: [(&str, &str); 6] = [
    ("css", "text/css; charset=utf-8"),
    ("svg", "image/svg+xml"),
    ("png", "image/png"),
    ("jpg", "image/jpeg"),
    ("webp", "image/webp"),
    ("js", "text/javascript; charset=utf-8"),
];

/// Why a folder cannot be used as a theme.
#[derive(Debug, thiserror::Error)]
pub enum ThemeError {
    /// The folder or a file cannot be read.
    #[error("{0}: {1}")]
    Read(String, std::io::Error),
    /// A page lacks a required part, or has an unknown slot.
    #[error("{0}: {1}")]
    Page(String, String),
}

/// The pages and files of an organiser; cheap to clone. The default has none.
#[derive(Debug, Clone, Default)]
pub struct Theme(Arc<Parts>);

#[derive(Debug, Default)]
struct Parts {
    /// The page for every schedule without its own.
    default_page: Option<String>,
    /// Pages for single schedules.
    own: HashMap<ScheduleId, String>,
    files: HashMap<String, (&'static str, Bytes)>,
}

/// The values for the slots of a page.
#[derive(Debug)]
pub struct Slots<'s> {
    /// The concert's title.
    pub title: &'s str,
    /// The concert's description.
    pub description: &'s str,
    /// When the concert begins; `None` while the stores do not answer.
    pub when: Option<DateTime<Utc>>,
    /// The schedule.
    pub schedule: ScheduleId,
    /// The request for the page, with the reader's language.
    pub visit: &'s Visit,
}

impl Slots<'_> {
    /// The value of a slot, as text; `None` if the slot is unknown.
    fn get(&self, name: &str) -> Option<String> {
        Some(match name {
            "title" => self.title.to_owned(),
            "description" => self.description.to_owned(),
            "when" => self.when.map(|when| self.visit.lang.time(when)).unwrap_or_default(),
            "when_iso" => self.when.map(|when| when.to_rfc3339()).unwrap_or_default(),
            "schedule_id" => self.schedule.to_string(),
            "lang" => self.visit.lang.tag().to_owned(),
            text => self.visit.find(text.strip_prefix("t:")?)?.to_owned(),
        })
    }
}

/// Whether a slot with this name exists. Text slots (`t:`) are accepted with every key, because
/// their texts depend on the language.
fn is_slot(name: &str) -> bool {
    let names = ["title", "description", "when", "when_iso", "schedule_id", "lang"];
    names.contains(&name) || name.starts_with("t:")
}

impl Theme {
    /// A file of the theme, with its content type.
    #[must_use]
    pub fn file(&self, name: &str) -> Option<(&'static str, Bytes)> {
        self.0.files.get(name).cloned()
    }

    /// Reads a folder.
    ///
    /// # Errors
    /// [`ThemeError`] names the file and its fault.
    pub fn read(folder: &FilePath) -> Result<Self, ThemeError> {
        let mut parts = Parts::default();
        let failed = |path: &FilePath| {
            let path = path.display().to_string();
            move |error| ThemeError::Read(path, error)
        };
        for entry in std::fs::read_dir(folder).map_err(failed(folder))? {
            let path = entry.map_err(failed(folder))?.path();
            let size = std::fs::metadata(&path).map_err(failed(&path))?;
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if !size.is_file() || size.len() > LARGEST {
                continue;
            }
            let data = std::fs::read(&path).map_err(failed(&path))?;
            parts.add(name, data)?;
        }
        Ok(Self(Arc::new(parts)))
    }

    /// The organiser's waiting page for a schedule, with its slots filled; `None` if the schedule
    /// uses the built-in page.
    #[must_use]
    pub fn waiting_page(&self, slots: &Slots<'_>) -> Option<String> {
        let page = self.0.own.get(&slots.schedule).or(self.0.default_page.as_ref())?;
        Some(fill(page, |name| slots.get(name)))
    }
}

impl Parts {
    fn add(&mut self, name: String, data: Vec<u8>) -> Result<(), ThemeError> {
        let schedule = name.strip_prefix("wait.").and_then(|rest| rest.strip_suffix(".html"));
        if name == "wait.html" || schedule.is_some() {
            let wrong = |what: &str| ThemeError::Page(name.clone(), what.to_owned());
            let page = String::from_utf8(data).map_err(|_| wrong("it is not UTF-8"))?;
            if let Some(missing) = NEEDED.into_iter().find(|needed| !page.contains(needed)) {
                return Err(wrong(&format!("it has no {missing}")));
            }
            let mut unknown = None;
            fill(&page, |slot| {
                unknown = unknown.take().or_else(|| (!is_slot(slot)).then(|| slot.to_owned()));
                None
            });
            if let Some(slot) = unknown {
                return Err(wrong(&format!("there is no slot {slot}")));
            }
            match schedule {
                None => self.default_page = Some(page),
                Some(id) => {
                    let id = id.parse().map_err(|_| wrong("it names no schedule"))?;
                    self.own.insert(ScheduleId(id), page);
                }
            }
            return Ok(());
        }
        let ending = name.rsplit('.').next().unwrap_or_default();
        if let Some((_, kind)) = KINDS.iter().find(|(served, _)| *served == ending) {
            self.files.insert(name, (*kind, Bytes::from(data)));
        }
        Ok(())
    }
}

/// Replaces each `{{ name }}` by its value. Values are escaped: they cannot become an element or
/// end an attribute.
fn fill(page: &str, mut slot: impl FnMut(&str) -> Option<String>) -> String {
    let mut filled = String::with_capacity(page.len());
    let mut rest = page;
    while let Some((before, after)) = rest.split_once("{{") {
        filled.push_str(before);
        let Some((name, after)) = after.split_once("}}") else {
            rest = after;
            continue;
        };
        filled.push_str(&escape(&slot(name.trim()).unwrap_or_default()));
        rest = after;
    }
    filled.push_str(rest);
    filled
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(extra: &str) -> Vec<u8> {
        format!("{}{extra}", NEEDED.join("\n")).into_bytes()
    }

    #[test]
    fn the_value_of_a_slot_stays_text() {
        let slot = |name: &str| (name == "title").then(|| "</h1><script>'&\"".to_owned());
        let filled = fill("<h1 a=\"{{ title }}\">{{title}}</h1>{{gone}}{{", slot);
        let safe = "&lt;/h1&gt;&lt;script&gt;&#39;&amp;&quot;";
        assert_eq!(filled, format!("<h1 a=\"{safe}\">{safe}</h1>"));
    }

    #[test]
    fn a_page_without_a_required_part_is_refused_at_the_start() {
        let mut parts = Parts::default();
        parts.add("wait.html".to_owned(), page("{{ title }} {{ t:wait.join }}")).unwrap();
        parts.add("wait.7.html".to_owned(), page("")).unwrap();
        assert!(parts.default_page.is_some() && parts.own.contains_key(&ScheduleId(7)));
        for (name, data) in [
            ("wait.html", b"<h1>{{title}}</h1>".to_vec()),
            ("wait.html", page("{{ secret }}")),
            ("wait.x.html", page("")),
            ("wait.html", vec![0xff]),
        ] {
            assert!(parts.add(name.to_owned(), data).is_err(), "{name}");
        }
    }

    #[test]
    fn files_of_known_types_are_served_and_no_others() {
        let mut parts = Parts::default();
        for name in ["style.css", "logo.svg", "notes.txt", "key.pem"] {
            parts.add(name.to_owned(), b"x".to_vec()).unwrap();
        }
        let mut names: Vec<_> = parts.files.keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["logo.svg", "style.css"]);
    }
}
