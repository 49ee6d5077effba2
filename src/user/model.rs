//! A user, and what a name may be.

use crate::store::id::UserId;

/// A person, buyer or administrator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Given out by PostgreSQL.
    pub id: UserId,
    /// What they call themselves: 1 to 100 characters.
    pub name: String,
}

/// The pair that an identity provider knows a person by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Subject {
    /// The provider.
    pub issuer: String,
    /// The person, in the provider's words.
    pub subject: String,
}

/// The longest name, in characters.
pub const MAX_NAME: usize = 100;

/// The longest subject, in bytes; no provider that follows the standard sends a longer one.
pub const MAX_SUBJECT_BYTES: usize = 255;

/// A name as it is kept, without the spaces around it; none where nothing is left, where it is too
/// long, or where it has a NUL, which PostgreSQL's text cannot hold.
#[must_use]
pub fn tidy_name(name: &str) -> Option<String> {
    let name = name.trim();
    let fits = (1..=MAX_NAME).contains(&name.chars().count());
    (fits && !name.contains('\0')).then(|| name.to_owned())
}

/// The name of somebody whom an identity provider sent, until they say another.
#[must_use]
pub fn name_of(subject: &Subject) -> String {
    let name: String = subject.subject.chars().take(MAX_NAME).collect();
    tidy_name(&name).unwrap_or_else(|| "Buyer".to_owned())
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
    fn whoever_a_provider_sends_gets_a_name_that_can_be_kept() {
        for subject in ["auth0|7", &"x".repeat(255), "  ", "a\0b"] {
            let subject = Subject { issuer: "idp".into(), subject: subject.into() };
            assert!(tidy_name(&name_of(&subject)).is_some(), "{subject:?}");
        }
    }
}
