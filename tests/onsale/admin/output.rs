//! The output of commands.

use std::process::Stdio;

use crate::support::program::command;
use crate::support::world::World;

/// As with `onsale check | head -1`: the exit code still says what was found.
#[tokio::test]
async fn a_closed_or_full_output_causes_no_panic() {
    let world = World::new().await;
    let mut check = command(&world, &["migrate", "--check"]);
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let ran = check.stdout(writer).stderr(Stdio::piped()).output().expect("the program");
    let errors = String::from_utf8_lossy(&ran.stderr);
    assert_eq!((ran.status.code(), errors.contains("panicked")), (Some(0), false), "{errors}");
    let full = std::fs::File::options().write(true).open("/dev/full").expect("a full disk");
    let ran = check.stdout(full).output().expect("the program");
    let errors = String::from_utf8_lossy(&ran.stderr);
    assert_eq!(ran.status.code(), Some(1), "{errors}");
    assert!(errors.contains("onsale: standard output: "), "{errors}");
}

/// The user is there by then, and the token is printed only once.
#[tokio::test]
async fn a_command_whose_messages_nobody_can_read_does_its_work_and_keeps_its_exit_code() {
    let world = World::new().await;
    let full = || std::fs::File::options().write(true).open("/dev/full").expect("a full disk");
    let mut create = command(&world, &["admin", "create", "--name", "Unheard"]);
    let ran = create.stderr(full()).output().expect("the program");
    assert_eq!(ran.status.code(), Some(0));
    assert!(ran.stdout.starts_with(b"ey"), "a token");
    let mut compare = command(&world, &["restore", "compare", "--from", "/none"]);
    let ran = compare.stderr(full()).output().expect("the program");
    assert_eq!(ran.status.code(), Some(1));
}
