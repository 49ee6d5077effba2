//! The account for PostgreSQL, which refuses to run as root: root starts it under an unprivileged
//! account.

use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use nix::unistd::{Gid, Uid, User, chown, geteuid};

use crate::error::DevError;

/// An account other than our own. Only root can use one.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    name: String,
    uid: Uid,
    gid: Gid,
}

impl Account {
    /// `postgres` if the system has it, else `nobody`; `None` if we are not root.
    pub(crate) fn unprivileged() -> Result<Option<Self>, DevError> {
        if !geteuid().is_root() {
            return Ok(None);
        }
        for name in ["postgres", "nobody"] {
            if let Ok(Some(user)) = User::from_name(name) {
                return Ok(Some(Self { name: user.name, uid: user.uid, gid: user.gid }));
            }
        }
        Err(DevError::Missing {
            what: "an unprivileged account (`postgres` or `nobody`)".into(),
            hint: "PostgreSQL does not run as root: start onsale as another user.".into(),
        })
    }

    /// The account that owns existing data; `None` if that is our own or we are not root.
    pub(crate) fn owner_of(data: &Path) -> Result<Option<Self>, DevError> {
        let metadata = data.metadata().map_err(DevError::io("read the owner of", data))?;
        let (uid, gid) = (Uid::from_raw(metadata.uid()), Gid::from_raw(metadata.gid()));
        if !geteuid().is_root() || uid.is_root() {
            return Ok(None);
        }
        let user = User::from_uid(uid).ok().flatten();
        let name = user.map_or_else(|| uid.to_string(), |user| user.name);
        Ok(Some(Self { name, uid, gid }))
    }

    /// The account's name, for messages.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether the account may enter this folder and all its parent folders.
    pub(crate) fn can_enter(&self, folder: &Path) -> bool {
        let Ok(folder) = folder.canonicalize() else {
            return false;
        };
        folder.ancestors().all(|step| {
            step.metadata().is_ok_and(|metadata| {
                let execute = if metadata.uid() == self.uid.as_raw() {
                    0o100
                } else if metadata.gid() == self.gid.as_raw() {
                    0o010
                } else {
                    0o001
                };
                metadata.mode() & execute != 0
            })
        })
    }

    /// Makes the account the owner of a file or folder.
    pub(crate) fn give(&self, path: &Path) -> Result<(), DevError> {
        chown(path, Some(self.uid), Some(self.gid))
            .map_err(|errno| DevError::io("change the owner of", path)(errno.into()))
    }

    /// Makes the command run under this account; the child process is the program itself.
    pub(crate) fn lend(&self, command: &mut Command) {
        command.uid(self.uid.as_raw()).gid(self.gid.as_raw());
    }
}
