//! The folder with a server's data: kept for the next start, or removed with the server.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use aws_lc_rs::rand;

use crate::account::Account;
use crate::error::DevError;

/// A folder for a server's data.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    throwaway: bool,
    /// Marks the servers in this folder as ours; released when the process ends.
    _lock: Option<File>,
}

impl Folder {
    /// Opens a folder that is kept, and locks it for this `server`. Creates the folder if it is
    /// missing. The path becomes absolute.
    pub(crate) fn kept(path: &Path, server: &str) -> Result<Self, DevError> {
        fs::create_dir_all(path).map_err(DevError::io("create", path))?;
        let path = path.canonicalize().map_err(DevError::io("resolve", path))?;
        let lock = Some(lock(&path, server)?);
        Ok(Self { path, throwaway: false, _lock: lock })
    }

    /// Creates a folder that is removed when this is dropped. Every account may pass through it,
    /// because PostgreSQL may run under another account. Private subfolders have their own mode.
    pub(crate) fn throwaway() -> Result<Self, DevError> {
        let account = Account::unprivileged()?;
        let usable = |base: &PathBuf| account.as_ref().is_none_or(|it| it.can_enter(base));
        let base = temporary().into_iter().find(usable).unwrap_or_else(std::env::temp_dir);
        let path = base.join(format!("onsale-{}", random_hex::<8>()?));
        make_private(&path, 0o711)?;
        Ok(Self { path, throwaway: true, _lock: None })
    }

    /// The absolute path of the folder.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the folder is removed with its owner. Then its data need not survive a power
    /// failure.
    pub(crate) fn is_throwaway(&self) -> bool {
        self.throwaway
    }

    /// A subfolder that only its owner may enter; created if it is missing.
    pub(crate) fn private(&self, name: &str) -> Result<PathBuf, DevError> {
        let path = self.path.join(name);
        if !path.exists() {
            make_private(&path, 0o700)?;
        }
        Ok(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.throwaway
            && let Err(error) = fs::remove_dir_all(&self.path)
            && error.kind() != ErrorKind::NotFound
        {
            tracing::warn!(path = %self.path.display(), %error, "a folder could not be removed");
        }
    }
}

/// The system's folders for temporary files; the one from the environment comes first.
pub(crate) fn temporary() -> Vec<PathBuf> {
    let bases = [std::env::temp_dir(), "/tmp".into(), "/var/tmp".into()];
    bases.into_iter().filter_map(|base| base.canonicalize().ok()).collect()
}

/// Creates a folder with this mode, independent of the umask.
pub(crate) fn make_private(path: &Path, mode: u32) -> Result<(), DevError> {
    use std::os::unix::fs::PermissionsExt;
    DirBuilder::new().mode(mode).create(path).map_err(DevError::io("create", path))?;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
        .map_err(DevError::io("set the mode of", path))
}

fn lock(folder: &Path, server: &str) -> Result<File, DevError> {
    let path = folder.join(format!("{server}.lock"));
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(DevError::io("open", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(DevError::InUse(folder.to_owned())),
        Err(fs::TryLockError::Error(error)) => Err(DevError::io("lock", &path)(error)),
    }
}

/// The secret in this file; if the file is missing, a new random secret (32 bytes in hex).
pub(crate) fn secret(path: &Path) -> Result<String, DevError> {
    let mut text = String::new();
    match File::open(path).and_then(|mut file| file.read_to_string(&mut text)) {
        Ok(_) => return Ok(text.trim().to_owned()),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(DevError::io("read", path)(error)),
    }
    let secret = random_hex::<32>()?;
    write_private(path, &format!("{secret}\n"))?;
    Ok(secret)
}

/// Writes a file that only its owner may read, in one step: nobody can read half of it.
pub(crate) fn write_private(path: &Path, text: &str) -> Result<(), DevError> {
    let new = path.with_extension("new");
    let mut options = OpenOptions::new();
    options.create(true).write(true).truncate(true).mode(0o600);
    options
        .open(&new)
        .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&new, path))
        .map_err(DevError::io("write", path))
}

pub(crate) fn random_hex<const BYTES: usize>() -> Result<String, DevError> {
    let mut bytes = [0; BYTES];
    rand::fill(&mut bytes).map_err(|_| DevError::Io {
        what: "cannot create random bytes".into(),
        error: ErrorKind::Other.into(),
    })?;
    Ok(hex::encode(bytes))
}
