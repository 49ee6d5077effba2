use serde::Deserialize;
use serde_json::Value;

use super::*;

#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Plan {
    #[garde(dive, length(min = 1))]
    #[schema(min_items = 1)]
    sections: Vec<Section>,
    #[garde(inner(range(max = 9)))]
    limit: Option<u32>,
}

#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Section {
    #[garde(range(min = 1, max = 100))]
    #[schema(minimum = 1, maximum = 100)]
    rows: u32,
    /// Its rule is not in the schema.
    #[garde(custom(even))]
    #[serde(default)]
    seats: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that garde calls")]
fn even(seats: &u32, (): &()) -> garde::Result {
    if seats.is_multiple_of(2) { Ok(()) } else { Err(garde::Error::new("must be even")) }
}

fn refused(body: &str) -> (&'static str, Value) {
    let problem = parse::<Plan>(body.as_bytes()).unwrap_err();
    let body: Value = serde_json::from_str(&problem.render("")).unwrap();
    (problem.code(), body["errors"].clone())
}

#[test]
fn text_that_is_not_json_and_json_that_is_not_valid_have_different_codes() {
    for text in ["", "{", "nonsense", r#"{"sections":[{"rows":1}]} trailing"#, "\u{0}"] {
        assert_eq!(refused(text).0, "invalid_json", "{text}");
    }
    let huge = r#"{"sections":[{"rows":1e400}]}"#;
    for text in ["[]", r#"[[{"rows":1}]]"#, "{}", r#"{"sections":[]}"#, "7", huge] {
        assert_eq!(refused(text).0, "invalid_request", "{text}");
    }
}

/// Each error as `pointer: detail`, sorted.
fn errors(body: &str) -> Vec<String> {
    let (_, errors) = refused(body);
    let text = |error: &Value| {
        format!("{}: {}", error["pointer"].as_str().unwrap(), error["detail"].as_str().unwrap())
    };
    let mut errors: Vec<_> = errors.as_array().unwrap().iter().map(text).collect();
    errors.sort();
    errors
}

#[test]
fn every_wrong_field_is_listed() {
    let all = r#"{"sections":[{"rows":1},{"rows":0},{"rows":"1","price":0},7,{}],"limit":"x"}"#;
    let rows = "must be a whole number from 1 to 100";
    let expected = [
        "/limit: must be a whole number of at least 0, or null".to_owned(),
        format!("/sections/1/rows: {rows}"),
        "/sections/2/price: is not a known field".to_owned(),
        format!("/sections/2/rows: {rows}"),
        "/sections/3: must be an object".to_owned(),
        "/sections/4: `rows` is missing".to_owned(),
    ];
    assert_eq!(errors(all), expected);
    let twice = errors(r#"{"sections":[{"rows":1,"rows":2}],"colour":1,"limit":1.5}"#);
    let limit = "/limit: must be a whole number of at least 0, or null";
    assert_eq!(twice, ["/colour: is not a known field", limit, "/sections/0/rows: is given twice"]);
}

#[test]
fn errors_of_the_schema_and_of_the_types_rules_are_listed_together() {
    let listed = errors(r#"{"sections":[{"rows":0,"seats":3}],"limit":10}"#);
    assert_eq!(listed.len(), 3, "{listed:?}");
    assert!(listed.iter().any(|error| error == "/sections/0/seats: must be even"), "{listed:?}");
}

#[test]
fn a_number_that_fits_no_type_is_listed_like_any_other_wrong_value() {
    let listed = errors(r#"{"limit":1e400,"sections":[]}"#);
    assert_eq!(listed, ["/limit: must be a whole number of at least 0, or null"]);
}

#[test]
fn a_long_list_of_errors_is_cut() {
    let body = format!("{{\"sections\":[{}0]}}", "0,".repeat(1000));
    assert_eq!(errors(&body).len(), MAX_ERRORS);
}

#[test]
fn the_detail_of_invalid_json_is_the_line_and_the_column() {
    for (text, detail) in [
        ("{", "The JSON ends too early, at line 1, column 1."),
        ("{\"limit\": nil}", "The JSON is not well formed at line 1, column 12."),
    ] {
        let problem = parse::<Plan>(text.as_bytes()).unwrap_err().render("");
        assert!(problem.contains(detail), "{problem}");
    }
}

#[test]
fn a_wrong_query_parameter_is_named_and_a_valid_query_is_read() {
    #[derive(Debug, Deserialize, Validate, IntoParams)]
    struct Filter {
        #[garde(range(max = 9))]
        #[param(maximum = 9)]
        since: u32,
        #[garde(skip)]
        until: Option<i64>,
    }
    let read = parse_query::<Filter>("since=7&other=x&until=9").unwrap();
    assert_eq!((read.since, read.until), (7, Some(9)));
    for query in ["since=x", "since=10", "since="] {
        let errors = parse_query::<Filter>(query).unwrap_err();
        assert_eq!(errors[0].pointer, "/since", "{query}");
        assert_eq!(errors[0].detail, "must be a whole number from 0 to 9", "{query}");
    }
    let all = parse_query::<Filter>("since=x&until=&until=2").unwrap_err();
    let all: Vec<_> = all.iter().map(|error| error.pointer.as_str()).collect();
    assert_eq!(all, ["/since", "/until", "/until"]);
    assert_eq!(parse_query::<Filter>("").unwrap_err().len(), 1);
}
