//! `onsale drill` in a small form: two processes behind nginx, on private stores.

use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::process::Command;

use super::staging::{SETTINGS, Staging};
use crate::support::faults::assert_consistent;
use crate::support::program::{Program, command};
use crate::support::servers::Servers;
use crate::support::tools::folder;
use crate::support::wait::until;
use crate::support::world::World;

const STEPS: &str = r#"
[[step]]
name = "rolling restart"
begin = "ask replace"

[[step]]
name = "Redis emptied"
begin = "ask empty"
may_fail = ["joins", "polls", "holds", "releases"]

[[step]]
name = "failover of Redis"
begin = "ask promote"
lasts = "10s"
may_fail = ["joins", "polls", "holds", "releases"]

[[step]]
name = "PostgreSQL read-only"
begin = "ask refuse"
lasts = "5s"
end = "ask accept"
may_fail = ["holds", "payments", "releases"]
"#;

const RESTORE: &str = r#"
[[step]]
name = "PostgreSQL restored"
begin = "ask back-up; sleep 8; ask restore"
end = "ask start"
may_fail = ["joins", "polls", "holds", "payments", "releases"]
may_lose = "1s"
"#;

/// Runs a drill with these steps. `act` does what their commands ask for: `ask NAME` writes a file,
/// and waits until it is gone.
async fn run(
    mut drill: Command,
    folder: &Path,
    steps: &str,
    mut act: impl AsyncFnMut(&str),
) -> (Option<i32>, Value) {
    let wait = "while [ -e $FILE ]; do sleep 0.05; done";
    let ask = format!("ask() {{ FILE={}/ask-$1; touch $FILE; {wait}; }}; ask", folder.display());
    let steps = steps.replace("\"ask", &format!("\"{ask}"));
    std::fs::write(folder.join("steps.toml"), steps).expect("the steps");
    let mut drilling = pin!(drill.output());
    let output = loop {
        tokio::select! {
            output = &mut drilling => break output.expect("its output"),
            (file, what) = asked(folder) => {
                act(&what).await;
                std::fs::remove_file(file).expect("the file");
            }
        }
    };
    let report = String::from_utf8_lossy(&output.stdout);
    println!("{report}{}", String::from_utf8_lossy(&output.stderr));
    (output.status.code(), serde_json::from_str(&report).expect("JSON"))
}

/// Waits until a command asks for something; returns its file and name.
async fn asked(folder: &Path) -> (PathBuf, String) {
    loop {
        for entry in std::fs::read_dir(folder).expect("the folder").flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if let Some(what) = name.strip_prefix("ask-") {
                return (entry.path(), what.to_owned());
            }
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// `onsale drill` by an administrator, with the steps in `folder`.
async fn drill_command(world: &World, folder: &Path, url: &str) -> Command {
    let mut create = Command::from(command(world, &["admin", "create", "--name", "Operator"]));
    let token = create.output().await.expect("onsale runs").stdout;
    std::fs::write(folder.join("token"), token).expect("a token");
    let mut drill = Command::from(command(world, &["drill", "--json", "--url", url]));
    drill.arg("--admin-token-file").arg(folder.join("token"));
    drill.arg("--steps").arg(folder.join("steps.toml"));
    drill.stdin(Stdio::null()).kill_on_drop(true);
    drill
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drill_finds_that_nothing_is_lost_by_restarts_failovers_and_outages() {
    let folder = folder("drill");
    let mut staging = Staging::start(&folder).await;
    let url = format!("https://localhost:{}", staging.nginx.port());
    let mut drill = drill_command(&staging.world, &folder, &url).await;
    drill.arg("--ca").arg(staging.nginx.certificate());
    let act = async |what: &str| staging.carry_out(what).await;
    let (code, report) = run(drill, &folder, STEPS, act).await;
    assert_eq!(code, Some(0));
    let steps = report["steps"].as_array().expect("steps");
    assert_eq!((&report["passed"], &report["left_out"], steps.len()), (&json!(true), &json!(0), 5));
    for step in steps {
        for kind in ["joins", "polls", "holds", "payments", "releases"] {
            assert!(step["requests"][kind]["sent"].as_u64() > Some(0), "{kind}: {step}");
        }
    }
    // The steps had an effect.
    let failed = |step: usize, kind: &str| {
        let back = &steps[step]["requests"][kind]["back_after_ms"];
        back.as_u64().is_some_and(|back| back > 0)
    };
    assert!(failed(4, "holds"), "{report}");
    let epoch = staging.world.epoch().await;
    assert_eq!(epoch, 3, "rebuilt after the wipe and after the failover");
    // The drill has withdrawn its sale.
    let path = format!("/v1/schedules/{}", report["schedule_id"]);
    let schedule = until("the sale is closed", async || {
        let schedule = staging.programs[0].anonymous().get(&path).await.ok(200);
        (schedule["phase"] == "CLOSED").then_some(schedule)
    })
    .await;
    let path = format!("/v1/concerts/{}", schedule["concert_id"]);
    let concert = staging.programs[0].anonymous().get(&path).await.ok(200);
    assert_eq!(concert["status"], "UNAVAILABLE");
    assert!(concert["title"].as_str().unwrap().starts_with("onsale drill"), "{concert}");
    assert_consistent(&staging.world).await;
    std::fs::remove_dir_all(&folder).expect("the folder");
}

/// PostgreSQL is set back while buyers buy. What came after the backup is lost, and its seats are
/// kept from sale; nothing else is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drill_restores_postgresql_and_loses_only_what_came_after_the_backup() {
    let folder = folder("drill");
    let mut staging = Staging::start(&folder).await;
    let url = format!("https://localhost:{}", staging.nginx.port());
    let mut drill = drill_command(&staging.world, &folder, &url).await;
    drill.arg("--ca").arg(staging.nginx.certificate());
    let act = async |what: &str| staging.carry_out(what).await;
    let (code, report) = run(drill, &folder, RESTORE, act).await;
    assert_eq!((code, &report["left_out"]), (Some(0), &json!(0)));
    let lost = report["steps"][1]["lost_payments"].as_i64();
    assert!(lost > Some(0), "{report}");
    let blocked = "select count(*) from seat where blocked";
    assert_eq!(Some(staging.world.number(blocked).await), lost, "kept from sale");
    assert_consistent(&staging.world).await;
    std::fs::remove_dir_all(&folder).expect("the folder");
}

/// The whole drill has a control too: a system that loses a payment.
#[tokio::test]
async fn a_drill_fails_where_a_payment_is_lost() {
    let (folder, world) = (folder("drill"), World::on(Servers::single().await).await);
    let program = Program::start(&world, &SETTINGS).await;
    let url = format!("http://{}", program.addr);
    let drill = drill_command(&world, &folder, &url).await;
    let steps = "[[step]]\nname = 'sabotage'\nbegin = \"ask break\"\n";
    let (code, report) = run(drill, &folder, steps, async |_| {
        let lose = "delete from payment where reservation_id = (select min(id) from reservation
                      where status = 'COMPLETE');
                    update reservation set status = 'CANCELLED' where id = (select min(id)
                      from reservation where status = 'COMPLETE')";
        sqlx::raw_sql(lose).execute(&world.pool).await.expect("a change");
    })
    .await;
    assert_eq!((code, &report["passed"]), (Some(1), &json!(false)));
    let faults = &report["steps"][1]["faults"];
    for fault in ["paid_missing", "sums_differ"] {
        assert!(faults[fault].as_array().is_some_and(|texts| !texts.is_empty()), "{fault}");
    }
    assert_eq!(report["steps"][0]["passed"], true, "before it, all was well");
    std::fs::remove_dir_all(&folder).expect("the folder");
}

#[tokio::test]
async fn a_drill_is_refused_where_a_process_does_not_allow_it() {
    let world = World::new().await;
    let program = Program::start(&world, &[]).await;
    let folder = folder("drill");
    let step = format!("[[step]]\nname = 'a'\nbegin = 'touch {}/begun'\n", folder.display());
    std::fs::write(folder.join("steps.toml"), step).expect("the steps");
    let url = format!("http://{}", program.addr);
    let output = drill_command(&world, &folder, &url).await.output().await.expect("onsale runs");
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("ONSALE_ALLOW_DRILL"), "{text}");
    assert!(!folder.join("begun").exists(), "no step began");
    assert_eq!(world.number("select count(*) from concert").await, 0);
    std::fs::write(folder.join("steps.toml"), "[[step]]\nname = 'a'\n").expect("the steps");
    let output = drill_command(&world, &folder, &url).await.output().await.expect("onsale runs");
    assert_eq!(output.status.code(), Some(2), "a step without a command");
    std::fs::write(folder.join("steps.toml"), "[[step]]\nname = 'a'\nbegin = 'true'\n")
        .expect("the steps");
    let mut drill = Command::from(command(&world, &["drill", "--url", &url, "--steps"]));
    let output = drill.arg(folder.join("steps.toml")).stdin(Stdio::null()).output().await;
    let text = String::from_utf8_lossy(&output.expect("onsale runs").stderr).into_owned();
    assert!(text.contains("- has no access token (standard input is empty)"), "{text}");
    std::fs::remove_dir_all(&folder).expect("the folder");
}
