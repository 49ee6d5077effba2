//! Deserializes structs from JSON objects only. By default, serde also accepts an array, with the
//! members in order.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

/// A `T` that was read from a JSON object.
#[derive(Debug)]
pub(crate) struct Object<T>(pub(super) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members(PhantomData))
    }
}

struct Members<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(members)).map(Object)
    }
}

/// Deserializes a member that is an object; for `#[serde(deserialize_with)]`.
pub fn object<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Object::deserialize(deserializer).map(|Object(value)| value)
}

/// Deserializes a member that is a list of objects, or null; for `#[serde(deserialize_with)]`.
pub fn objects<'de, D, T>(deserializer: D) -> Result<Option<Vec<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let list = Option::<Vec<Object<T>>>::deserialize(deserializer)?;
    Ok(list.map(|list| list.into_iter().map(|Object(value)| value).collect()))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Section {
        rows: u32,
    }

    #[derive(Debug, Deserialize)]
    struct Plan {
        #[serde(default, deserialize_with = "objects")]
        sections: Option<Vec<Section>>,
    }

    fn rows(text: &str) -> Result<Option<u32>, String> {
        let plan: Object<Plan> = serde_json::from_str(text).map_err(|error| error.to_string())?;
        Ok(plan.0.sections.map(|sections| sections.iter().map(|section| section.rows).sum()))
    }

    #[test]
    fn members_are_read_by_name_and_never_by_order() {
        assert_eq!(rows(r#"{"sections":[{"rows":2},{"rows":3}]}"#), Ok(Some(5)));
        assert_eq!(rows("{}"), Ok(None));
        for text in ["[]", "[[{\"rows\":2}]]", r#"{"sections":[[2]]}"#, "null", "7"] {
            assert!(rows(text).unwrap_err().contains("expected an object"), "{text}");
        }
        assert!(rows(r#"{"sections":[{"rows":2,"seats":1}]}"#).is_err());
    }
}
