//! Joins in batches.

use super::BatchedCall;
use crate::queue::join::reply::JoinReply;
use crate::queue::keyspaces::{Keyspaces, ScheduleScripts};
use crate::store::StoreError;
use crate::store::id::{ScheduleId, UserId};

/// `queue/join` and `queue/join_many`.
#[derive(Debug, Clone)]
pub struct JoinCalls(pub Keyspaces);

/// A user who joins.
#[derive(Debug, Clone, Copy)]
pub struct Joining {
    /// The user.
    pub user: UserId,
    /// After a loss of Redis the first try creates no entry ([`JoinReply::Unknown`]), because
    /// PostgreSQL may have the user's.
    pub first_try: bool,
}

impl Joining {
    /// The arguments of the scripts: the user, and whether no entry is created.
    fn args(self, scripts: &ScheduleScripts) -> (UserId, bool) {
        (self.user, self.first_try && scripts.keyspace.keys.epoch() > 1)
    }
}

impl BatchedCall for JoinCalls {
    type Item = Joining;
    type Reply = JoinReply;

    async fn one(&self, schedule: ScheduleId, item: Joining) -> Result<JoinReply, StoreError> {
        let join = |scripts: ScheduleScripts| async move {
            let (user, ask) = item.args(&scripts);
            scripts.join(user, ask).await
        };
        self.0.run(schedule, join).await
    }

    async fn many(
        &self,
        schedule: ScheduleId,
        items: &[Joining],
    ) -> Result<Vec<Option<JoinReply>>, StoreError> {
        let join = |scripts: ScheduleScripts| async move {
            let users: Vec<_> = items.iter().map(|item| item.args(&scripts)).collect();
            scripts.join_many(&users).await
        };
        self.0.run(schedule, join).await
    }
}
