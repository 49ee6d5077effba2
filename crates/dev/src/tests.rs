//! Tests with real private servers.

use std::fs::File;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use nix::sys::wait::waitpid;
use sqlx::{Connection, Executor, PgConnection};
use tokio::time::{sleep, timeout};

use crate::claim::Identity;
use crate::folder::Folder;
use crate::pg::PostgresServer;
use crate::process::{Process, command};
use crate::redis::RedisServer;
use crate::redis::cluster::RedisCluster;
use crate::redis::sentinel::RedisSentinel;
use crate::redis::setup::RedisKind;
use crate::{Args, DevError, Stores, run as run_dev};

async fn redis_at(url: &str) -> ::redis::RedisResult<::redis::aio::MultiplexedConnection> {
    ::redis::Client::open(url)?.get_multiplexed_async_connection().await
}

async fn set(url: &str, value: u32) {
    let mut connection = redis_at(url).await.unwrap();
    let set = ::redis::cmd("SET").arg("onsale:test").arg(value).to_owned();
    set.exec_async(&mut connection).await.unwrap();
}

async fn get(url: &str) -> Option<u32> {
    let mut connection = redis_at(url).await.unwrap();
    ::redis::cmd("GET").arg("onsale:test").query_async(&mut connection).await.unwrap()
}

async fn run(url: &str, statement: &'static str) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    connection.execute(statement).await.unwrap();
}

async fn count(url: &str) -> i64 {
    let mut connection = PgConnection::connect(url).await.unwrap();
    sqlx::query_scalar("select count(*) from kept").fetch_one(&mut connection).await.unwrap()
}

/// Waits until no process holds the lock on a server's log.
async fn ended(log: &Path) {
    let begun = Instant::now();
    while File::options().append(true).open(log).unwrap().try_lock().is_err() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{} is still held", log.display());
        sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn kept_data_is_still_there_after_a_second_start() {
    let folder = Folder::throwaway().unwrap();
    let stores = Stores::start(folder.path()).await.unwrap();
    let urls = (stores.database_url(), stores.redis_url());
    run(&urls.0, "create table kept (id int); insert into kept values (1)").await;
    set(&urls.1, 7).await;
    stores.stop().await.unwrap();

    let stores = Stores::start(folder.path()).await.unwrap();
    assert_eq!((stores.database_url(), stores.redis_url()), urls);
    assert_eq!(count(&urls.0).await, 1);
    assert_eq!(get(&urls.1).await, Some(7));
    stores.stop().await.unwrap();
}

#[tokio::test]
async fn kept_servers_refuse_connections_without_the_password() {
    let folder = Folder::throwaway().unwrap();
    let stores = Stores::start(folder.path()).await.unwrap();
    let bare = format!("postgres://onsale@127.0.0.1:{}/onsale", stores.postgres.port());
    assert!(PgConnection::connect(&bare).await.is_err());
    let mut redis = redis_at(&format!("redis://127.0.0.1:{}", stores.redis.port())).await.unwrap();
    let refused = ::redis::cmd("GET").arg("x").exec_async(&mut redis).await.unwrap_err();
    assert!(refused.to_string().contains("NOAUTH"), "{refused}");
    stores.stop().await.unwrap();
}

#[tokio::test]
async fn a_folder_has_one_owner_at_a_time() {
    let folder = Folder::throwaway().unwrap();
    let first = RedisServer::start(folder.path()).await.unwrap();
    let second = RedisServer::start(folder.path()).await;
    assert!(matches!(second, Err(DevError::InUse(_))), "{second:?}");
    first.stop().await.unwrap();
    RedisServer::start(folder.path()).await.unwrap().stop().await.unwrap();
}

#[tokio::test]
async fn kept_servers_dropped_by_their_owner_shut_down() {
    let folder = Folder::throwaway().unwrap();
    let stores = Stores::start(folder.path()).await.unwrap();
    set(&stores.redis_url(), 3).await;
    drop(stores);
    ended(&folder.path().join("redis.log")).await;
    ended(&folder.path().join("postgres.log")).await;
    let log = std::fs::read_to_string(folder.path().join("postgres.log")).unwrap();
    assert!(log.contains("database system is shut down"), "{log}");
}

#[tokio::test]
async fn a_killed_throwaway_redis_comes_back_empty_on_the_same_port() {
    let mut redis = RedisServer::throwaway().await.unwrap();
    let url = redis.url();
    set(&url, 1).await;
    redis.kill().await.unwrap();
    assert!(redis_at(&url).await.is_err());
    redis.restart().await.unwrap();
    assert_eq!(redis.url(), url);
    assert_eq!(get(&url).await, None);
}

#[tokio::test]
async fn a_paused_server_answers_once_it_is_resumed() {
    let redis = RedisServer::throwaway().await.unwrap();
    let url = redis.url();
    set(&url, 5).await;
    redis.pause();
    assert!(timeout(Duration::from_millis(200), get(&url)).await.is_err());
    redis.resume();
    assert_eq!(get(&url).await, Some(5));
}

#[tokio::test]
async fn a_killed_postgres_keeps_what_it_committed() {
    let mut postgres = PostgresServer::throwaway().await.unwrap();
    let url = postgres.url("onsale");
    run(&url, "create table kept (id int); insert into kept values (1), (2)").await;
    postgres.create_database("copy", "onsale").await.unwrap();
    postgres.kill().await.unwrap();
    assert!(PgConnection::connect(&url).await.is_err());
    postgres.restart().await.unwrap();
    assert_eq!(count(&url).await, 2);
    assert_eq!(count(&postgres.url("copy")).await, 2);
}

#[tokio::test]
async fn a_paused_postgres_also_stops_its_connected_backends() {
    let postgres = PostgresServer::throwaway().await.unwrap();
    let url = postgres.url("onsale");
    let mut connection = PgConnection::connect(&url).await.unwrap();
    postgres.pause();
    assert!(timeout(Duration::from_millis(200), connection.execute("select 1")).await.is_err());
    postgres.resume();
    run(&url, "select 1").await;
}

#[tokio::test]
async fn a_throwaway_leaves_neither_process_nor_folder() {
    let redis = RedisServer::throwaway().await.unwrap();
    let (pid, port) = (redis.pid(), redis.port());
    let config = std::fs::read(format!("/proc/{pid}/cmdline"));
    drop(redis);
    assert!(crate::port::is_free(port));
    if let Ok(words) = config {
        let words = String::from_utf8(words).unwrap();
        let config = words.split('\0').find(|word| word.ends_with("redis.conf")).unwrap();
        assert!(!Path::new(config).exists(), "{config}");
    }
}

#[tokio::test]
async fn a_cluster_serves_all_slots_and_each_primary_has_a_replica() {
    let cluster = RedisCluster::throwaway(true).await.unwrap();
    assert_eq!(cluster.nodes().len(), 6);
    for (slot, primary) in [(0, 0), (5460, 0), (5461, 1), (10921, 1), (10922, 2), (16383, 2)] {
        assert_eq!(RedisCluster::primary_of(slot), primary, "{slot}");
    }
    // "onsale:{123456789}" has slot 12739.
    let (primary, replica) = (&cluster.nodes()[2], &cluster.nodes()[5]);
    primary.call::<()>(&["SET", "onsale:{123456789}", "7"]).await.unwrap();
    let begun = Instant::now();
    let mut copied = 0;
    while copied != 1 {
        assert!(begun.elapsed() < Duration::from_secs(10), "the replica got no copy");
        copied = replica.call(&["DBSIZE"]).await.unwrap();
    }
    let elsewhere = cluster.nodes()[0].call::<u64>(&["GET", "onsale:{123456789}"]).await;
    let elsewhere = elsewhere.unwrap_err().to_string();
    assert!(elsewhere.to_lowercase().contains("moved"), "{elsewhere}");
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn a_cluster_that_was_killed_comes_back_empty_with_the_same_slots() {
    let mut cluster = RedisCluster::throwaway(false).await.unwrap();
    let url = cluster.url();
    cluster.nodes()[2].call::<()>(&["SET", "onsale:{123456789}", "7"]).await.unwrap();
    cluster.kill().await.unwrap();
    cluster.restart().await.unwrap();
    assert_eq!(cluster.url(), url);
    let found: Option<u64> = cluster.nodes()[2].call(&["GET", "onsale:{123456789}"]).await.unwrap();
    assert_eq!(found, None);
}

#[tokio::test]
async fn sentinels_name_the_primary_that_they_watch() {
    let watched = RedisSentinel::throwaway().await.unwrap();
    let role: Vec<::redis::Value> = watched.servers()[0].call(&["ROLE"]).await.unwrap();
    assert_eq!(role[0], ::redis::Value::BulkString(b"master".to_vec()));
    assert_eq!(watched.url().matches("127.0.0.1:").count(), 3);
    watched.stop().await.unwrap();
}

/// The identity of a shell process that `claim` takes for the server of that folder.
fn server_in(folder: &Path) -> Identity {
    let mark = folder.join("mark");
    std::fs::write(&mark, "trap 'exit 0' TERM; echo $$ > \"$0.pid\"; while :; do sleep 0.01; done")
        .unwrap();
    Identity {
        name: "test",
        log: folder.join("log"),
        pid_file: folder.join("mark.pid"),
        mark,
        orderly: Signal::SIGTERM,
        abrupt: Signal::SIGKILL,
    }
}

#[tokio::test]
async fn the_server_of_a_killed_owner_is_ended_by_the_next_start() {
    let folder = Folder::throwaway().unwrap();
    let identity = server_in(folder.path());
    let log = identity.claim().await.unwrap();
    let mut command = command("sh");
    command.arg(&identity.mark);
    let mut left = Process::start(identity.clone(), &log, command, None).unwrap();
    drop(log);
    let pid_file = identity.pid_file.clone();
    left.until_ready(Duration::from_secs(5), async |_| pid_file.exists()).await.unwrap();
    // As after a kill of the owner: neither the handle nor the guard ends the server.
    let pid = left.pid();
    std::mem::forget(left);
    identity.claim().await.unwrap();
    assert!(waitpid(pid, None).unwrap().pid().is_some());
}

#[tokio::test]
async fn another_process_with_the_pid_of_a_dead_server_is_left_alone() {
    let folder = Folder::throwaway().unwrap();
    let identity = server_in(folder.path());
    let mut other = tokio::process::Command::new("sleep").arg("60").spawn().unwrap();
    std::fs::write(&identity.pid_file, other.id().unwrap().to_string()).unwrap();
    // The log is still locked, as by a child of an ending server, and the pid file is outdated.
    let held = identity.claim().await.unwrap();
    let claim = identity.claim();
    assert!(timeout(Duration::from_millis(300), claim).await.is_err());
    drop(held);
    identity.claim().await.unwrap();
    assert!(other.try_wait().unwrap().is_none());
    other.kill().await.unwrap();
}

#[tokio::test]
async fn a_command_gets_the_stores_and_gives_its_exit_code() {
    let script = "set -e; test -n \"$ONSALE_JWT_SECRET\"; test -n \"$ONSALE_QUEUE_SECRETS\"; \
                  case $DATABASE_URL,$REDIS_URL in postgres://*,redis://*) exit 7;; esac";
    let args = Args {
        data: ".onsale".into(),
        throwaway: true,
        redis: RedisKind::Single,
        stores_only: false,
        command: ["sh", "-c", script].map(Into::into).to_vec(),
    };
    let code = run_dev(&args, async |_, _| unreachable!("a command replaces the service"));
    assert_eq!(Box::pin(code).await.unwrap(), ExitCode::from(7));
}
