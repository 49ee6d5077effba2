//! Faults of Redis itself: of the single server, of every node of a cluster, or of one primary.

use std::path::PathBuf;
use std::time::Duration;

use onsale_dev::redis::RedisServer;
use tokio::time::sleep;

use crate::faults::chosen;
use crate::plan::{Fault, Kind};
use crate::stage::Stage;
use crate::support::wait::until;

/// A primary that is stopped for longer than this stays stopped until its replica is promoted.
const BRIEF: Duration = Duration::from_secs(1);

impl Stage {
    pub async fn apply_to_redis(&mut self, fault: &Fault) {
        match fault.kind {
            Kind::RedisWiped => self.wipe().await,
            Kind::RedisPaused => {
                self.redis.pause();
                sleep(fault.lasts).await;
                self.redis.resume();
            }
            Kind::RedisFull => {
                self.tell_all(&["CONFIG", "SET", "maxmemory", "1"]).await;
                sleep(fault.lasts).await;
                self.tell_all(&["CONFIG", "SET", "maxmemory", "0"]).await;
            }
            Kind::NodeKilled | Kind::NodePaused => self.lose_primary(fault).await,
            _ => self.restart_all(fault).await,
        }
    }

    async fn restart_all(&mut self, fault: &Fault) {
        let mut files = Vec::new();
        for server in self.redis.all() {
            files.push(file(server).await);
        }
        if fault.kind != Kind::RedisEmpty {
            self.tell_all(&["SAVE"]).await;
        }
        if fault.kind == Kind::RedisOlder {
            sleep(Duration::from_millis(500 + fault.choice % 1500)).await;
        }
        self.redis.kill().await.expect("it ends");
        for file in files.iter().filter(|file| fault.kind == Kind::RedisEmpty && file.exists()) {
            std::fs::remove_file(file).expect("the file is deleted");
        }
        sleep(fault.lasts / 4).await;
        self.redis.restart().await.expect("it starts");
    }

    /// Kills or stops the primary of one of the sales; its replica replaces it.
    async fn lose_primary(&mut self, fault: &Fault) {
        let schedule = self.sales[chosen(fault, self.sales.len())].schedule;
        let lost = self.redis.primary_now(schedule, None).await.expect("every slot is served");
        if fault.kind == Kind::NodeKilled {
            self.redis.server(lost).kill().await.expect("it ends");
            self.wait_for_promotion(schedule, lost).await;
            sleep(fault.lasts / 4).await;
            self.redis.server(lost).restart().await.expect("it starts");
        } else {
            self.redis.server(lost).pause();
            sleep(fault.lasts).await;
            if fault.lasts > BRIEF {
                self.wait_for_promotion(schedule, lost).await;
            }
            self.redis.server(lost).resume();
        }
        // The next fault may hit the new primary: that needs a replica with a full copy.
        self.redis.settles().await.expect("it is copied");
    }

    async fn wait_for_promotion(&self, schedule: i64, lost: usize) {
        until("a replica is promoted", async || self.redis.primary_now(schedule, Some(lost)).await)
            .await;
    }

    async fn wipe(&self) {
        for server in self.redis.all() {
            let role: String = server.call(&["INFO", "replication"]).await.expect("its role");
            if role.contains("role:master") {
                server.call::<()>(&["FLUSHALL"]).await.expect("OK");
            }
        }
    }

    async fn tell_all(&self, words: &[&str]) {
        for server in self.redis.all() {
            server.call::<()>(words).await.expect("OK");
        }
    }
}

/// The snapshot file of a server.
async fn file(server: &RedisServer) -> PathBuf {
    let (_, folder): (String, String) =
        server.call(&["CONFIG", "GET", "dir"]).await.expect("its folder");
    PathBuf::from(folder).join("dump.rdb")
}
