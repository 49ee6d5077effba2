//! What a drill in CI runs on, and what its operator does.

use std::path::{Path, PathBuf};

use onsale_dev::pg::PostgresServer;
use onsale_dev::redis::sentinel::RedisSentinel;
use sqlx::PgPool;
use tokio::process::Command;

use super::rolling::end;
use crate::recovery::read_only::set_read_only;
use crate::recovery::restore::stop_receiving;
use crate::support::nginx::Nginx;
use crate::support::program::{Program, command};
use crate::support::restored::name;
use crate::support::servers::Servers;
use crate::support::wait::until;
use crate::support::world::World;

/// The settings of each process.
pub const SETTINGS: [(&str, &str); 2] =
    [("ONSALE_DRAIN_DELAY", "5s"), ("ONSALE_ALLOW_DRILL", "true")];

/// What a drill runs on: two processes behind nginx.
pub struct Staging {
    pub world: World,
    pub programs: Vec<Program>,
    pub nginx: Nginx,
    postgres: PostgresServer,
    /// A copy of the server, from before a part of the sale.
    backup: Option<PostgresServer>,
    /// The file of `onsale restore prepare`.
    known: PathBuf,
}

impl Staging {
    /// Starts everything. `folder` is for files.
    pub async fn start(folder: &Path) -> Self {
        let postgres = PostgresServer::throwaway().await.expect("PostgreSQL");
        let redis = RedisSentinel::throwaway().await.expect("Redis under Sentinel");
        let world = World::beside(&postgres.url("postgres"), Servers::Sentinel(redis)).await;
        let programs =
            vec![Program::start(&world, &SETTINGS).await, Program::start(&world, &SETTINGS).await];
        let nginx = Nginx::before(&[programs[0].addr, programs[1].addr]).await;
        let known = folder.join("known.json");
        Self { world, programs, nginx, postgres, backup: None, known }
    }

    /// What an operator's command would do.
    pub async fn carry_out(&mut self, what: &str) {
        match what {
            "replace" => self.replace_programs().await,
            "empty" => self.world.redis.server(0).call::<()>(&["FLUSHALL"]).await.expect("Redis"),
            "promote" => {
                let Servers::Sentinel(watched) = &mut self.world.redis else { panic!("Sentinel") };
                let sentinel = &watched.sentinels_mut()[0];
                sentinel.call::<()>(&["SENTINEL", "FAILOVER", "onsale"]).await.expect("a failover");
                // The command returns before the failover.
                let replica = &watched.servers()[1];
                until("the replica is the primary", async || {
                    let info = replica.call::<String>(&["INFO", "replication"]).await.ok()?;
                    info.contains("role:master").then_some(())
                })
                .await;
            }
            "refuse" => set_read_only(&self.postgres, true).await,
            "accept" => set_read_only(&self.postgres, false).await,
            "back-up" => self.back_up().await,
            "restore" => self.restore().await,
            "start" => self.start_programs().await,
            other => panic!("{other}"),
        }
    }

    /// One after the other, as an orchestrator does it that does not know of nginx.
    async fn replace_programs(&mut self) {
        for _ in 0..2 {
            let old = self.programs.remove(0);
            let addr = old.addr.to_string();
            end(old).await;
            let settings = [&SETTINGS[..], &[("ONSALE_LISTEN", addr.as_str())]].concat();
            self.programs.push(Program::start(&self.world, &settings).await);
            let before = self.nginx.log().len();
            until("nginx uses the process again", async || {
                let log = self.nginx.log();
                log[before..].iter().any(|line| line["upstream"] == addr.as_str()).then_some(())
            })
            .await;
        }
    }

    /// Copies the server while it works. Its users signed up an hour ago: those of the last minute
    /// would lose their sessions.
    async fn back_up(&mut self) {
        let earlier = "update \"user\" set created_at = created_at - interval '1 hour'";
        sqlx::query(earlier).execute(&self.world.pool).await.expect("earlier");
        let copy = PostgresServer::standby(&self.postgres).await.expect("a copy");
        stop_receiving(&copy).await;
        self.backup = Some(copy);
    }

    /// Puts the copy in the server's place, by the steps of docs/OPERATIONS.md.
    async fn restore(&mut self) {
        for program in &self.programs {
            program.terminate();
        }
        for program in &mut self.programs {
            assert_eq!(program.wait().await, Some(0));
        }
        let known = name(&self.known).to_owned();
        self.run(&["restore", "prepare", "--to", &known], 0).await;
        self.postgres.kill().await.expect("it ends");
        self.postgres = self.backup.take().expect("a copy");
        self.postgres.promote().await.expect("it accepts writes");
        let (_, database) = self.world.database_url.rsplit_once('/').expect("a URL");
        self.world.database_url = self.postgres.url(database);
        self.world.pool = PgPool::connect(&self.world.database_url).await.expect("PostgreSQL");
        self.run(&["migrate"], 0).await;
        // Sales are lost.
        self.run(&["restore", "compare", "--from", &known], 3).await;
        let finish = ["restore", "finish", "--from", &known, "--block-missing"];
        self.run(&finish, 0).await;
    }

    /// Runs `onsale` with these arguments.
    async fn run(&self, arguments: &[&str], code: i32) {
        let mut command = Command::from(command(&self.world, arguments));
        let output = command.output().await.expect("onsale runs");
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {output:?}");
    }

    /// Starts the processes again at their addresses.
    async fn start_programs(&mut self) {
        for program in &mut self.programs {
            let addr = program.addr.to_string();
            let settings = [&SETTINGS[..], &[("ONSALE_LISTEN", addr.as_str())]].concat();
            *program = Program::start(&self.world, &settings).await;
        }
    }
}
