//! Reads a secret from a file.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Maximum size of the file of a secret, in bytes.
const MAX_BYTES: u64 = 64 * 1024;

/// Permission of users other than the owner and the group to read a file.
const OTHERS_READ: u32 = 0o004;

/// A secret that was read from a file.
pub(super) struct SecretFile {
    /// Path of the file.
    pub(super) path: PathBuf,
    /// The secret, without line ends after it.
    pub(super) text: String,
    /// Whether every user of the machine can read the file.
    pub(super) is_open: bool,
}

/// Why the file of a secret cannot be used. The text contains nothing of the file.
#[derive(Debug, thiserror::Error)]
pub(super) enum SecretFileError {
    #[error("the file cannot be read: {0}")]
    Unreadable(#[from] std::io::Error),
    #[error("the file is empty")]
    Empty,
    #[error("the file is larger than 64 KiB")]
    TooLarge,
    #[error("the file has more than one line, or a control character")]
    SeveralLines,
    #[error("the secret begins or ends with a space")]
    Space,
}

/// Reads the file at `path`. The line end that editors and `echo` write is not a part of the secret.
pub(super) fn read(path: &Path) -> Result<SecretFile, SecretFileError> {
    let file = File::open(path)?;
    let mode = file.metadata()?.permissions().mode();
    let mut text = String::new();
    file.take(MAX_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MAX_BYTES {
        return Err(SecretFileError::TooLarge);
    }
    let text = text.trim_end_matches(['\n', '\r']);
    if text.trim().is_empty() {
        return Err(SecretFileError::Empty);
    }
    if text.contains(char::is_control) {
        return Err(SecretFileError::SeveralLines);
    }
    if text.trim() != text {
        return Err(SecretFileError::Space);
    }
    let is_open = mode & OTHERS_READ != 0;
    Ok(SecretFile { path: path.to_owned(), text: text.to_owned(), is_open })
}

impl std::fmt::Debug for SecretFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecretFile").field("path", &self.path).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_one_line_that_is_not_empty() {
        let folder = std::env::temp_dir().join(format!("onsale-secret-{}", uuid::Uuid::now_v7()));
        std::fs::create_dir(&folder).unwrap();
        let path = folder.join("secret");
        let read_text = |text: &[u8]| {
            std::fs::write(&path, text).unwrap();
            read(&path).map(|file| file.text)
        };
        for good in ["one secret", "one secret\n", "one secret\r\n", "one secret\n\n"] {
            assert_eq!(read_text(good.as_bytes()).unwrap(), "one secret");
        }
        assert!(matches!(read_text(b""), Err(SecretFileError::Empty)));
        assert!(matches!(read_text(b" \n"), Err(SecretFileError::Empty)));
        assert!(matches!(read_text(b"one\ntwo"), Err(SecretFileError::SeveralLines)));
        assert!(matches!(read_text(b" one\n"), Err(SecretFileError::Space)));
        assert!(matches!(read_text(&[0xff]), Err(SecretFileError::Unreadable(_))));
        assert!(matches!(read_text(&vec![b'a'; 65_537]), Err(SecretFileError::TooLarge)));
        assert!(matches!(read(&folder), Err(SecretFileError::Unreadable(_))));
        assert!(matches!(read(&folder.join("none")), Err(SecretFileError::Unreadable(_))));
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_file_that_everybody_can_read_is_recognized() {
        let path = std::env::temp_dir().join(format!("onsale-secret-{}", uuid::Uuid::now_v7()));
        std::fs::write(&path, "one secret").unwrap();
        for (mode, is_open) in [(0o600, false), (0o640, false), (0o644, true), (0o604, true)] {
            std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
            assert_eq!(read(&path).unwrap().is_open, is_open, "{mode:o}");
        }
        std::fs::remove_file(&path).unwrap();
    }
}
