//! Runs the script that accepts a hand-off code once.

use crate::queue::keyspaces::ScheduleScripts;
use crate::queue::ticket::short_code::Code;
use crate::store::script::{Script, ScriptError};

/// Reply of `queue/redeem_handoff`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HandedOff {
    /// This is the code's first use.
    First,
    /// The code was used before.
    Used,
    /// The code has expired, or was made before a loss.
    Over,
}

/// Runs `queue/redeem_handoff`.
pub(super) async fn redeem(
    scripts: &ScheduleScripts,
    code: &Code,
) -> Result<HandedOff, ScriptError> {
    let keys = scripts.keyspace.keys.all_named(&["meta", "handed"]);
    let (id, until) = (code.id.to_string(), code.expires_at.timestamp_millis());
    let args = (scripts.keyspace.keys.epoch(), id, until, code.epoch);
    let reply = scripts.keyspace.run(&scripts.redis, Script::RedeemHandOff, &keys, args).await?;
    match reply.word.as_str() {
        "OK" => Ok(HandedOff::First),
        "USED" => Ok(HandedOff::Used),
        "OVER" => Ok(HandedOff::Over),
        _ => Err(reply.unknown().into()),
    }
}
