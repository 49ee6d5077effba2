//! The file of `onsale restore prepare`: written whole or not at all, never over another file, and
//! read only if nothing in it has changed.

use std::fs::{File, OpenOptions};
use std::io::{Error, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest;
use serde::{Deserialize, Serialize};

use super::RestoreError;
use super::model::{SavedState, VERSION};

const FORMAT: &str = "onsale-restore";

/// Rights of the file: only its owner reads it, since it names users and holds.
const MODE: u32 = 0o600;

/// The beginning of every version.
#[derive(Debug, Deserialize)]
struct Head {
    format: String,
    version: u64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope<K> {
    format: String,
    version: u64,
    /// SHA-256 of `content` as this program writes it.
    sha256: String,
    content: K,
}

/// Writes the file, and waits until it is on disk.
///
/// # Errors
/// [`RestoreError::Exists`] if there is a file of that name; [`RestoreError::File`].
pub fn write(path: &Path, saved: &SavedState) -> Result<(), RestoreError> {
    if path.exists() {
        return Err(RestoreError::Exists(path.to_owned()));
    }
    let failed = |error| RestoreError::File(path.to_owned(), error);
    let sha256 = checksum(saved).map_err(|error| failed(error.into()))?;
    let envelope = Envelope { format: FORMAT.to_owned(), version: VERSION, sha256, content: saved };
    let text = serde_json::to_vec_pretty(&envelope).map_err(|error| failed(error.into()))?;
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let partial = folder.join(format!(".onsale-restore-{}", saved.id));
    let written = write_to(&partial, &text).and_then(|()| {
        // Unlike a rename, a link does not replace a file that another command has just written.
        std::fs::hard_link(&partial, path)
    });
    let removed = std::fs::remove_file(&partial);
    written.map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => RestoreError::Exists(path.to_owned()),
        _ => failed(error),
    })?;
    removed.map_err(failed)?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)
}

fn write_to(path: &PathBuf, text: &[u8]) -> Result<(), Error> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(MODE).open(path)?;
    file.write_all(text)?;
    file.sync_all()
}

/// Reads the file.
///
/// # Errors
/// [`RestoreError::File`], [`RestoreError::Damaged`], [`RestoreError::Version`].
pub fn read(path: &Path) -> Result<SavedState, RestoreError> {
    let text = std::fs::read(path).map_err(|error| RestoreError::File(path.to_owned(), error))?;
    let damaged = |reason: String| RestoreError::Damaged(path.to_owned(), reason);
    let head: Head = serde_json::from_slice(&text).map_err(|error| damaged(error.to_string()))?;
    if head.format != FORMAT {
        return Err(damaged(format!("its format is {:?}", head.format)));
    }
    if head.version != VERSION {
        return Err(RestoreError::Version(path.to_owned(), head.version));
    }
    let envelope: Envelope<SavedState> =
        serde_json::from_slice(&text).map_err(|error| damaged(error.to_string()))?;
    let sha256 = checksum(&envelope.content).map_err(|error| damaged(error.to_string()))?;
    if sha256 != envelope.sha256 {
        return Err(damaged("its contents do not match their checksum".to_owned()));
    }
    Ok(envelope.content)
}

fn checksum(saved: &SavedState) -> Result<String, serde_json::Error> {
    let text = serde_json::to_vec(saved)?;
    Ok(hex::encode(digest::digest(&digest::SHA256, &text)))
}

#[cfg(test)]
mod tests {
    use chrono::Utc;
    use uuid::Uuid;

    use super::*;
    use crate::store::id::{ScheduleId, UserId};
    use crate::upkeep::restore::model::{SavedSchedule, SavedSeat, SavedSeatState, SecretDigests};

    fn saved() -> SavedState {
        let seat = |number, state| SavedSeat {
            number,
            state,
            fence: 3,
            hold: Some(Uuid::now_v7()),
            user: Some(UserId(7)),
        };
        let seats = vec![seat(1, SavedSeatState::Sold), seat(9, SavedSeatState::Held)];
        let schedule = ScheduleId(4);
        SavedState {
            id: Uuid::now_v7(),
            prepared_at: Utc::now(),
            secrets: SecretDigests { jwt_secret: None, queue_secrets: vec!["a".to_owned()] },
            running: Vec::new(),
            postgres: None,
            schedules: vec![SavedSchedule {
                schedule,
                epoch: 2,
                last_entry: 30,
                complete: true,
                seats,
            }],
        }
    }

    #[test]
    fn a_file_is_read_as_it_was_written_and_is_never_replaced() {
        let folder = std::env::temp_dir().join(format!("onsale-file-{}", Uuid::now_v7()));
        std::fs::create_dir(&folder).unwrap();
        let path = folder.join("saved.json");
        let first = saved();
        write(&path, &first).unwrap();
        assert_eq!(read(&path).unwrap(), first);
        assert!(matches!(write(&path, &saved()), Err(RestoreError::Exists(_))));
        assert_eq!(read(&path).unwrap(), first);
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1, "no other file stays");
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn every_change_of_a_value_is_noticed() {
        let path = std::env::temp_dir().join(format!("onsale-file-{}", Uuid::now_v7()));
        write(&path, &saved()).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        for (old, new) in [
            ("\"epoch\": 2", "\"epoch\": 3"),
            ("\"sold\"", "\"held\""),
            ("\"user\": 7", "\"user\": null"),
            ("\"complete\": true", "\"complete\": true, \"more\": 1"),
            ("onsale-restore", "something-else"),
            ("\"version\": 1", "\"version\": 2"),
        ] {
            assert!(text.contains(old), "{old}");
            std::fs::write(&path, text.replacen(old, new, 1)).unwrap();
            assert!(read(&path).is_err(), "{new}");
        }
        for length in [0, 1, text.len() / 2, text.len() - 1] {
            std::fs::write(&path, &text[..length]).unwrap();
            assert!(matches!(read(&path), Err(RestoreError::Damaged(..))), "{length} bytes");
        }
        std::fs::write(&path, &text).unwrap();
        assert!(read(&path).is_ok());
        std::fs::remove_file(&path).unwrap();
    }
}
