//! Where the program takes secrets from: variables and files, never flags.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::json;

use crate::support::program::{Program, bare, command};
use crate::support::world::{JWT_SECRET, QUEUE_SECRET, World};

/// A folder for files of one test, removed with it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let name = format!("onsale-secrets-{}", uuid::Uuid::now_v7());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).expect("a folder");
        Self(path)
    }

    fn file(&self, name: &str, text: &str, mode: u32) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, text).expect("a file");
        std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).expect("its mode");
        path.display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn run(command: &mut Command) -> (Option<i32>, String) {
    let Output { status, stderr, .. } = command.output().expect("onsale runs");
    (status.code(), String::from_utf8_lossy(&stderr).into_owned())
}

/// Compose files pass variables that are not set as empty ones.
#[tokio::test]
async fn every_secret_is_read_from_a_file_and_an_empty_variable_counts_as_unset() {
    let world = World::new().await;
    let folder = Folder::new();
    let file = |name: &str, text: &str| folder.file(name, &format!("{text}\n"), 0o600);
    let files = [
        ("DATABASE_URL_FILE", file("database", &world.database_url)),
        ("REDIS_URL_FILE", file("redis", &world.redis_url)),
        ("ONSALE_JWT_SECRET_FILE", file("jwt", JWT_SECRET)),
        ("ONSALE_QUEUE_SECRETS_FILE", file("queue", &format!("{QUEUE_SECRET},{QUEUE_SECRET}2"))),
    ];
    let empty = ["DATABASE_URL", "REDIS_URL", "ONSALE_JWT_SECRET", "ONSALE_QUEUE_SECRETS"];
    let others = ["ONSALE_TRUSTED_PROXIES", "ONSALE_JWT_ISSUER", "ONSALE_THEME", "ONSALE_DB_POOL"];
    let mut environment: Vec<(&str, &str)> =
        empty.iter().chain(&others).map(|name| (*name, "")).collect();
    environment.extend(files.iter().map(|(name, path)| (*name, path.as_str())));
    let program = Program::start(&world, &environment).await;
    let made = program.anonymous().post("/v1/users", json!({"name": "Kim"})).await.ok(201);
    let kim = program.anonymous().with_token(made["access_token"].as_str().expect("a token"));
    kim.get("/v1/points").await.ok(200);
    // Signed with the secret in the file, for the issuer by default.
    let user = made["id"].as_i64().expect("an id");
    let token = crate::support::world::token(user, onsale::caller::Role::User);
    program.anonymous().with_token(&token).get("/v1/points").await.ok(200);
    assert!(!program.output().contains("warning"), "{}", program.output());
}

#[tokio::test]
async fn a_file_that_cannot_be_used_is_refused_by_the_name_of_its_variable() {
    let world = World::new().await;
    let folder = Folder::new();
    let good = folder.file("good", JWT_SECRET, 0o600);
    let missing = folder.0.join("missing").display().to_string();
    let with = |path: &str, value: &str| {
        let mut command = command(&world, &["serve"]);
        command.env("ONSALE_JWT_SECRET_FILE", path).env("ONSALE_JWT_SECRET", value);
        run(&mut command)
    };
    for (path, value, reason) in [
        (&good, JWT_SECRET, "ONSALE_JWT_SECRET and ONSALE_JWT_SECRET_FILE are both set"),
        (&missing, "", "ONSALE_JWT_SECRET_FILE: "),
        (&folder.file("empty", "\n", 0o600), "", "the file is empty"),
        (&folder.file("two", &format!("{JWT_SECRET}\n{JWT_SECRET}\n"), 0o600), "", "one line"),
        (&folder.0.display().to_string(), "", "cannot be read"),
        (&folder.file("short", "a-short-secret\n", 0o600), "", "at least 32 bytes"),
        (&folder.file("weak", &"changeme".repeat(8), 0o600), "", "can be guessed"),
    ] {
        let (code, errors) = with(path, value);
        assert_eq!(code, Some(2), "{path}: {errors}");
        assert!(errors.contains("ONSALE_JWT_SECRET") && errors.contains(reason), "{errors}");
        assert!(!errors.contains(JWT_SECRET) && !errors.contains("a-short-secret"), "{errors}");
    }
    // A command that does not need the secret runs.
    let mut other = command(&world, &["migrate", "--check"]);
    other.env("ONSALE_JWT_SECRET_FILE", &missing).env_remove("ONSALE_JWT_SECRET");
    assert_eq!(run(&mut other).0, Some(0));
}

#[tokio::test]
async fn a_file_that_every_user_can_read_is_used_with_a_warning() {
    let world = World::new().await;
    let folder = Folder::new();
    let check = |mode| {
        let path = folder.file("database", &world.database_url, mode);
        let mut command = command(&world, &["migrate", "--check"]);
        command.env("DATABASE_URL", "").env("DATABASE_URL_FILE", path);
        run(&mut command)
    };
    let (code, errors) = check(0o644);
    assert_eq!(code, Some(0), "{errors}");
    assert!(errors.contains("warning: DATABASE_URL_FILE"), "{errors}");
    let (code, errors) = check(0o640);
    assert_eq!((code, errors.as_str()), (Some(0), ""));
}

#[tokio::test]
async fn a_secret_as_a_flag_is_refused_and_help_shows_no_such_flag() {
    let world = World::new().await;
    for (flag, value) in [
        ("--database-url", world.database_url.as_str()),
        ("--redis-url", &world.redis_url),
        ("--jwt-secret", JWT_SECRET),
        ("--queue-secrets", QUEUE_SECRET),
    ] {
        let (code, errors) = run(&mut command(&world, &["serve", flag, value]));
        assert_eq!(code, Some(2), "{errors}");
        assert!(errors.contains("every user of the machine can read flags"), "{errors}");
        assert!(!errors.contains(value), "{errors}");
    }
    let help = bare(&["serve", "--help"]).output().expect("onsale runs");
    let help = String::from_utf8_lossy(&help.stdout).into_owned();
    for secret in ["DATABASE_URL", "REDIS_URL", "ONSALE_JWT_SECRET", "ONSALE_QUEUE_SECRETS"] {
        assert!(help.contains(&format!("  {secret}\n")), "{help}");
        assert!(!help.contains(&format!("<{secret}>")), "{help}");
    }
    assert!(help.contains("--listen"), "{help}");
}
