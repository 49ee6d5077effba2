use std::collections::BTreeMap;
use std::path::Path;

use super::*;

/// The figures and the points by name.
fn all() -> BTreeMap<String, Figure> {
    #[derive(Deserialize)]
    struct Named {
        figures: BTreeMap<String, Figure>,
        points: BTreeMap<String, Figure>,
    }
    let Named { figures, mut points } = basic_toml::from_str(FILE).unwrap();
    points.extend(figures);
    points
}

/// Why a document does not state a figure; `None` if it does.
fn contradiction(figure: &Figure, text: &str) -> Option<String> {
    let number = |part: &str| part.replace(',', "").parse::<f64>().ok();
    let parts = figure.stated.split(|part: char| !part.is_ascii_digit() && !".,".contains(part));
    let is_stated = parts
        .filter_map(|part| number(part.trim_matches([',', '.'])))
        .any(|number| (number - figure.value).abs() < 1e-9);
    if !is_stated {
        return Some(format!("{} is not in \"{}\"", figure.value, figure.stated));
    }
    let is_row = |line: &&str| match line.strip_prefix("| ") {
        Some(cells) => cells.split(" | ").next() == Some(&figure.row),
        None => line.starts_with(&figure.row),
    };
    let mut lines = text.lines().filter(is_row).peekable();
    if lines.peek().is_none() {
        return Some(format!("there is no line \"{}\"", figure.row));
    }
    let has = lines.any(|line| line.contains(&figure.stated));
    (!has).then(|| format!("\"{}\" does not say \"{}\"", figure.row, figure.stated))
}

#[test]
fn the_file_has_the_fields_that_a_plan_reads() {
    let costs = Costs::measured().unwrap();
    assert!(costs.missing.iter().all(|missing| !missing.instead.is_empty()));
    assert!(all().len() > 20);
}

#[test]
fn the_documents_state_each_figure_with_the_same_number() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let wrong: Vec<String> = all()
        .iter()
        .filter_map(|(name, figure)| {
            let text = std::fs::read_to_string(root.join(&figure.document)).unwrap();
            contradiction(figure, &text).map(|why| format!("{name}: {}: {why}", figure.document))
        })
        .collect();
    assert_eq!(wrong, [""; 0], "docs/performance.toml and the documents disagree");
}

#[test]
fn a_figure_that_a_document_states_otherwise_is_found() {
    let figure = |value, row: &str, stated: &str| Figure {
        value,
        unit: String::new(),
        document: String::new(),
        row: row.to_owned(),
        stated: stated.to_owned(),
    };
    let text = "| a poll | 57,078; 17.0 µs | ≤ 20 |\n| a join | 9 µs | |\n\nIn words: 5 bytes.\n";
    assert_eq!(contradiction(&figure(17.0, "a poll", "57,078; 17.0 µs"), text), None);
    assert_eq!(contradiction(&figure(57078.0, "a poll", "57,078; 17.0 µs"), text), None);
    assert_eq!(contradiction(&figure(5.0, "In words", "5 bytes."), text), None);
    for wrong in [
        figure(18.0, "a poll", "57,078; 17.0 µs"),
        figure(18.0, "a poll", "57,078; 18.0 µs"),
        figure(17.0, "a join", "57,078; 17.0 µs"),
        figure(9.0, "a jo", "9 µs"),
        figure(6.0, "In words", "6 bytes"),
    ] {
        assert!(contradiction(&wrong, text).is_some(), "{wrong:?}");
    }
}
