//! The findings of a check, as text for people and as JSON for programs.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// How good or bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As it must be.
    Ok,
    /// It may be meant so; if not, it costs something during the sale.
    Warning,
    /// The sale must not begin like this.
    Failure,
}

/// One line of a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Finding {
    /// How good or bad it is.
    pub level: Level,
    /// Stable name of the check: a part and what is checked, such as `redis.memory`.
    pub name: &'static str,
    /// Stable code of what was found: the name and the case, such as `redis.memory.short`.
    pub code: String,
    /// The figures in `text`, for texts in other languages.
    #[schema(value_type = Object)]
    pub values: Map<String, Value>,
    /// What was found.
    pub text: String,
    /// What to do. Null if all is well.
    pub advice: Option<String>,
}

impl Finding {
    /// Sets which case of its check this is. Without it, the case is `ok`, `warning` or `failure`.
    pub fn case(&mut self, case: &str) -> &mut Self {
        self.code = format!("{}.{case}", self.name);
        self
    }

    /// Adds a figure of the text.
    pub fn value(&mut self, name: &str, value: impl Into<Value>) -> &mut Self {
        self.values.insert(name.to_owned(), value.into());
        self
    }
}

/// All findings, in the order in which they were made.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// The findings.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Adds a finding that is well.
    pub fn ok(&mut self, name: &'static str, text: impl Into<String>) -> &mut Finding {
        self.add(Level::Ok, name, text.into(), None)
    }

    /// Adds a warning.
    pub fn warn(
        &mut self,
        name: &'static str,
        text: impl Into<String>,
        advice: impl Into<String>,
    ) -> &mut Finding {
        self.add(Level::Warning, name, text.into(), Some(advice.into()))
    }

    /// Adds a failure.
    pub fn fail(
        &mut self,
        name: &'static str,
        text: impl Into<String>,
        advice: impl Into<String>,
    ) -> &mut Finding {
        self.add(Level::Failure, name, text.into(), Some(advice.into()))
    }

    /// Adds a failure whose text is an error.
    pub fn fail_with(
        &mut self,
        name: &'static str,
        error: impl fmt::Display,
        advice: &str,
    ) -> &mut Finding {
        let reason = error.to_string();
        self.fail(name, reason.clone(), advice).value("reason", reason)
    }

    fn add(
        &mut self,
        level: Level,
        name: &'static str,
        text: String,
        advice: Option<String>,
    ) -> &mut Finding {
        let case = match level {
            Level::Ok => "ok",
            Level::Warning => "warning",
            Level::Failure => "failure",
        };
        let (code, values) = (format!("{name}.{case}"), Map::new());
        let at = self.findings.len();
        self.findings.push(Finding { level, name, code, values, text, advice });
        &mut self.findings[at]
    }

    /// The number of findings at a level.
    #[must_use]
    pub fn count(&self, level: Level) -> usize {
        self.findings.iter().filter(|finding| finding.level == level).count()
    }

    /// Whether the sale may begin: nothing failed.
    #[must_use]
    pub fn passes(&self) -> bool {
        self.count(Level::Failure) == 0
    }

    /// The report as one JSON object.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::json!({
            "passes": self.passes(),
            "failures": self.count(Level::Failure),
            "warnings": self.count(Level::Warning),
            "findings": self.findings,
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.findings {
            let level = match finding.level {
                Level::Ok => "ok",
                Level::Warning => "warning",
                Level::Failure => "FAILURE",
            };
            writeln!(f, "{level:8} {:24} {}", finding.name, finding.text)?;
            if let Some(advice) = &finding.advice {
                writeln!(f, "{:33} to do: {advice}", "")?;
            }
        }
        let (failures, warnings) = (self.count(Level::Failure), self.count(Level::Warning));
        writeln!(f, "{failures} failures, {warnings} warnings, {} ok", self.count(Level::Ok))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_passes_with_warnings_and_not_with_failures() {
        let mut report = Report::default();
        report.ok("redis.version", "7.0.15");
        report.warn("redis.persistence", "no file", "turn it on");
        assert!(report.passes());
        report.fail("redis.memory", "full", "more memory").case("short").value("missing", 3);
        assert!(!report.passes());
        let json = report.json();
        assert_eq!((&json["passes"], &json["failures"]), (&false.into(), &1.into()));
        assert_eq!(json["findings"][1]["level"], "warning");
        assert_eq!(json["findings"][0]["advice"], Value::Null);
        assert_eq!(json["findings"][0]["code"], "redis.version.ok");
        assert_eq!(json["findings"][2]["code"], "redis.memory.short");
        assert_eq!(json["findings"][2]["values"], serde_json::json!({ "missing": 3 }));
        let text = report.to_string();
        assert!(text.contains("FAILURE  redis.memory"), "{text}");
        assert!(text.ends_with("1 failures, 1 warnings, 1 ok\n"), "{text}");
    }
}
