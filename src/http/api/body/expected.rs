//! What a schema accepts, and the words for it in an error.

use std::fmt;

use chrono::{DateTime, FixedOffset};
use serde_json::Value;
use uuid::Uuid;

/// A schema, and whether it also accepts null.
pub(super) struct Expected<'s> {
    pub(super) schema: &'s Value,
    pub(super) nullable: bool,
}

impl<'s> Expected<'s> {
    pub(super) fn of(schema: &'s Value) -> Self {
        let nullable = match &schema["type"] {
            Value::Array(types) => types.iter().any(|one| one == "null"),
            one => one == "null",
        };
        Self { schema, nullable }
    }

    pub(super) fn is(&self, kind: &str) -> bool {
        match &self.schema["type"] {
            Value::Array(types) => types.iter().any(|one| one == kind),
            // A schema without a type accepts anything.
            Value::Null => true,
            one => one == kind,
        }
    }

    pub(super) fn is_list(&self) -> bool {
        self.is("array")
    }

    pub(super) fn is_object(&self) -> bool {
        self.is("object")
    }

    fn bound(&self, name: &str) -> Option<i128> {
        let bound = self.schema.get(name)?;
        bound.as_i64().map(i128::from).or_else(|| bound.as_u64().map(i128::from))
    }

    /// The lowest and the highest number, from the schema's bounds or its format.
    fn range(&self) -> (i128, i128) {
        let (least, most) = match self.schema["format"].as_str() {
            Some("int32") => (i32::MIN.into(), u32::MAX.into()),
            _ => (i64::MIN.into(), i64::MAX.into()),
        };
        (self.bound("minimum").unwrap_or(least), self.bound("maximum").unwrap_or(most))
    }

    pub(super) fn accepts_integer(&self, value: i128) -> bool {
        let (least, most) = self.range();
        self.is("integer") && (least..=most).contains(&value)
    }

    pub(super) fn accepts_length(&self, length: usize) -> bool {
        let (least, most) = (self.bound("minItems"), self.bound("maxItems"));
        within(length, least, most)
    }

    pub(super) fn accepts_string(&self, value: &str) -> bool {
        if !self.is("string") {
            return false;
        }
        if let Some(values) = self.schema["enum"].as_array() {
            return values.iter().any(|one| one == value);
        }
        let fits = within(value.chars().count(), self.bound("minLength"), self.bound("maxLength"));
        fits && match self.schema["format"].as_str() {
            Some("date-time") => value.parse::<DateTime<FixedOffset>>().is_ok(),
            Some("uuid") => value.parse::<Uuid>().is_ok(),
            _ => true,
        }
    }

    /// Whether the schema accepts the text of a query parameter.
    pub(super) fn accepts_text(&self, text: &str) -> bool {
        if self.is("string") {
            self.accepts_string(text)
        } else {
            text.parse::<i64>().is_ok_and(|number| self.accepts_integer(number.into()))
        }
    }

    fn write_string(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(values) = self.schema["enum"].as_array() {
            let names: Vec<_> = values.iter().filter_map(Value::as_str).collect();
            return write!(f, "one of {}", names.join(", "));
        }
        match (self.schema["format"].as_str(), self.bound("minLength"), self.bound("maxLength")) {
            (Some("date-time"), ..) => f.write_str("an RFC 3339 time such as 2026-11-22T11:00:00Z"),
            (Some("uuid"), ..) => f.write_str("a UUID"),
            (_, Some(least), Some(most)) => write!(f, "a string of {least} to {most} characters"),
            (_, None, Some(most)) => write!(f, "a string of at most {most} characters"),
            (_, Some(least), None) => write!(f, "a string of at least {least} characters"),
            _ => f.write_str("a string"),
        }
    }

    fn write_integer(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.bound("minimum"), self.bound("maximum")) {
            (Some(least), Some(most)) => write!(f, "a whole number from {least} to {most}"),
            (Some(least), None) => write!(f, "a whole number of at least {least}"),
            (None, Some(most)) => write!(f, "a whole number of at most {most}"),
            (None, None) => f.write_str("a whole number"),
        }
    }

    fn write_list(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.bound("minItems"), self.bound("maxItems")) {
            (Some(least), Some(most)) => write!(f, "a list of {least} to {most} items"),
            (Some(least), None) => write!(f, "a list of at least {least} items"),
            _ => f.write_str("a list"),
        }
    }
}

fn within(length: usize, least: Option<i128>, most: Option<i128>) -> bool {
    let length = i128::try_from(length).unwrap_or(i128::MAX);
    least.is_none_or(|least| length >= least) && most.is_none_or(|most| length <= most)
}

/// Writes what a value must be: "a whole number from 1 to 100", "a string, or null".
impl fmt::Display for Expected<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_object() {
            f.write_str("an object")?;
        } else if self.is_list() {
            self.write_list(f)?;
        } else if self.is("integer") {
            self.write_integer(f)?;
        } else if self.is("boolean") {
            f.write_str("true or false")?;
        } else {
            self.write_string(f)?;
        }
        if self.nullable { f.write_str(", or null") } else { Ok(()) }
    }
}
