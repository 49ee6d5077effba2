//! A PostgreSQL data directory: where it is, whose it is, and making it.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use nix::unistd::geteuid;

use super::account::Account;
use super::error::DevError;
use super::find;
use super::folder::{self, Folder};
use super::process::command;

/// Where root's `PostgreSQL` keeps data whose own folder the account cannot get to: it survives a
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
                    return Err(DevError::Unreachable { account, path: path.clone() });
                }
            }
        }
        let password = (!folder.is_throwaway()).then(|| folder::secret(&home.join("password")));
        Ok(Self { home, bin, account, password: password.transpose()? })
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
    /// is killed in the middle of this leaves none; what `initdb` says goes to `log`, whose lock
    /// keeps the next start waiting until it has ended.
    pub(super) async fn initialise(&self, log: &File) -> Result<bool, DevError> {
        let (data, new) = (self.data(), self.home.join("data.new"));
        if data.exists() {
            return Ok(true);
        }
        if new.exists() {
            fs::remove_dir_all(&new).map_err(DevError::io("remove", &new))?;
        }
        let mut initdb = self.program("initdb");
        initdb.args(["--username", USER, "--encoding", "UTF8", "--no-locale", "--pgdata"]);
        initdb.arg(&new);
        if self.password.is_some() {
            let password = self.home.join("password");
            if let Some(account) = &self.account {
                account.give(&password)?;
            }
            initdb.args(["--auth", "password", "--pwfile"]).arg(password);
        } else {
            initdb.args(["--auth", "trust", "--no-sync"]);
        }
        let output = || log.try_clone().map_err(DevError::io("share the log with", &new));
        initdb.stdout(output()?).stderr(output()?);
        let status = tokio::process::Command::from(initdb).kill_on_drop(true).status().await;
        let made = status.map_err(DevError::io("run", &self.bin.join("initdb")))?.success();
        if made {
            fs::rename(&new, &data).map_err(DevError::io("make", &data))?;
        }
        Ok(made)
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
        Some(account) if !account.can_enter(folder.path()) => elsewhere(folder, &here, &account),
        _ => given_away(folder.private("postgres")?),
    }
}

/// A home outside of the folder, with a link to it in the folder. It lasts as long as the folder
/// may: beside it where that is temporary.
fn elsewhere(
    folder: &Folder,
    link: &Path,
    account: &Account,
) -> Result<(PathBuf, Option<Account>), DevError> {
    let temporary = folder::temporary().into_iter().find(|base| folder.path().starts_with(base));
    let parent = temporary.filter(|base| account.can_enter(base));
    let parent = parent.unwrap_or_else(|| ELSEWHERE.into());
    fs::create_dir_all(&parent).map_err(DevError::io("make", &parent))?;
    let home = parent.join(format!("onsale-{}", folder::random_hex::<8>()?));
    folder::make_private(&home, 0o700)?;
    symlink(&home, link).map_err(DevError::io("link", link))?;
    tracing::info!("PostgreSQL cannot run as root: its data is in {}", home.display());
    given_away(home)
}

fn given_away(home: PathBuf) -> Result<(PathBuf, Option<Account>), DevError> {
    let account = Account::unprivileged()?;
    if let Some(account) = &account {
        account.give(&home)?;
    }
    Ok((home, account))
}
