//! Finds every wrong field of a body or a query string, by the schema in the API's description.
//! Runs only on requests that are already refused, so that one answer lists all their errors.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa::openapi::path::Parameter;

use super::expected::Expected;
use crate::http::api::problem::FieldError;

/// Maximum number of errors that one answer lists.
pub(super) const MAX_ERRORS: usize = 100;

/// Checks a body by its schema; holds it with the schemas that it refers to.
pub(super) struct Checker {
    root: Value,
    named: BTreeMap<String, Value>,
}

/// A position in a body, with its schema and the errors so far.
struct Position<'c> {
    checker: &'c Checker,
    schema: Option<&'c Value>,
    pointer: String,
    errors: &'c mut Vec<FieldError>,
}

impl Checker {
    /// Creates the checker for `T`.
    pub(super) fn of<T: ToSchema>() -> Self {
        let mut schemas = Vec::new();
        T::schemas(&mut schemas);
        let json = |schema| serde_json::to_value(schema).unwrap_or_default();
        let named = schemas.into_iter().map(|(name, schema)| (name, json(schema)));
        Self { named: named.collect(), root: json(T::schema()) }
    }

    /// Lists the errors in a body, at most [`MAX_ERRORS`]. Stops where the body is not JSON.
    pub(super) fn check(&self, body: &[u8]) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let root = Position {
            checker: self,
            schema: Some(&self.root),
            pointer: String::new(),
            errors: &mut errors,
        };
        let mut deserializer = serde_json::Deserializer::from_slice(body);
        // An error here is a syntax error, which the caller has already found.
        let _ = root.deserialize(&mut deserializer);
        errors
    }

    /// What the value at `pointer` must be, in words.
    pub(super) fn requirement(&self, pointer: &str) -> String {
        let mut schema = self.resolve(&self.root);
        for part in pointer.split('/').skip(1) {
            let inner = schema["properties"].get(part).unwrap_or(&schema["items"]);
            schema = self.resolve(inner);
        }
        must_be(&Expected::of(schema))
    }

    /// A schema with its references followed.
    fn resolve<'c>(&'c self, schema: &'c Value) -> &'c Value {
        let name = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next());
        name.and_then(|name| self.named.get(name)).unwrap_or(schema)
    }
}

/// Lists the errors in a query string.
pub(super) fn check_query(parameters: &[Parameter], query: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let mut seen = BTreeSet::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let Some(parameter) = parameters.iter().find(|parameter| parameter.name == name) else {
            continue;
        };
        let checker = Checker {
            root: serde_json::to_value(&parameter.schema).unwrap_or_default(),
            named: BTreeMap::new(),
        };
        let detail = if seen.insert(name.clone()) {
            let expected = Expected::of(checker.resolve(&checker.root));
            (!expected.accepts_text(&value)).then(|| must_be(&expected))
        } else {
            Some("is given twice".to_owned())
        };
        errors.extend(detail.map(|detail| FieldError { pointer: token(&name), detail }));
    }
    errors
}

fn must_be(expected: &Expected<'_>) -> String {
    format!("must be {expected}")
}

impl<'c> Position<'c> {
    fn report(&mut self, detail: String) {
        if self.errors.len() < MAX_ERRORS {
            self.errors.push(FieldError { pointer: self.pointer.clone(), detail });
        }
    }

    /// What the schema accepts here; `None` if it accepts anything.
    fn expected(&self) -> Option<Expected<'c>> {
        let schema = self.checker.resolve(self.schema?);
        Some(Expected::of(schema))
    }

    /// Reports a value that is not `accepted`.
    fn require(mut self, accepted: impl FnOnce(&Expected<'_>) -> bool) {
        if let Some(expected) = self.expected()
            && !accepted(&expected)
        {
            self.report(must_be(&expected));
        }
    }

    /// The position of a member or an item of this value.
    fn inner(&mut self, part: &str, schema: Option<&'c Value>) -> Position<'_> {
        let pointer = format!("{}{}", self.pointer, token(part));
        Position { checker: self.checker, schema, pointer, errors: self.errors }
    }
}

impl<'de> DeserializeSeed<'de> for Position<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Position<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        self.require(|expected| expected.is("boolean"));
        Ok(())
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.require(|expected| expected.accepts_integer(value.into()));
        Ok(())
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.require(|expected| expected.accepts_integer(value.into()));
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        self.require(|expected| expected.is("number"));
        Ok(())
    }

    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        self.require(|expected| expected.accepts_string(value));
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.require(|expected| expected.nullable);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        let expected = self.expected();
        let inner = expected.as_ref().and_then(|expected| expected.schema.get("items"));
        let accepts_list = expected.as_ref().is_none_or(Expected::is_list);
        let mut length = 0;
        while items.next_element_seed(self.inner(&length.to_string(), inner))?.is_some() {
            length += 1;
        }
        self.require(|expected| accepts_list && expected.accepts_length(length));
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<(), A::Error> {
        let Some(expected) = self.expected() else {
            while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(());
        };
        if !expected.is_object() {
            while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            self.require(|_| false);
            return Ok(());
        }
        let schema = expected.schema;
        let mut seen = BTreeSet::new();
        while let Some(name) = members.next_key::<String>()? {
            let property = schema["properties"].get(&name);
            let mut inner = self.inner(&name, property);
            if property.is_none() && schema["additionalProperties"] == Value::Bool(false) {
                inner.report("is not a known field".to_owned());
            } else if !seen.insert(name.clone()) {
                inner.report("is given twice".to_owned());
            }
            members.next_value_seed(inner)?;
        }
        let required = schema["required"].as_array().into_iter().flatten();
        for name in required.filter_map(Value::as_str).filter(|name| !seen.contains(*name)) {
            self.report(format!("`{name}` is missing"));
        }
        Ok(())
    }
}

/// One step of a JSON Pointer (RFC 6901).
pub(super) fn token(part: &str) -> String {
    format!("/{}", part.replace('~', "~0").replace('/', "~1"))
}
