use serde::Deserialize;
use serde_json::{Value, json};

use super::*;

#[derive(Debug, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
struct Plan {
    #[garde(dive, length(min = 1))]
    sections: Vec<Section>,
    #[garde(inner(range(max = 9)))]
    limit: Option<u32>,
}

#[derive(Debug, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
struct Section {
    #[garde(range(min = 1, max = 100))]
    rows: u32,
}

fn refused(body: &str) -> (&'static str, Value) {
    let problem = parse::<Plan>(body.as_bytes()).unwrap_err();
    let body: Value = serde_json::from_str(&problem.render("")).unwrap();
    (problem.code(), body["errors"].clone())
}

#[test]
fn what_is_not_json_is_told_from_what_is_not_valid() {
    for text in ["", "{", "nonsense", r#"{"sections":[{"rows":1}]} trailing"#, "\u{0}"] {
        assert_eq!(refused(text).0, "invalid_json", "{text}");
    }
    let huge = r#"{"sections":[{"rows":1e400}]}"#;
    for text in ["[]", r#"[[{"rows":1}]]"#, "{}", r#"{"sections":[]}"#, "7", huge] {
        assert_eq!(refused(text).0, "invalid_request", "{text}");
    }
}

#[test]
fn every_wrong_field_is_pointed_at() {
    let (_, errors) = refused(r#"{"sections":[{"rows":1},{"rows":0}],"limit":10}"#);
    let mut told: Vec<_> = errors.as_array().unwrap().iter().map(|e| &e["pointer"]).collect();
    told.sort_by_key(|pointer| pointer.as_str());
    assert_eq!(told, ["/limit", "/sections/1/rows"], "{errors}");

    let (_, errors) = refused(r#"{"sections":[{"rows":"1"}]}"#);
    let detail = "invalid type: string \"1\", expected u32";
    assert_eq!(errors, json!([{ "pointer": "/sections/0/rows", "detail": detail }]));

    let (_, errors) = refused(r#"{"sections":[{"rows":1,"price":0}]}"#);
    assert_eq!(errors[0]["pointer"], "/sections/0/price");
    let (_, errors) = refused(r#"{"sections":[{"rows":1,"rows":2}]}"#);
    assert_eq!(errors[0]["detail"], "duplicate field `rows`");
}

#[test]
fn a_bad_query_is_pointed_at_and_a_good_one_is_read() {
    #[derive(Debug, Deserialize, Validate)]
    struct Filter {
        #[garde(range(max = 9))]
        since: u32,
    }
    assert_eq!(parse_query::<Filter>("since=7&other=x").unwrap().since, 7);
    for query in ["since=x", "since=10", "since="] {
        let body = parse_query::<Filter>(query).unwrap_err().render("");
        assert!(body.contains(r#""pointer":"/since""#), "{query}: {body}");
    }
    assert!(parse_query::<Filter>("").is_err());
}

#[test]
fn json_is_known_by_its_media_type() {
    let said = |kind: &str| {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, kind.parse().unwrap());
        is_json(&headers)
    };
    assert!(said("application/json") && said("application/JSON; charset=utf-8"));
    assert!(said("application/merge-patch+json"));
    assert!(!said("text/plain") && !said("application/jsonp") && !said("text/json"));
    assert!(!is_json(&HeaderMap::new()));
}
