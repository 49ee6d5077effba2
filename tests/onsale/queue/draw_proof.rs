//! `onsale draw verify`: the published draw verifies, and nothing else does.

use std::io::Write;
use std::process::{Output, Stdio};

use crate::support::draw::{PublishedDraw, create_sale, drawn_order};
use crate::support::program::bare;
use crate::support::world::World;

fn verify(secret: &str, commitment: &str, list: &str, ticket: Option<&str>) -> Output {
    let mut arguments = vec!["draw", "verify", "--secret", secret, "--commitment", commitment];
    arguments.extend(["--entrants", "-"]);
    arguments.extend(ticket.into_iter().flat_map(|id| ["--ticket", id]));
    let mut command = bare(&arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A command that fails before it reads the list closes its input.
    let _ = child.stdin.take().unwrap().write_all(list.as_bytes());
    child.wait_with_output().unwrap()
}

fn assert_refused(output: &Output, why: &str) {
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains(why) && output.stdout.is_empty(), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_published_draw_verifies_and_a_changed_one_does_not() {
    let world = World::new().await;
    let process = world.start().await;
    let admin = process.admin().await;
    let (schedule, crowd, ids) = create_sale(&world, &admin, &[process.addr], 8).await;
    let draw = PublishedDraw::open_sale(&admin, schedule).await;
    draw.wait_until_moved(&world).await;
    let text = |member: &str| draw.proof[member].as_str().unwrap().to_owned();
    let (secret, commitment) = (text("secret"), text("commitment"));
    let list = draw.entrants.join("\n");
    let all = verify(&secret, &commitment, &list, None);
    let order = String::from_utf8(all.stdout).unwrap();
    let lines: Vec<String> =
        drawn_order(&draw).iter().zip(1..).map(|(id, rank)| format!("{rank} {id}")).collect();
    assert_eq!(
        (all.status.code(), order.lines().collect::<Vec<_>>()),
        (Some(0), lines.iter().map(String::as_str).collect())
    );

    let mine = &ids[&crowd[3].user];
    let one = verify(&secret, &commitment, &list, Some(mine));
    let line = String::from_utf8(one.stdout).unwrap();
    assert!(lines.contains(&line.trim_end().to_owned()), "{line}");
    let sorted = {
        let mut sorted = draw.entrants.clone();
        sorted.sort();
        sorted.join("\n")
    };
    assert_eq!(
        order,
        String::from_utf8(verify(&secret, &commitment, &sorted, None).stdout).unwrap()
    );

    let other =
        |hex: &str| format!("{}{}", if hex.starts_with('0') { '1' } else { '0' }, &hex[1..]);
    assert_refused(&verify(&other(&secret), &commitment, &list, None), "does not verify");
    assert_refused(&verify(&secret, &other(&commitment), &list, None), "does not verify");
    assert_refused(&verify("xyz", &commitment, &list, None), "not hex");
    let without = list.replace(mine, &uuid::Uuid::nil().to_string());
    assert_refused(&verify(&secret, &commitment, &without, Some(mine)), "not among the 8 entrants");
    let changed = verify(&secret, &commitment, &without, None);
    assert_ne!(String::from_utf8(changed.stdout).unwrap(), order, "another list, another order");
    assert_refused(&verify(&secret, &commitment, &format!("{list}\n{mine}"), None), "listed twice");
    assert_refused(&verify(&secret, &commitment, &format!("{list}\nme"), None), "line 9");
}
