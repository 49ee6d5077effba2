//! The faults of a run and their times, which the seed determines before the run begins.

use std::time::Duration;

use crate::dice::Dice;

/// A kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// FLUSHALL.
    RedisWiped,
    /// SIGKILL, and a start without data.
    RedisEmpty,
    /// SIGKILL, and a start with a snapshot that is up to 2 s old.
    RedisOlder,
    /// SIGKILL, and a start with a snapshot of the time of the kill.
    RedisRestarted,
    /// SIGSTOP.
    RedisPaused,
    /// `maxmemory` below the memory in use.
    RedisFull,
    /// SIGKILL of one primary of a cluster, and a start once its replica has been promoted.
    NodeKilled,
    /// SIGSTOP of one primary of a cluster; a long one makes its replica take over.
    NodePaused,
    /// One process cannot connect to Redis.
    RedisCut,
    /// Bytes between one process and Redis are held back in one direction.
    RedisHole,
    /// A fifth of Redis's answers to one process end the connection instead.
    RedisAnswersLost,
    /// SIGKILL of the postmaster and every backend.
    PostgresKilled,
    /// SIGKILL of one backend: PostgreSQL ends all sessions and recovers.
    BackendKilled,
    /// SIGSTOP of all PostgreSQL processes.
    PostgresPaused,
    /// No file of PostgreSQL can grow: it panics, and recovers only after a start with space.
    DiskFull,
    PostgresCut,
    PostgresHole,
    PostgresAnswersLost,
    /// The connections of one process to the stores are 50 to 200 ms slower in each direction.
    StoresSlow,
    /// SIGKILL of a process.
    OnsaleKilled,
    /// SIGTERM of a process.
    OnsaleDrained,
    /// SIGSTOP of a process.
    OnsalePaused,
    /// No client can connect to one process.
    ClientsCut,
}

/// All kinds.
const KINDS: [Kind; 23] = [
    Kind::RedisWiped,
    Kind::RedisEmpty,
    Kind::RedisOlder,
    Kind::RedisRestarted,
    Kind::RedisPaused,
    Kind::RedisFull,
    Kind::NodeKilled,
    Kind::NodePaused,
    Kind::RedisCut,
    Kind::RedisHole,
    Kind::RedisAnswersLost,
    Kind::PostgresKilled,
    Kind::BackendKilled,
    Kind::PostgresPaused,
    Kind::DiskFull,
    Kind::PostgresCut,
    Kind::PostgresHole,
    Kind::PostgresAnswersLost,
    Kind::StoresSlow,
    Kind::OnsaleKilled,
    Kind::OnsaleDrained,
    Kind::OnsalePaused,
    Kind::ClientsCut,
];

/// The kinds that are possible with one Redis server, or with a cluster.
pub fn kinds(cluster: bool) -> Vec<Kind> {
    KINDS.into_iter().filter(|kind| kind.fits(cluster)).collect()
}

impl Kind {
    /// The nodes of a cluster announce their own addresses, so that no proxy can be in front of
    /// them; and a single Redis server has no node to be replaced.
    fn fits(self, cluster: bool) -> bool {
        match self {
            Self::RedisPaused | Self::RedisCut | Self::RedisHole | Self::RedisAnswersLost => {
                !cluster
            }
            Self::NodeKilled | Self::NodePaused => cluster,
            _ => true,
        }
    }

    /// Whether Redis counts as lost afterwards, or may: the queue is rebuilt, and admission pauses.
    pub fn is_loss(self) -> bool {
        matches!(
            self,
            Self::RedisWiped
                | Self::RedisEmpty
                | Self::RedisOlder
                | Self::RedisRestarted
                | Self::NodeKilled
                | Self::NodePaused
        )
    }
}

/// One fault to come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub kind: Kind,
    /// Which of the two processes, if the kind concerns one.
    pub process: usize,
    /// How long it lasts.
    pub lasts: Duration,
    /// Pause before the next fault.
    pub calm: Duration,
    /// A number for further choices.
    pub choice: u64,
}

/// An endless sequence of faults. Each round has every kind once, in an order that the seed
/// determines. The losses of Redis follow each other: otherwise admission would pause all the time.
pub struct Plan {
    dice: Dice,
    kinds: Vec<Kind>,
    round: Vec<Kind>,
}

impl Plan {
    pub fn new(seed: u64, kinds: &[Kind]) -> Self {
        let dice = Dice::new(seed).fork(1);
        Self { dice, kinds: kinds.to_vec(), round: Vec::new() }
    }

    fn deal(&mut self) {
        let (mut losses, mut others): (Vec<_>, Vec<_>) =
            self.kinds.iter().copied().partition(|kind| kind.is_loss());
        self.dice.shuffle(&mut losses);
        self.dice.shuffle(&mut others);
        let at = self.dice.index(others.len() + 1);
        others.splice(at..at, losses);
        self.round = others;
    }
}

impl Iterator for Plan {
    type Item = Fault;

    fn next(&mut self) -> Option<Fault> {
        if self.round.is_empty() {
            self.deal();
        }
        let kind = self.round.pop()?;
        // 16 of 100 may last up to 4 s: longer than every time limit of the service.
        let longest = if self.dice.percent(16) { 4000 } else { 1500 };
        Some(Fault {
            kind,
            process: self.dice.index(2),
            lasts: Duration::from_millis(self.dice.between(400, longest)),
            calm: Duration::from_millis(self.dice.between(300, 1200)),
            choice: self.dice.next(),
        })
    }
}

#[test]
fn a_seed_decides_the_faults_and_every_round_has_each_kind() {
    for kinds in [kinds(false), kinds(true)] {
        let dealt = |seed| Plan::new(seed, &kinds).take(3 * kinds.len()).collect::<Vec<_>>();
        assert_eq!(dealt(7), dealt(7));
        assert_ne!(dealt(7), dealt(8));
        for round in dealt(7).chunks(kinds.len()) {
            let mut dealt: Vec<_> = round.iter().map(|fault| fault.kind).collect();
            dealt.sort_unstable();
            assert_eq!(dealt, kinds);
        }
    }
}
