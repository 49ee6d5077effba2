//! Preconditions of changes (RFC 9110): a change with `If-Match` applies only to the state that its
//! caller has seen.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;

/// Bytes of the hash that a tag has. Two states with the same tag do not occur by chance.
const BYTES: usize = 12;

/// The entity tag of a state: the same for equal states, in every process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntityTag(String);

/// What the caller of a change expects of the current state.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Precondition {
    /// Nothing: the change applies to any state.
    #[default]
    Absent,
    /// `*`: it exists.
    Any,
    /// It has one of these tags.
    OneOf(Vec<String>),
}

impl EntityTag {
    /// Computes the tag of a state from its JSON.
    #[must_use]
    pub fn of(state: &impl Serialize) -> Self {
        // Writing cannot fail: states have only texts, numbers and lists.
        let json = serde_json::to_vec(state).unwrap_or_default();
        let hash = digest(&SHA256, &json);
        Self(format!("\"{}\"", URL_SAFE_NO_PAD.encode(&hash.as_ref()[..BYTES])))
    }

    /// The tag in quotes, as in the header `ETag`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Precondition {
    /// Parses the values of all `If-Match` headers; without any, the precondition is absent.
    #[must_use]
    pub fn parse<'h>(values: impl Iterator<Item = &'h str>) -> Self {
        let mut items = values.flat_map(|value| value.split(',')).map(str::trim).peekable();
        if items.peek().is_none() {
            return Self::Absent;
        }
        let tags: Vec<String> = items.map(str::to_owned).collect();
        if tags.iter().any(|tag| tag == "*") { Self::Any } else { Self::OneOf(tags) }
    }

    /// Whether a state with this tag fulfils the precondition.
    ///
    /// A proxy that compresses answers marks their tags as weak (`W/"…"`). The tags are hashes of
    /// states, so the mark is ignored.
    #[must_use]
    pub fn accepts(&self, current: &EntityTag) -> bool {
        match self {
            Self::Absent | Self::Any => true,
            Self::OneOf(tags) => {
                tags.iter().any(|tag| tag.strip_prefix("W/").unwrap_or(tag) == current.as_str())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_states_have_equal_tags_and_others_do_not() {
        let tag = EntityTag::of(&("Night", 1));
        assert_eq!(tag, EntityTag::of(&("Night", 1)));
        assert_ne!(tag, EntityTag::of(&("Night", 2)));
        assert!(tag.as_str().starts_with('"') && tag.as_str().ends_with('"'));
        assert_eq!(tag.as_str().len(), BYTES / 3 * 4 + 2);
    }

    #[test]
    fn a_precondition_accepts_the_tags_that_it_lists() {
        let tag = EntityTag::of(&1);
        let accepts = |header: &str| Precondition::parse(std::iter::once(header)).accepts(&tag);
        assert!(Precondition::parse(std::iter::empty()).accepts(&tag));
        for header in ["*", tag.as_str(), &format!("\"x\", {}", tag.as_str())] {
            assert!(accepts(header), "{header}");
        }
        assert!(accepts(&format!("W/{}", tag.as_str())), "a proxy has compressed the answer");
        for header in ["\"x\"", "", tag.as_str().trim_matches('"'), "\"*\""] {
            assert!(!accepts(header), "{header}");
        }
    }
}
