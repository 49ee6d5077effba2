//! Finds the binaries of the servers on this machine.

use std::cmp::Reverse;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::DevError;

/// Lowest major version of Redis.
const REDIS: u32 = 7;
/// Lowest major version of PostgreSQL.
const POSTGRES: u32 = 15;

/// Folders in which packages install PostgreSQL outside of PATH, with one folder per version.
const POSTGRES_PARENTS: [&str; 4] = [
    "/usr/lib/postgresql",
    "/usr/local/opt",
    "/opt/homebrew/opt",
    "/home/linuxbrew/.linuxbrew/opt",
];
/// Folders in which Homebrew links programs, in case PATH does not contain them.
const HOMEBREW: [&str; 2] = ["/opt/homebrew/bin", "/usr/local/bin"];
/// Folder in which `scripts/stores.sh` links programs that it could not install for all users.
const PRIVATE: &str = ".onsale/bin";

const HINT: &str = "`make run` and `make test` install it (scripts/stores.sh).";

/// The Redis or Valkey server: `ONSALE_REDIS_SERVER`, else the first on PATH that is new enough.
pub(crate) fn redis() -> Result<PathBuf, DevError> {
    let configured = env::var_os("ONSALE_REDIS_SERVER").map(PathBuf::from);
    let found = folders()
        .into_iter()
        .flat_map(|folder| ["redis-server", "valkey-server"].map(|name| folder.join(name)));
    configured
        .into_iter()
        .chain(found)
        .find(|server| major(server).is_some_and(|version| version >= REDIS))
        .ok_or_else(|| DevError::Missing {
            what: format!("redis-server or valkey-server, version {REDIS} or later,"),
            hint: format!("{HINT} Or set ONSALE_REDIS_SERVER=/path/to/redis-server."),
        })
}

/// The folder with `initdb` and `postgres`: `ONSALE_POSTGRES_BIN`, else the newest version. Only
/// the same major version can read existing data.
pub(crate) fn postgres(existing: Option<u32>) -> Result<PathBuf, DevError> {
    let configured = env::var_os("ONSALE_POSTGRES_BIN").map(PathBuf::from);
    let versions = POSTGRES_PARENTS.iter().flat_map(fs::read_dir).flatten();
    let packaged = versions.flatten().map(|entry| entry.path().join("bin"));
    let found = match configured {
        Some(folder) => vec![folder],
        None => packaged.chain(folders()).collect(),
    };
    found
        .into_iter()
        .filter(|folder| folder.join("initdb").is_file())
        .filter_map(|folder| Some((major(&folder.join("postgres"))?, folder)))
        .filter(|(version, _)| match existing {
            Some(existing) => *version == existing,
            None => *version >= POSTGRES,
        })
        .min_by_key(|(version, _)| Reverse(*version))
        .map(|(_, folder)| folder)
        .ok_or_else(|| missing_postgres(existing))
}

fn missing_postgres(existing: Option<u32>) -> DevError {
    match existing {
        Some(version) => DevError::Missing {
            what: format!("PostgreSQL {version}"),
            hint: "That version has created the data folder: install it, or remove the folder's \
                   `postgres` to start empty."
                .into(),
        },
        None => DevError::Missing {
            what: format!("PostgreSQL {POSTGRES} or later"),
            hint: format!("{HINT} Or set ONSALE_POSTGRES_BIN=/folder/with/initdb."),
        },
    }
}

fn folders() -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let private = env::current_dir().map(|folder| folder.join(PRIVATE));
    env::split_paths(&path).chain(HOMEBREW.map(PathBuf::from)).chain(private).collect()
}

/// The major version that a program prints; `None` if it does not run.
fn major(program: &Path) -> Option<u32> {
    if !program.is_file() {
        return None;
    }
    let output = Command::new(program).arg("--version").output().ok()?;
    version_in(&String::from_utf8_lossy(&output.stdout))
}

/// The major version in a text such as `postgres (PostgreSQL) 15.18 (Debian …)` or
/// `Redis server v=7.0.15 sha=…`.
fn version_in(text: &str) -> Option<u32> {
    text.split_whitespace().find_map(|word| {
        let word = word.strip_prefix("v=").unwrap_or(word);
        let digits = word.find(|c: char| !c.is_ascii_digit()).unwrap_or(word.len());
        word[..digits].parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::version_in;

    #[test]
    fn the_major_version_is_read_from_the_output_of_each_server() {
        let postgres = "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)";
        let redis = "Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64";
        assert_eq!(version_in(postgres), Some(15));
        assert_eq!(version_in("postgres (PostgreSQL) 19devel"), Some(19));
        assert_eq!(version_in(redis), Some(7));
        assert_eq!(version_in("Valkey server v=9.1.2"), Some(9));
        assert_eq!(version_in("command not found"), None);
    }
}
