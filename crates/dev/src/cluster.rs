//! The data directory of a PostgreSQL server: its location, its owner, and its creation.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use nix::unistd::geteuid;

use crate::account::Account;
use crate::error::DevError;
use crate::find;
use crate::folder::{self, Folder};
use crate::process::command;

/// Folder for the data of root's `PostgreSQL` if the account cannot enter the original folder. It
/// survives a restart of the machine, and no program cleans it up.
const ELSEWHERE: &str = "/var/lib/onsale";
/// Name of the superuser and of its database.
pub(crate) const USER: &str = "onsale";

/// A data directory, with the account and the binaries that run a server on it.
#[derive(Debug)]
pub(crate) struct Cluster {
    home: PathBuf,
    /// The folder with the binaries.
    bin: PathBuf,
    /// The account that the server runs under, if that is not our own.
    pub(crate) account: Option<Account>,
    /// The superuser's password; `None` for throwaway data.
    pub(crate) password: Option<String>,
}

impl Cluster {
    /// Finds the data directory of a folder, and the account and binaries to run a server on it.
    pub(crate) fn locate(folder: &Folder) -> Result<Self, DevError> {
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
    pub(crate) fn data(&self) -> PathBuf {
        self.home.join("data")
    }

    /// A command for one of PostgreSQL's programs, under the account that it needs.
    pub(crate) fn program(&self, name: &str) -> std::process::Command {
        let mut command = command(self.bin.join(name));
        if let Some(account) = &self.account {
            account.lend(&mut command);
        }
        command
    }

    /// Creates the data directory if there is none. It appears in one step, so a start that is
    /// killed during this leaves no half directory. The output of `initdb` goes to `log`, whose
    /// lock makes the next start wait until `initdb` has ended. Returns whether it succeeded.
    pub(crate) async fn initialise(&self, log: &File) -> Result<bool, DevError> {
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
        let succeeded = status.map_err(DevError::io("run", &self.bin.join("initdb")))?.success();
        if succeeded {
            fs::rename(&new, &data).map_err(DevError::io("create", &data))?;
        }
        Ok(succeeded)
    }

    /// Copies the data of a running server without a password, for a standby that follows it.
    pub(crate) async fn copy_from(&self, url: &str) -> Result<(), DevError> {
        let mut copy = self.program("pg_basebackup");
        copy.args(["--dbname", url, "--checkpoint=fast", "--wal-method=stream", "--no-sync"]);
        copy.args(["--write-recovery-conf", "--pgdata"]).arg(self.data());
        let copied = tokio::process::Command::from(copy).kill_on_drop(true).output().await;
        let copied = copied.map_err(DevError::io("run", &self.bin.join("pg_basebackup")))?;
        if copied.status.success() {
            return Ok(());
        }
        Err(DevError::Database(String::from_utf8_lossy(&copied.stderr).into_owned()))
    }
}

/// The folder that contains the data directory, and its owner if that is not us.
fn home(folder: &Folder) -> Result<(PathBuf, Option<Account>), DevError> {
    let path = folder.path().join("postgres");
    if path.symlink_metadata().is_ok() {
        let home = path.canonicalize().map_err(DevError::io("follow", &path))?;
        let owner = Account::owner_of(&home)?;
        return if owner.is_none() && geteuid().is_root() {
            // An earlier start was killed before it changed the owner.
            change_owner(home)
        } else {
            Ok((home, owner))
        };
    }
    match Account::unprivileged()? {
        Some(account) if !account.can_enter(folder.path()) => elsewhere(folder, &path, &account),
        _ => change_owner(folder.private("postgres")?),
    }
}

/// Creates the home outside of the folder, with a link in the folder. For a folder in a temporary
/// directory, the home is in the same directory.
fn elsewhere(
    folder: &Folder,
    link: &Path,
    account: &Account,
) -> Result<(PathBuf, Option<Account>), DevError> {
    let temporary = folder::temporary().into_iter().find(|base| folder.path().starts_with(base));
    let parent = temporary.filter(|base| account.can_enter(base));
    let parent = parent.unwrap_or_else(|| ELSEWHERE.into());
    fs::create_dir_all(&parent).map_err(DevError::io("create", &parent))?;
    let home = parent.join(format!("onsale-{}", folder::random_hex::<8>()?));
    folder::make_private(&home, 0o700)?;
    symlink(&home, link).map_err(DevError::io("link", link))?;
    tracing::info!(home = %home.display(), "PostgreSQL cannot run as root: its data is elsewhere");
    change_owner(home)
}

/// Makes the unprivileged account the owner of `home`.
fn change_owner(home: PathBuf) -> Result<(PathBuf, Option<Account>), DevError> {
    let account = Account::unprivileged()?;
    if let Some(account) = &account {
        account.give(&home)?;
    }
    Ok((home, account))
}
