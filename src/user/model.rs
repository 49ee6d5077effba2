//! Users, and the rules for their names.

use chrono::{DateTime, Utc};
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

use crate::store::id::UserId;

/// A user: a buyer or an administrator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Id, assigned by PostgreSQL.
    pub id: UserId,
    /// Name, 1 to 100 characters.
    pub name: String,
}

/// Identity of a user at an identity provider.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Subject {
    /// The provider: the `iss` claim.
    pub issuer: String,
    /// The provider's id for the user: the `sub` claim.
    pub subject: String,
}

/// A user of an identity provider, as PostgreSQL stores it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubjectUser {
    /// Id of the user.
    pub id: UserId,
    /// Name of the user.
    pub name: String,
    /// When the token that set the name was issued; `None` if no token has set it.
    pub named_at: Option<DateTime<Utc>>,
}

impl SubjectUser {
    /// Whether `claimed` is a different name from a later token.
    #[must_use]
    pub fn is_renamed_by(&self, claimed: &ClaimedName) -> bool {
        self.name != claimed.name && self.named_at.is_none_or(|at| at < claimed.issued_at)
    }
}

/// Longest name, in characters.
pub const MAX_NAME: usize = 100;

/// Longest subject, in bytes. Providers that follow `OpenID` Connect send no longer ones.
pub const MAX_SUBJECT_BYTES: usize = 255;

/// Name of a provider's user without a usable name.
const NEUTRAL_NAME: &str = "Buyer";

/// The cleaned name in an identity provider's token, and when the token was issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimedName {
    /// Name, cleaned by [`tidy_name`].
    pub name: String,
    /// The token's `iat` claim. The name with the later one applies.
    pub issued_at: DateTime<Utc>,
}

impl ClaimedName {
    /// Cleans `name` and cuts it to [`MAX_NAME`]; `None` if nothing visible is left.
    #[must_use]
    pub fn new(name: &str, issued_at: DateTime<Utc>) -> Option<Self> {
        clip(name).map(|name| Self { name, issued_at })
    }
}

/// Cleans a name: removes control characters, bidirectional controls, and spaces around it. `None`
/// if nothing visible is left, if the name is too long, or if it has a NUL, which PostgreSQL's text
/// cannot store.
#[must_use]
pub fn tidy_name(name: &str) -> Option<String> {
    if name.contains('\0') {
        return None;
    }
    let cleaned: String = name.chars().filter_map(clean_char).collect();
    let name = cleaned.trim();
    let fits = (1..=MAX_NAME).contains(&name.chars().count());
    (fits && name.chars().any(is_visible)).then(|| name.to_owned())
}

/// Chooses the initial name of an identity provider's user: the claimed name, or else the subject,
/// or else a neutral name.
#[must_use]
pub fn name_of(subject: &Subject, claimed: Option<&ClaimedName>) -> String {
    let name = claimed.map(|claimed| claimed.name.clone()).or_else(|| clip(&subject.subject));
    name.unwrap_or_else(|| NEUTRAL_NAME.to_owned())
}

/// Cleans a name of any length: removes NULs, and cuts it to [`MAX_NAME`].
fn clip(name: &str) -> Option<String> {
    let cleaned: String = name.chars().filter(|c| *c != '\0').filter_map(clean_char).collect();
    tidy_name(&cleaned.trim().chars().take(MAX_NAME).collect::<String>())
}

/// Cleans one character of a name. Tabs and line breaks become spaces. Other control characters,
/// bidirectional controls and byte order marks are removed. Joiners stay, because names and emoji
/// need them.
fn clean_char(c: char) -> Option<char> {
    match c {
        '\t' | '\n' | '\r' => Some(' '),
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' => None,
        c if c.is_control() => None,
        c => Some(c),
    }
}

/// Whether a character is visible alone: a letter, number, punctuation mark or symbol. Combining
/// marks, spaces, format and private-use characters do not count, nor do the letters and the symbol
/// that are blank by definition.
fn is_visible(c: char) -> bool {
    use GeneralCategoryGroup::{Letter, Number, Punctuation, Symbol};
    let blank = ['\u{115f}', '\u{1160}', '\u{2800}', '\u{3164}', '\u{ffa0}'];
    let group = c.general_category_group();
    matches!(group, Letter | Number | Punctuation | Symbol) && !blank.contains(&c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_1_to_100_characters_without_the_spaces_around_it() {
        assert_eq!(tidy_name("  Ada \n").as_deref(), Some("Ada"));
        assert_eq!(tidy_name(&"가".repeat(100)).map(|name| name.chars().count()), Some(100));
        for bad in ["", " \t\n", &"가".repeat(101), "a\0b"] {
            assert_eq!(tidy_name(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_name_with_nothing_visible_in_it_is_refused() {
        for invisible in [
            "\u{200b}\u{200d}\u{2060}", // zero-width
            "\u{feff}",                 // byte order mark
            "\u{ad}\u{61c}\u{200e}",    // format
            "\u{202e}\u{2066}\u{2069}", // bidirectional overrides and isolates
            "\u{301}\u{308}",           // combining marks alone
            "\u{7}\u{1b}\u{85}",        // control
            "\u{3164}\u{115f}\u{ffa0}", // Hangul fillers
            "\u{2800}",                 // blank Braille pattern
            "\u{3000}\u{a0}\u{2003}",   // spaces
            "\u{e0041}\u{fe0f}",        // tags and variation selectors
            "\u{e000}\u{10fffd}",       // private use
        ] {
            assert_eq!(tidy_name(invisible), None, "{invisible:?}");
            assert_eq!(ClaimedName::new(invisible, Utc::now()), None, "{invisible:?}");
        }
        for visible in ["김 서연", "José", "e\u{301}", "👩\u{200d}🚀", "محمد", "3", "?", "नेहा"]
        {
            assert_eq!(tidy_name(visible).as_deref(), Some(visible));
        }
    }

    #[test]
    fn bidirectional_controls_and_line_breaks_are_removed_from_a_name() {
        assert_eq!(tidy_name("Ada\u{202e}\n\u{1b}[2J Kim").as_deref(), Some("Ada [2J Kim"));
    }

    #[test]
    fn a_providers_user_always_gets_a_valid_name() {
        for subject in ["auth0|7", &"x".repeat(255), "  ", "a\0b", "\u{200b}"] {
            let subject = Subject { issuer: "idp".into(), subject: subject.into() };
            assert!(tidy_name(&name_of(&subject, None)).is_some(), "{subject:?}");
        }
        let subject = Subject { issuer: "idp".into(), subject: "\u{200b}".into() };
        assert_eq!(name_of(&subject, None), NEUTRAL_NAME);
        let long = ClaimedName::new(&format!("\0 {}", "가".repeat(200)), Utc::now()).unwrap();
        assert_eq!(name_of(&subject, Some(&long)), "가".repeat(MAX_NAME));
    }
}
