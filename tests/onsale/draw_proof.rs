//! `onsale draw verify`: what was published verifies, and nothing else does.

use std::io::Write;
use std::process::{Output, Stdio};

use crate::support::draw::{Opened, order, set};
use crate::support::program::bare;
use crate::support::world::World;

fn verify(secret: &str, commitment: &str, list: &str, ticket: Option<&str>) -> Output {
    let mut arguments = vec!["draw", "verify", "--secret", secret, "--commitment", commitment];
    arguments.extend(["--entrants", "-"]);
    arguments.extend(ticket.into_iter().flat_map(|id| ["--ticket", id]));
    let mut command = bare(&arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A command that refused before it read the list has closed its end.
    let _ = child.stdin.take().unwrap().write_all(list.as_bytes());
    child.wait_with_output().unwrap()
}

fn refused(output: &Output, why: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains(why) && output.stdout.is_empty(), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_published_draw_verifies_and_a_changed_one_does_not() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let (schedule, crowd, ids) = set(&world, &admin, &[process.addr], 8).await;
    let opened = Opened::now(&admin, schedule).await;
    opened.done(&world).await;
    let text = |member: &str| opened.proof[member].as_str().unwrap().to_owned();
    let (secret, commitment) = (text("secret"), text("commitment"));
    let list = opened.entrants.join("\n");
    let all = verify(&secret, &commitment, &list, None);
    let said = String::from_utf8(all.stdout).unwrap();
    let lines: Vec<String> =
        order(&opened).iter().zip(1..).map(|(id, place)| format!("{place} {id}")).collect();
    assert_eq!(
        (all.status.code(), said.lines().collect::<Vec<_>>()),
        (Some(0), lines.iter().map(String::as_str).collect())
    );

    let mine = &ids[&crowd[3].user];
    let one = verify(&secret, &commitment, &list, Some(mine));
    let told = String::from_utf8(one.stdout).unwrap();
    assert!(lines.contains(&told.trim_end().to_owned()), "{told}");
    let sorted = {
        let mut sorted = opened.entrants.clone();
        sorted.sort();
        sorted.join("\n")
    };
    assert_eq!(
        said,
        String::from_utf8(verify(&secret, &commitment, &sorted, None).stdout).unwrap()
    );

    let other =
        |hex: &str| format!("{}{}", if hex.starts_with('0') { '1' } else { '0' }, &hex[1..]);
    refused(&verify(&other(&secret), &commitment, &list, None), "does not verify");
    refused(&verify(&secret, &other(&commitment), &list, None), "does not verify");
    refused(&verify("xyz", &commitment, &list, None), "not hex");
    let without = list.replace(mine, &uuid::Uuid::nil().to_string());
    refused(&verify(&secret, &commitment, &without, Some(mine)), "not among the 8 entrants");
    let changed = verify(&secret, &commitment, &without, None);
    assert_ne!(String::from_utf8(changed.stdout).unwrap(), said, "another list, another order");
    refused(&verify(&secret, &commitment, &format!("{list}\n{mine}"), None), "listed twice");
    refused(&verify(&secret, &commitment, &format!("{list}\nme"), None), "line 9");
}
