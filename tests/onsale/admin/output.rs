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
