//! A PostgreSQL data directory: where it is, whose it is, and making it.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use nix::unistd::geteuid;

use super::account::Account;
use super::folder::{self, Folder};
use super::process::command;
use super::{DevError, find};

/// Where root's PostgreSQL keeps data whose own folder the account cannot get to: it survives a
/// restart of the machine and nobody cleans it up.
const ELSEWHERE: &str = "/var/lib/onsale";
/// The superuser, and the database made for it.
pub(super) const USER: &str = "onsale";

/// An initialised data directory, and what may run a server on it.
#[derive(Debug)]
pub(super) struct Cluster {
    home: PathBuf,
    /// The folder with the binaries.
    bin: PathBuf,
    /// Whom the server runs as, where that is not us.
    pub(super) account: Option<Account>,
    /// What the superuser gives to log in; none where the data is thrown away.
    pub(super) password: Option<String>,
}

impl Cluster {
    /// Where a folder's cluster is, and with which account and binaries it can be run.
    pub(super) fn locate(folder: &Folder) -> Result<Self, DevError> {
        let (home, account) = home(folder)?;
        let version = fs::read_to_string(home.join("data/PG_VERSION")).ok();
        let bin = find::postgres(version.and_then(|text| text.trim().parse().ok()))?;
        if let Some(account) = &account {
            for path in [&home, &bin] {
                if !account.can_enter(path) {
                    let account = account.name().to_owned();
                    return Err(DevError::Unreachable {
                        account,
                        path: path.clone(),
                    });
                }
            }
        }
        let password = (!folder.is_throwaway()).then(|| folder::secret(&home.join("password")));
        Ok(Self {
            home,
            bin,
            account,
            password: password.transpose()?,
        })
    }

    /// The data directory.
    pub(super) fn data(&self) -> PathBuf {
        self.home.join("data")
    }

    /// One of PostgreSQL's programs, to be run under the account that it needs.
    pub(super) fn program(&self, name: &str) -> std::process::Command {
        let mut command = command(self.bin.join(name));
        if let Some(account) = &self.account {
            account.lend(&mut command);
        }
        command
    }

    /// Makes the data directory where there is none. It appears in one step, so that a start that
    /// is killed in the middle of this leaves none.
    pub(super) async fn initialise(&self) -> Result<(), DevError> {
        let (data, new) = (self.data(), self.home.join("data.new"));
        if data.exists() {
            return Ok(());
        }
        if new.exists() {
            fs::remove_dir_all(&new).map_err(DevError::io("remove", &new))?;
        }
        let mut initdb = self.program("initdb");
        initdb.args([
            "--username",
            USER,
            "--encoding",
            "UTF8",
            "--no-locale",
            "--pgdata",
        ]);
        initdb.arg(&new);
        if self.password.is_some() {
            let password = self.home.join("password");
            if let Some(account) = &self.account {
                account.give(&password)?;
            }
            initdb
                .args(["--auth", "password", "--pwfile"])
                .arg(password);
        } else {
            initdb.args(["--auth", "trust", "--no-sync"]);
        }
        let output = tokio::process::Command::from(initdb)
            .kill_on_drop(true)
            .output()
            .await;
        let output = output.map_err(DevError::io("run", &self.bin.join("initdb")))?;
        if !output.status.success() {
            return Err(DevError::Start {
                server: "PostgreSQL",
                reason: format!("initdb: {}", output.status),
                log: String::from_utf8_lossy(&output.stderr).into_owned(),
            });
        }
        fs::rename(&new, &data).map_err(DevError::io("make", &data))
    }
}

/// The folder that holds the data directory, and whom it belongs to where that is not us.
fn home(folder: &Folder) -> Result<(PathBuf, Option<Account>), DevError> {
    let here = folder.path().join("postgres");
    if here.symlink_metadata().is_ok() {
        let home = here.canonicalize().map_err(DevError::io("follow", &here))?;
        let owner = Account::owner_of(&home)?;
        return if owner.is_none() && geteuid().is_root() {
            // Made, and not yet given away: a start was killed here.
            given_away(home)
        } else {
            Ok((home, owner))
        };
    }
    match Account::unprivileged()? {
        Some(account) if !account.can_enter(folder.path()) => elsewhere(&here),
        _ => given_away(folder.private("postgres")?),
    }
}

/// A home outside of the folder, with a link to it in the folder.
fn elsewhere(link: &Path) -> Result<(PathBuf, Option<Account>), DevError> {
    let parent = Path::new(ELSEWHERE);
    fs::create_dir_all(parent).map_err(DevError::io("make", parent))?;
    let home = parent.join(folder::random_hex::<8>()?);
    folder::make_private(&home, 0o700)?;
    symlink(&home, link).map_err(DevError::io("link", link))?;
    tracing::info!(
        "PostgreSQL cannot run as root: its data is in {}",
        home.display()
    );
    given_away(home)
}

fn given_away(home: PathBuf) -> Result<(PathBuf, Option<Account>), DevError> {
    let account = Account::unprivileged()?;
    if let Some(account) = &account {
        account.give(&home)?;
    }
    Ok((home, account))
}
