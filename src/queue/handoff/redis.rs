//! Runs the script that lets a code be used once.

use crate::queue::keyspaces::Line;
use crate::queue::ticket::short_code::Code;
use crate::store::script::{Script, ScriptError};

/// What `queue/handoff` answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HandedOff {
    /// It is the code's first use.
    First,
    /// It was used before.
    Used,
    /// It has expired, or is of before a loss.
    Over,
}

impl Line {
    /// `queue/handoff`.
    pub(super) async fn hand_off(&self, code: &Code) -> Result<HandedOff, ScriptError> {
        let keys = self.place.keys.several(&["meta", "handed"]);
        let (id, until) = (code.id.to_string(), code.expires_at.timestamp_millis());
        let args = (self.place.keys.epoch(), id, until, code.epoch);
        let reply = self.place.run(&self.redis, Script::HandOff, &keys, args).await?;
        match reply.word.as_str() {
            "OK" => Ok(HandedOff::First),
            "USED" => Ok(HandedOff::Used),
            "OVER" => Ok(HandedOff::Over),
            _ => Err(reply.unknown().into()),
        }
    }
}
