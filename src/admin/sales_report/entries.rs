//! The list of all queue entries of a sale as CSV (RFC 4180), one entry per line.

use std::fmt::Write;

use super::csv::time;
use super::pg::pages::Entry;

/// The first line.
pub const HEAD: &str = "sequence,ticket_id,user_id,status,joined_at,admitted_at,ended_at\r\n";
/// About the length of one line.
const LINE: usize = 130;

/// Renders the lines of a page. No cell needs quotes: they have numbers, ids, times, and the words
/// of the status.
#[must_use]
pub fn render(page: &[Entry]) -> String {
    let mut text = String::with_capacity(page.len() * LINE);
    for entry in page {
        let Entry { sequence, token, user_id, status, created_at, entered_at, expired_at } = entry;
        let (joined, admitted) = (time(*created_at), entered_at.map(time).unwrap_or_default());
        let ended = expired_at.map(time).unwrap_or_default();
        // Writing to a string does not fail.
        let _ =
            write!(text, "{sequence},{token},{user_id},{status},{joined},{admitted},{ended}\r\n");
    }
    text
}
