//! `onsale check`: each finding that a test can cause.

use std::ffi::OsStr;

use serde_json::{Value, json};
use tokio::process::Command;

use crate::support::program::{Program, command};
use crate::support::sale;
use crate::support::servers::Servers;
use crate::support::tools::Tool;
use crate::support::wait::until;
use crate::support::world::{JWT_SECRET, QUEUE_SECRET, World};

/// What a check found.
#[derive(Debug)]
struct Checked {
    code: Option<i32>,
    report: Value,
}

impl Checked {
    /// The worst level of a check, with its text and advice; empty if it was not made.
    fn worst(&self, name: &str) -> (&str, String) {
        let findings = self.report["findings"].as_array().expect("findings");
        let of_name = || findings.iter().filter(|finding| finding["name"] == name);
        for level in ["failure", "warning", "ok"] {
            if let Some(found) = of_name().find(|finding| finding["level"] == level) {
                return (level, format!("{} {}", found["text"], found["advice"]));
            }
        }
        ("", String::new())
    }

    /// Fails unless the worst level of this check is `failure`, and so the command has failed.
    #[track_caller]
    fn fails(&self, name: &str, words: &str) {
        let (level, text) = self.worst(name);
        assert_eq!((level, self.code), ("failure", Some(1)), "{name}: {self:#?}");
        assert!(text.contains(words), "{text}");
    }

    #[track_caller]
    fn has(&self, name: &str, level: &str) {
        assert_eq!(self.worst(name).0, level, "{name}: {self:#?}");
    }
}

/// Runs `onsale check` with these further arguments and variables.
async fn check(world: &World, arguments: &[&str], environment: &[(&str, &str)]) -> Checked {
    let mut command = command(world, &[&["check", "--json"][..], arguments].concat());
    command.envs(environment.iter().copied());
    run(command.into()).await
}

async fn run(mut command: Command) -> Checked {
    let output = command.output().await.expect("onsale runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(!text.contains(JWT_SECRET) && !text.contains(QUEUE_SECRET), "{text}");
    let report = serde_json::from_str(&text).unwrap_or_else(|error| {
        panic!("{error}: {text}{}", String::from_utf8_lossy(&output.stderr))
    });
    Checked { code: output.status.code(), report }
}

/// Waits until the records of this many processes are in Redis.
async fn until_announced(world: &World, count: usize) {
    let redis = onsale::store::redis::Redis::lazy(&world.redis_url).expect("a URL");
    until("the processes have written their records", async || {
        let records = onsale::store::process_records::list(&redis).await.ok()?;
        (records.len() == count).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_system_that_is_ready_for_a_sale_passes() {
    let world = World::on(Servers::single().await).await;
    let process = world.start().await;
    sale::create(&process.admin().await, (3600, 7200), 2, 10, json!({})).await;
    process.stop().await;
    let program = Program::start(&world, &[]).await;
    until_announced(&world, 1).await;
    let checked = check(&world, &["--expect", "1000"], &[]).await;
    assert_eq!(checked.code, Some(0), "{checked:#?}");
    assert_eq!(checked.report["passes"], true);
    for name in [
        "redis.usable",
        "redis.version",
        "redis.settings",
        "redis.clock",
        "postgresql.sessions",
        "postgresql.writable",
        "postgresql.version",
        "postgresql.clock",
        "postgresql.connections",
        "postgresql.schema",
        "postgresql.outbox",
        "processes.running",
        "processes.jwt_secret",
        "processes.queue_secrets",
        "processes.version",
        "processes.drill",
        "process.drill",
        "processes.clocks",
        "schedule.times",
        "schedule.seats",
        "schedule.capacity",
    ] {
        checked.has(name, "ok");
    }
    // The private stores of tests keep nothing, sign-up is open, and no proxy is in front.
    for name in ["redis.persistence", "postgresql.guarantees", "process.sign_up", "process.proxies"]
    {
        checked.has(name, "warning");
    }
    let staging = check(&world, &[], &[("ONSALE_ALLOW_DRILL", "true")]).await;
    staging.has("process.drill", "warning");
    assert!(checked.worst("schedule.seats").1.contains("20 seats, 0 of them blocked"));

    let text = Command::from(command(&world, &["check"])).output().await.expect("onsale runs");
    let text = String::from_utf8_lossy(&text.stdout).into_owned();
    assert!(text.lines().any(|line| line.starts_with("ok       redis.version")), "{text}");
    assert!(text.lines().any(|line| line.contains(" to do: set appendonly yes")), "{text}");
    assert!(text.lines().last().unwrap().starts_with("0 failures, "), "{text}");
    drop(program);
}

#[tokio::test]
async fn the_check_finds_each_fault_of_redis() {
    let mut world = World::on(Servers::single().await).await;
    let set = async |world: &World, words: &[&str]| {
        world.redis.all()[0].call::<()>(words).await.expect("a setting");
    };
    set(&world, &["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"]).await;
    check(&world, &[], &[]).await.fails("redis.settings", "allkeys-lru");
    set(&world, &["CONFIG", "SET", "maxmemory-policy", "noeviction"]).await;

    check(&world, &[], &[]).await.has("redis.memory", "warning");
    set(&world, &["CONFIG", "SET", "maxmemory", "100mb"]).await;
    let most = ["--expect", "1000000"];
    check(&world, &most, &[]).await.fails("redis.memory", "raise maxmemory");
    check(&world, &["--expect", "10000"], &[]).await.has("redis.memory", "ok");
    set(&world, &["CONFIG", "SET", "maxmemory", "1"]).await;
    check(&world, &[], &[]).await.fails("redis.usable", "Redis is full");
    set(&world, &["CONFIG", "SET", "maxmemory", "0"]).await;

    let rules = ["ACL", "SETUSER", "weak", "on", ">word", "~*", "+@all", "-zadd"];
    set(&world, &rules).await;
    let url = world.redis_url.replace("redis://", "redis://weak:word@");
    let weak = [("REDIS_URL", url.as_str())];
    check(&world, &[], &weak).await.fails("redis.usable", "may not run zadd");

    world.redis.kill().await.expect("Redis ends");
    let checked = check(&world, &[], &[]).await;
    checked.fails("redis.reachable", "REDIS_URL");
    checked.has("postgresql.writable", "ok");
}

#[tokio::test]
async fn the_check_finds_each_fault_of_postgresql() {
    let postgres = onsale_dev::pg::PostgresServer::throwaway().await.expect("PostgreSQL");
    let world = World::beside(&postgres.url("postgres"), Servers::single().await).await;
    let checked = check(&world, &[], &[("ONSALE_UNSAFE_POSTGRES", "false")]).await;
    checked.fails("postgresql.guarantees", "an acknowledged sale could be lost");
    let pool = [("ONSALE_DB_POOL", "1000")];
    check(&world, &[], &pool).await.fails("postgresql.connections", "raise max_connections");
    let nowhere = [("DATABASE_URL", "postgres://nobody@127.0.0.1:1/none")];
    let checked = check(&world, &[], &nowhere).await;
    checked.fails("postgresql.reachable", "DATABASE_URL");
    checked.has("redis.usable", "ok");

    let server = format!("host=127.0.0.1 port={}", postgres.port());
    let pooler =
        Tool::pgbouncer(&server, "ignore_startup_parameters = extra_float_digits,options").await;
    let database = world.database_url.rsplit('/').next().expect("its name");
    let url = format!("postgres://onsale@127.0.0.1:{}/{database}", pooler.port);
    let checked = check(&world, &[], &[("DATABASE_URL", &url)]).await;
    checked.fails("postgresql.sessions", "lock_timeout is 0 and not 1500");

    let run = async |sql: String| {
        sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&world.pool).await.expect("a change");
    };
    let event = "insert into outbox (kind, payload, parked_at, reason)
                 values ('none', '{}', now(), 'a test')";
    run(event.to_owned()).await;
    check(&world, &[], &[]).await.has("postgresql.outbox", "warning");
    run("delete from _sqlx_migrations where version = 1".to_owned()).await;
    check(&world, &[], &[]).await.fails("postgresql.schema", "run onsale migrate");
    run(format!("alter database \"{database}\" set default_transaction_read_only = on")).await;
    check(&world, &[], &[]).await.fails("postgresql.writable", "PostgreSQL is read-only");
}

#[tokio::test]
async fn processes_that_differ_are_found() {
    const OTHER: &str = "e1f1c4b8a95d6f7b20c3d4e5968778695a4b3c2d1e0f9a8b7c6d5e4f3a2b1c0d";
    let world = World::on(Servers::single().await).await;
    check(&world, &[], &[]).await.has("processes.running", "warning");
    let first = Program::start(&world, &[]).await;
    until_announced(&world, 1).await;
    let secrets = |secrets: &str| [("ONSALE_QUEUE_SECRETS", secrets.to_owned())];
    let with = async |secrets: &[(&str, String)]| {
        let environment: Vec<(&str, &str)> =
            secrets.iter().map(|(name, value)| (*name, value.as_str())).collect();
        check(&world, &[], &environment).await
    };
    with(&secrets(OTHER)).await.fails("processes.queue_secrets", "cannot verify the tickets");
    let rotating = with(&secrets(&format!("{QUEUE_SECRET},{OTHER}"))).await;
    rotating.has("processes.queue_secrets", "warning");
    let jwt = [("ONSALE_JWT_SECRET", OTHER.to_owned())];
    with(&jwt).await.fails("processes.jwt_secret", "have different ones");

    let second = Program::start(&world, &[("ONSALE_JWT_SECRET", OTHER)]).await;
    until_announced(&world, 2).await;
    let checked = check(&world, &[], &[]).await;
    checked.fails("processes.jwt_secret", "have different ones");
    assert!(checked.worst("processes.running").1.contains(&second.addr.to_string()));
    // A process that ends removes its record; nothing in the records is a secret.
    let mut redis = world.raw_redis().await;
    let records: Vec<String> = redis::cmd("HVALS")
        .arg(onsale::store::keys::PROCESSES)
        .query_async(&mut redis)
        .await
        .expect("Redis");
    assert_eq!(records.len(), 2);
    let leaks = |secret: &str| records.iter().any(|record| record.contains(secret));
    assert!(!leaks(JWT_SECRET) && !leaks(QUEUE_SECRET) && !leaks(OTHER), "{records:?}");
    let mut second = second;
    second.terminate();
    second.wait().await;
    until_announced(&world, 1).await;
    check(&world, &[], &[]).await.has("processes.jwt_secret", "ok");
    drop(first);
}

/// The library that gives a process another clock, at the path that Debian uses.
fn faketime() -> String {
    let path = format!("/usr/lib/{}-linux-gnu/faketime/libfaketimeMT.so.1", std::env::consts::ARCH);
    assert!(std::path::Path::new(&path).exists(), "{path}: run scripts/test-tools.sh");
    path
}

#[tokio::test]
async fn clocks_that_are_apart_are_found() {
    let world = World::on(Servers::single().await).await;
    let library = faketime();
    let clock = |offset: &'static str| {
        [("LD_PRELOAD", &*library), ("FAKETIME", offset), ("FAKETIME_DONT_FAKE_MONOTONIC", "1")]
    };
    let checked = check(&world, &[], &clock("-10s")).await;
    checked.fails("redis.clock", "synchronize the clocks");
    checked.fails("postgresql.clock", "synchronize the clocks");
    check(&world, &[], &clock("+1s")).await.has("redis.clock", "warning");
    let _ahead = Program::start(&world, &clock("+10s")).await;
    until_announced(&world, 1).await;
    let checked = check(&world, &[], &[]).await;
    checked.fails("processes.clocks", "synchronize the clocks");
    checked.has("redis.clock", "ok");
}

#[tokio::test]
async fn a_sale_without_seats_and_a_low_limit_of_files_are_found() {
    let world = World::on(Servers::single().await).await;
    check(&world, &[], &[]).await.has("schedules", "warning");
    let process = world.start().await;
    let admin = process.admin().await;
    sale::create(&admin, (3600, 7200), 0, 0, json!({"paused": true})).await;
    let withdrawn = sale::create(&admin, (3600, 7200), 1, 5, json!({})).await;
    let concert = format!("/v1/admin/concerts/{}", withdrawn.concert);
    admin.patch(&concert, json!({"status": "UNAVAILABLE"})).await.ok(200);
    let checked = check(&world, &[], &[]).await;
    checked.fails("schedule.seats", "0 seats");
    checked.fails("schedule.status", "withdrawn");
    checked.has("schedule.paused", "warning");

    let usual = command(&world, &[]);
    let mut limited = Command::new("sh");
    limited.arg("-c").arg("ulimit -n 2000; exec \"$0\" check --json").arg(usual.get_program());
    let variables = usual.get_envs().filter_map(|(name, value)| Some((name, value?)));
    limited.env_clear().envs(variables.collect::<Vec<(&OsStr, &OsStr)>>());
    run(limited).await.fails("process.open_files", "ONSALE_MAX_STREAMS");
    process.stop().await;
}
