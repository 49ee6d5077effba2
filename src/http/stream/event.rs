//! Events as they travel: `text/event-stream`.

use std::fmt::Display;
use std::io::Write;

use serde::Serialize;

/// What every stream begins with: after how many milliseconds a client that lost it comes back.
pub const RETRY: &[u8] = b"retry: 3000\n\n";
/// A comment: says that the stream lives, to the client and to every proxy on the way.
pub const BEAT: &[u8] = b":\n\n";
/// What was told last may be old: a store does not answer. The next event of any other name ends
/// it. Its id is empty, so that whoever comes back after it is told everything.
pub const STALE: &[u8] = b"event: stale\nid\ndata: {}\n\n";

/// Appends an event whose data is `body` as JSON, which has no line breaks of its own.
pub fn write(out: &mut Vec<u8>, name: &str, id: impl Display, body: &impl Serialize) {
    let begun = out.len();
    let written = write!(out, "event: {name}\nid: {id}\ndata: ")
        .map_err(serde_json::Error::io)
        .and_then(|()| serde_json::to_writer(&mut *out, body));
    if let Err(error) = written {
        tracing::error!(%error, name, "an event could not be written");
        out.truncate(begun);
        return;
    }
    out.extend_from_slice(b"\n\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_a_name_an_id_and_one_line_of_json() {
        let mut out = BEAT.to_vec();
        write(&mut out, "ticket", 7, &serde_json::json!({"message": "a\nb\r"}));
        let text = String::from_utf8(out).unwrap();
        let wanted = ":\n\nevent: ticket\nid: 7\ndata: {\"message\":\"a\\nb\\r\"}\n\n";
        assert_eq!(text, wanted);
    }
}
