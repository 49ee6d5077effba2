//! The format of recovery codes.
//!
//! A code has 24 symbols in six groups, from Crockford's base 32, which has no letters that look
//! like digits. The first 8 symbols (the selector, 40 bits) find the code in PostgreSQL. The other
//! 16 symbols (80 bits) prove that the user has the code. PostgreSQL stores only the code's hash,
//! and the comparison takes constant time.

use aws_lc_rs::error::Unspecified;
use aws_lc_rs::{constant_time, digest, rand};

const SYMBOLS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const LENGTH: usize = 24;
const SELECTOR: usize = 8;
const GROUP: usize = 4;

/// Longest text that is read as a code, in bytes. It leaves room for spaces and hyphens.
pub(super) const MAX_TEXT_BYTES: usize = 100;

/// A recovery code, without hyphens.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct RecoveryCode(String);

impl RecoveryCode {
    /// Creates a random code.
    pub(super) fn random() -> Result<Self, Unspecified> {
        let mut bytes = [0; LENGTH];
        rand::fill(&mut bytes)?;
        // 256 is a multiple of 32, so every symbol is equally likely.
        let symbol = |byte: &u8| char::from(SYMBOLS[usize::from(byte % 32)]);
        Ok(Self(bytes.iter().map(symbol).collect()))
    }

    /// Reads a typed code. Hyphens, spaces and case do not matter. The letters O, I and L, which no
    /// code has, count as the digits that they look like.
    pub(super) fn read(text: &str) -> Option<Self> {
        if text.len() > MAX_TEXT_BYTES {
            return None;
        }
        let symbols = text.chars().filter(|c| !c.is_whitespace() && !matches!(c, '-' | '–' | '—'));
        let symbol = |c: char| match c.to_ascii_uppercase() {
            'O' => Some('0'),
            'I' | 'L' => Some('1'),
            c => u8::try_from(c).ok().filter(|c| SYMBOLS.contains(c)).map(char::from),
        };
        let code = symbols.map(symbol).collect::<Option<String>>()?;
        (code.len() == LENGTH).then_some(Self(code))
    }

    /// Returns the code in groups, for display.
    pub(super) fn shown(&self) -> String {
        let groups: Vec<_> = self.0.as_bytes().chunks(GROUP).map(String::from_utf8_lossy).collect();
        groups.join("-")
    }

    /// Returns the part that finds the code in PostgreSQL.
    pub(super) fn selector(&self) -> &str {
        &self.0[..SELECTOR]
    }

    /// Returns the hash that PostgreSQL stores.
    pub(super) fn hash(&self) -> Vec<u8> {
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(b"onsale recovery code\0");
        context.update(self.0.as_bytes());
        context.finish().as_ref().to_vec()
    }

    /// Whether `hash` is the hash of this code. The comparison takes constant time.
    pub(super) fn has_hash(&self, hash: &[u8]) -> bool {
        constant_time::verify_slices_are_equal(&self.hash(), hash).is_ok()
    }
}

impl std::fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RecoveryCode(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_accepted_in_any_common_spelling() {
        let code = RecoveryCode::random().unwrap();
        let shown = code.shown();
        assert_eq!(shown.len(), LENGTH + 5);
        for typed in [
            shown.clone(),
            shown.to_lowercase(),
            shown.replace('-', " "),
            format!("  {}\n", shown.replace('-', "")),
            shown.replace('0', "O").replace('1', "l"),
        ] {
            assert_eq!(RecoveryCode::read(&typed), Some(code.clone()), "{typed}");
        }
        assert!(!format!("{code:?}").contains(code.selector()));
    }

    #[test]
    fn a_text_that_is_no_code_is_refused() {
        let shown = RecoveryCode::random().unwrap().shown();
        let u = shown.replacen(&shown[..1], "U", 1);
        let long = " ".repeat(MAX_TEXT_BYTES) + &shown;
        for text in
            ["", "-", &shown[1..], &format!("{shown}0"), &u, &shown.replace('-', "_"), &long]
        {
            assert_eq!(RecoveryCode::read(text), None, "{text:?}");
        }
    }

    #[test]
    fn only_the_code_itself_has_its_hash() {
        let (code, other) = (RecoveryCode::random().unwrap(), RecoveryCode::random().unwrap());
        assert!(code.has_hash(&code.hash()));
        assert!(!code.has_hash(&other.hash()));
        assert!(!code.has_hash(&[]));
        let same_selector =
            RecoveryCode::read(&format!("{}{}", code.selector(), "0".repeat(16))).unwrap();
        assert!(!same_selector.has_hash(&code.hash()));
    }
}
