//! `deploy/systemd/onsale.service` allows the system calls that the process makes.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::json;

use crate::support::events::Events;
use crate::support::program::Program;
use crate::support::sale;
use crate::support::tools::folder;
use crate::support::wait::until;
use crate::support::world::World;

/// The system calls of a group such as `@system-service`, by systemd.
fn group(name: &str) -> BTreeSet<String> {
    let listed = Command::new("systemd-analyze").args(["syscall-filter", name]).output();
    let listed = listed.expect("systemd-analyze; run scripts/test-tools.sh");
    let text = String::from_utf8_lossy(&listed.stdout).into_owned();
    let entries = text.lines().skip(1).map(str::trim).filter(|line| !line.starts_with('#'));
    let calls = entries.flat_map(|entry| match entry {
        nested if nested.starts_with('@') => group(nested),
        call => BTreeSet::from([call.to_owned()]),
    });
    calls.collect()
}

/// What the lines `SystemCallFilter` of the unit allow together.
fn allowed() -> BTreeSet<String> {
    let unit = include_str!("../../../deploy/systemd/onsale.service");
    let lines = unit.lines().filter_map(|line| line.strip_prefix("SystemCallFilter="));
    let mut calls = BTreeSet::new();
    for line in lines {
        match line.strip_prefix('~') {
            Some(forbidden) => {
                let forbidden = group(forbidden);
                calls.retain(|call| !forbidden.contains(call));
            }
            None => calls.extend(group(line)),
        }
    }
    assert!(calls.len() > 100 && !calls.contains("mount"), "{calls:?}");
    calls
}

/// Names in a log of strace: `4711 openat(AT_FDCWD, …) = 3`.
fn made(log: &str) -> BTreeSet<String> {
    let calls = log.lines().filter_map(|line| line.split_whitespace().nth(1)?.split_once('('));
    let calls = calls.map(|(name, _)| name.to_owned());
    calls.filter(|name| !name.is_empty() && name.chars().all(|it| it != '+' && it != '<')).collect()
}

#[tokio::test]
async fn the_unit_allows_every_system_call_from_start_to_end() {
    let world = World::new().await;
    let folder = folder("strace");
    let log = folder.join("log");
    let mut program = Program::start_traced(&world, &log).await;
    let process = world.start().await;
    let sale = sale::open(&process.admin().await, 1, 5, json!({})).await;
    let mut buyer = process.rich_buyer().await.at(program.addr);
    buyer.join_with_retries(sale.schedule).await.ok(201);
    buyer.wait_for_status("ACTIVE").await;
    let _stream = Events::of_ticket(program.addr, &buyer, None).await;
    let held = buyer.hold(sale.schedule, json!({"seat_ids": [sale.seats[0]]})).await.ok(201);
    buyer.pay(&held).await.ok(201);
    program.anonymous().get("/metrics").await;
    program.terminate();
    assert_eq!(program.wait().await, Some(0), "{}", program.output());
    let text = until("strace has written everything", async || {
        let text = std::fs::read_to_string(&log).expect("its log");
        text.contains("exit_group(0").then_some(text)
    })
    .await;
    std::fs::remove_dir_all(&folder).expect("the folder");
    let made = made(&text);
    assert!(made.contains("execve") && made.contains("listen") && made.len() > 20, "{made:?}");
    let refused: Vec<_> = made.difference(&allowed()).cloned().collect();
    assert_eq!(refused, [""; 0]);
}
