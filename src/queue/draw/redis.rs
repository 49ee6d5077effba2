//! Runs the scripts of the draw.

use super::model::{Draw, Placed};
use crate::queue::keyspaces::Line;
use crate::queue::model::Sequence;
use crate::store::StoreError;
use crate::store::script::{NOTHING, Script, ScriptError};

/// What `queue/draw_begin` answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BeginReply {
    /// It is shut.
    Begun {
        /// The last sequence of before the opening.
        base: Sequence,
        /// How many numbers after it are kept.
        room: u64,
        /// Once the log is written up to here, so is every entrant.
        mark: String,
    },
    /// The line stands in the order drawn.
    Done,
    /// Before the opening, or after a loss: later.
    NotYet,
}

impl Line {
    /// `queue/draw_begin`.
    pub async fn draw_begin(&self) -> Result<BeginReply, ScriptError> {
        let reply = self.run(Script::DrawBegin, NOTHING).await?;
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

    /// `queue/draw_move`; false where the draw is over.
    pub async fn draw_move(&self, entrants: &[Placed]) -> Result<bool, ScriptError> {
        let words = |one: &Placed| (one.user.0, one.joined.0, one.place);
        let args: Vec<_> = entrants.iter().map(words).collect();
        Ok(self.run(Script::DrawMove, &args).await?.word == "OK")
    }

    /// `queue/draw_end`; false where it is to be called again.
    pub async fn draw_end(&self) -> Result<bool, ScriptError> {
        Ok(self.run(Script::DrawEnd, NOTHING).await?.word == "OK")
    }

    /// Tells a Redis that is being rebuilt how far the draw was.
    pub async fn load_draw(&self, draw: &Draw) -> Result<(), StoreError> {
        let mut pipe = redis::pipe();
        pipe.cmd("HSET").arg(self.place.keys.meta());
        pipe.arg("draw_base").arg(draw.base.0).arg("draw_room").arg(draw.room);
        pipe.arg("drawn").arg(u8::from(draw.moved)).ignore();
        self.redis.bulk_pipe(&pipe).await
    }
}
