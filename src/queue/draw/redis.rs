//! Runs the scripts of the draw.

use super::model::{Draw, Entrant};
use crate::queue::keyspaces::ScheduleScripts;
use crate::queue::model::Sequence;
use crate::store::StoreError;
use crate::store::script::{NOTHING, Script, ScriptError};

/// Reply of `queue/begin_draw`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BeginReply {
    /// The draw is closed.
    Begun {
        /// The last sequence before the opening.
        base: Sequence,
        /// How many numbers after `base` are reserved for drawn entries.
        room: u64,
        /// Position in the log. Once the log is archived up to here, so is every entrant.
        mark: String,
    },
    /// The queue is in drawn order.
    Done,
    /// The sale has not opened, or old tickets are still awaited after a loss.
    NotYet,
}

/// Runs `queue/begin_draw`.
pub async fn begin_draw(scripts: &ScheduleScripts) -> Result<BeginReply, ScriptError> {
    let reply = scripts.run(Script::BeginDraw, NOTHING).await?;
    Ok(match reply.word.as_str() {
        "OK" => BeginReply::Begun {
            base: Sequence(reply.get(0)?),
            room: reply.get(1)?,
            mark: reply.get(2)?,
        },
        "DONE" => BeginReply::Done,
        "EARLY" | "PAUSED" => BeginReply::NotYet,
        _ => return Err(reply.unknown().into()),
    })
}

/// Runs `queue/move_drawn` for the entrants behind the first `moved` of the drawn order. Returns how
/// many are moved now, from the first on; `None` if the draw is over.
pub async fn move_drawn(
    scripts: &ScheduleScripts,
    moved: usize,
    entrants: &[Entrant],
) -> Result<Option<usize>, ScriptError> {
    let entrants: Vec<_> = entrants.iter().map(|it| (it.user.0, it.joined.0)).collect();
    let reply = scripts.run(Script::MoveDrawn, (moved + 1, entrants)).await?;
    match reply.word.as_str() {
        "OK" => Ok(Some(reply.get(0)?)),
        "DONE" => Ok(None),
        _ => Err(reply.unknown().into()),
    }
}

/// Runs `queue/finish_draw`; false if it must be called again.
pub async fn finish_draw(scripts: &ScheduleScripts) -> Result<bool, ScriptError> {
    Ok(scripts.run(Script::FinishDraw, NOTHING).await?.word == "OK")
}

/// Loads the progress of the draw, during a rebuild.
pub async fn load_draw(scripts: &ScheduleScripts, draw: &Draw) -> Result<(), StoreError> {
    let mut pipe = redis::pipe();
    pipe.cmd("HSET").arg(scripts.keyspace.keys.meta());
    pipe.arg("draw_base").arg(draw.base.0).arg("draw_room").arg(draw.room);
    pipe.arg("drawn").arg(u8::from(draw.moved)).ignore();
    scripts.redis.bulk_pipe(&pipe).await
}
