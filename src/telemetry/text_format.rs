//! Writes metrics in the text format of Prometheus, version 0.0.4, which `promtool check metrics`
//! reads.
//!
//! `prometheus-client` writes `OpenMetrics` only. The formats differ in a few comments: here the
//! name of a counter ends in `_total` there too, and there is neither a unit nor an end.
//! Specification: <https://prometheus.io/docs/instrumenting/exposition_formats>.

/// A text format of metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextFormat {
    /// `OpenMetrics` 1.0.0.
    OpenMetrics,
    /// The text format of Prometheus, 0.0.4.
    Prometheus,
}

impl TextFormat {
    /// The value of `Content-Type`.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
        }
    }

    /// Text in this format, from text in the `OpenMetrics` format.
    pub(super) fn of_open_metrics(self, text: String) -> String {
        match self {
            Self::OpenMetrics => text,
            Self::Prometheus => prometheus_text(&text),
        }
    }
}

/// Converts text in `OpenMetrics` format.
fn prometheus_text(open_metrics: &str) -> String {
    let mut text = String::with_capacity(open_metrics.len() + 2048);
    let mut lines = open_metrics.lines().peekable();
    while let Some(line) = lines.next() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let is_counter = lines
                .peek()
                .is_some_and(|next| next.starts_with("# TYPE ") && next.ends_with(" counter"));
            push_comment(&mut text, "# HELP ", help, is_counter);
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            push_comment(&mut text, "# TYPE ", kind, kind.ends_with(" counter"));
        } else if !line.starts_with('#') {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

/// Appends a comment that begins with the name of a metric.
fn push_comment(text: &mut String, mark: &str, comment: &str, is_counter: bool) {
    let (name, rest) = comment.split_once(' ').unwrap_or((comment, ""));
    let suffix = if is_counter { "_total" } else { "" };
    for part in [mark, name, suffix, " ", rest, "\n"] {
        text.push_str(part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_comments_of_a_counter_have_its_whole_name() {
        let open_metrics = "# HELP a_joins Joins.\n# TYPE a_joins counter\na_joins_total 1\n\
                            # HELP a_wait_seconds Waits.\n# TYPE a_wait_seconds gauge\n\
                            # UNIT a_wait_seconds seconds\na_wait_seconds{b=\"# c\"} 0.5\n# EOF\n";
        let expected = "# HELP a_joins_total Joins.\n# TYPE a_joins_total counter\na_joins_total 1\n\
                        # HELP a_wait_seconds Waits.\n# TYPE a_wait_seconds gauge\n\
                        a_wait_seconds{b=\"# c\"} 0.5\n";
        assert_eq!(prometheus_text(open_metrics), expected);
    }
}
