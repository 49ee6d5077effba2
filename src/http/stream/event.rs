//! Writes events in the format `text/event-stream`, once for all clients of a topic.
//!
//! This replaces axum's `Sse` on the buyers' streams: tens of thousands of sockets share one buffer,
//! which axum's `Event` cannot. Few clients: [`super::response`].

use std::fmt::Display;
use std::io::Write;
use std::time::Duration;

use serde::Serialize;

/// How long a client that loses its stream waits before it reconnects.
pub const RETRY_AFTER: Duration = Duration::from_secs(3);
/// First bytes of every stream: [`RETRY_AFTER`] in ms.
pub const RETRY: &[u8] = b"retry: 3000\n\n";
/// A stream without an event for this long gets a comment. Streams are checked once per second, so
/// the comment is sent within the promised 15 s.
pub const QUIET: Duration = Duration::from_secs(12);
/// A comment, which shows the client and every proxy on the way that the stream is alive.
pub const BEAT: &[u8] = b":\n\n";
/// Event `stale`: the data of the last event may be old, because a store does not answer. The next
/// event with another name ends this state. Its id is empty, so that a client that reconnects after
/// it gets all data again.
pub const STALE: &[u8] = b"event: stale\nid\ndata: {}\n\n";

/// Appends an event whose data is `body` as JSON, which has no line breaks of its own.
pub fn write(out: &mut Vec<u8>, name: &str, id: impl Display, body: &impl Serialize) {
    let length_before = out.len();
    let written = write!(out, "event: {name}\nid: {id}\ndata: ")
        .map_err(serde_json::Error::io)
        .and_then(|()| serde_json::to_writer(&mut *out, body));
    if let Err(error) = written {
        tracing::error!(%error, name, "an event could not be written");
        out.truncate(length_before);
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
        let expected = ":\n\nevent: ticket\nid: 7\ndata: {\"message\":\"a\\nb\\r\"}\n\n";
        assert_eq!(text, expected);
    }
}
