//! Writes the record of this process to Redis while it runs, for `onsale check`.

use std::net::SocketAddr;

use nix::unistd::gethostname;
use uuid::Uuid;

use super::loops::Loops;
use crate::config::{Secret, Settings};
use crate::store::process_records::{self, PERIOD, ProcessRecord};
use crate::store::redis::Redis;

/// Starts the loop that writes the record. Once the process stops, the record is removed: after the
/// loop has ended, because its last step would write the record again.
pub(super) fn announce(loops: &Loops, settings: &Settings, addr: SocketAddr, redis: &Redis) {
    let record = record(settings, &place(addr));
    let (id, ended) = (record.id, redis.clone());
    let redis = redis.clone();
    let writing = loops.every("processes", PERIOD, (redis, record), |(redis, record)| async move {
        process_records::write(&redis, &record).await.map(|()| false)
    });
    loops.tasks.spawn(async move {
        // An error means that a step has panicked, and the loop has ended too.
        let _ = writing.await;
        if let Err(error) = process_records::remove(&ended, id).await {
            tracing::debug!(%error, "the record of this process was not removed");
        }
    });
}

/// What a process with these settings says about itself.
pub(super) fn record(settings: &Settings, place: &str) -> ProcessRecord {
    ProcessRecord {
        id: Uuid::now_v7(),
        place: place.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        db_pool: settings.postgres.db_pool,
        jwt_secret: settings.access.jwt_secret.as_ref().map(Secret::digest),
        queue_secrets: settings.queue.queue_secrets.iter().map(Secret::digest).collect(),
        allows_drill: settings.http.allow_drill,
        ahead_ms: 0,
        written_ms: 0,
    }
}

/// The name of the machine, and the address on which the process listens.
fn place(addr: SocketAddr) -> String {
    let host = gethostname().ok().and_then(|name| name.into_string().ok());
    format!("{} {addr}", host.unwrap_or_default())
}
