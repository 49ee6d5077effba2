//! The parts of a process without its loops, so that a test drives their steps itself.

use onsale::board::service::Boards;
use onsale::concert::service::Catalogue;
use onsale::outbox::model::Delivered;
use onsale::queue::admission_loop::AdmissionLoop;
use onsale::queue::draw::service::Draws;
use onsale::queue::keyspaces::Keyspaces;
use onsale::queue::live_schedules::LiveSchedules;
use onsale::queue::presence_loop::PresenceLoop;
use onsale::seats;
use onsale::store::pg::Pg;
use onsale::store::redis::Redis;
use onsale::telemetry::Metrics;
use onsale::upkeep::recover::Recovery;

use super::world::World;

/// The services of one process.
pub struct Parts {
    pub boards: Boards,
    pub keyspaces: Keyspaces,
    pub admission: AdmissionLoop,
    pub presence: PresenceLoop,
    pub recovery: Recovery,
}

impl Parts {
    /// The services of one more process, which uses PostgreSQL through `pg`.
    pub fn of(world: &World, pg: &Pg) -> Self {
        let redis = Redis::lazy(&world.redis_url).expect("an address");
        let boards = Boards::new(redis.clone(), 30_000);
        let catalogue = Catalogue::new(pg.clone(), boards.clone());
        let (delivered, _) = Delivered::channel();
        let (keyspaces, _) =
            Keyspaces::new(redis.clone(), pg.clone(), catalogue.clone(), delivered);
        let draws = Draws::new(pg.clone(), catalogue.clone(), keyspaces.clone());
        let live = LiveSchedules::new(pg.clone(), keyspaces.clone());
        let recovery =
            Recovery::new(pg.clone(), redis, catalogue, keyspaces.clone(), draws.clone());
        let presence = PresenceLoop::new(keyspaces.clone(), draws, boards.clone());
        let admission = AdmissionLoop::new(
            keyspaces.clone(),
            presence.clone(),
            live,
            |scripts| Box::pin(async move { seats::redis::sweep(&scripts).await }),
            Metrics::new(),
        );
        Self { boards, keyspaces, admission, presence, recovery }
    }
}
