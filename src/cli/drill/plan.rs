//! The steps of a drill, from a TOML file.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde::{Deserialize, Deserializer};
use tokio::process::Command;

use super::observations::Kind;

/// Longest time for the commands of a step together, beside `lasts`.
const COMMAND_LIMIT: Duration = Duration::from_mins(15);

/// The file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The steps, in order.
    #[serde(rename = "step")]
    pub steps: Vec<Step>,
}

/// One failure: how it begins and ends, and what buyers may notice.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Name in the report.
    pub name: String,
    /// Command of the shell that causes the failure.
    pub begin: String,
    /// Command that ends it.
    #[serde(default)]
    pub end: Option<String>,
    /// Time between the end of `begin` and the start of `end`.
    #[serde(default, deserialize_with = "duration")]
    pub lasts: Duration,
    /// Requests that may fail even when they are repeated once. The default is none.
    #[serde(default)]
    pub may_fail: Vec<Kind>,
    /// Longest time from the end of the commands until everything works again.
    #[serde(default = "a_minute", deserialize_with = "duration")]
    pub back_within: Duration,
    /// Payments and holds of this time before the step, and of its commands, may be lost: for a
    /// restore to an earlier moment. Seats of lost payments must not be sold again. Zero: nothing.
    #[serde(default, deserialize_with = "duration")]
    pub may_lose: Duration,
}

/// Why a plan is refused.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    #[error("{0}: {1}")]
    Unread(PathBuf, std::io::Error),
    #[error("{0}: {1}")]
    Invalid(PathBuf, basic_toml::Error),
    #[error("{0}: a plan needs at least one [[step]], and each step a name")]
    Empty(PathBuf),
}

impl Plan {
    /// Reads the plan from a file.
    pub fn read(path: &Path) -> Result<Self, PlanError> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| PlanError::Unread(path.to_owned(), error))?;
        let plan: Self = basic_toml::from_str(&text)
            .map_err(|error| PlanError::Invalid(path.to_owned(), error))?;
        if plan.steps.is_empty() || plan.steps.iter().any(|step| step.name.trim().is_empty()) {
            return Err(PlanError::Empty(path.to_owned()));
        }
        Ok(plan)
    }
}

/// Runs a command in a shell. What it prints goes to standard error, and nothing to its standard
/// input.
///
/// # Errors
/// A text, if the command does not start, fails, or takes longer than 15 minutes.
pub async fn shell(command: &str) -> Result<(), String> {
    let running = Command::new("sh")
        .args(["-c", command])
        .stdin(Stdio::null())
        // Ctrl-C ends the drill, and not the command.
        .process_group(0)
        .stdout(std::io::stderr())
        .kill_on_drop(true)
        .status();
    match tokio::time::timeout(COMMAND_LIMIT, running).await {
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(status)) => Err(format!("`{command}` failed: {status}")),
        Ok(Err(error)) => Err(format!("`{command}` did not start: {error}")),
        Err(_) => Err(format!("`{command}` ran for more than {} s", COMMAND_LIMIT.as_secs())),
    }
}

fn a_minute() -> Duration {
    Duration::from_mins(1)
}

fn duration<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(from)?;
    humantime::parse_duration(&text).map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Plan, basic_toml::Error> {
        basic_toml::from_str(text)
    }

    #[test]
    fn a_step_has_defaults_under_which_no_request_may_fail() {
        let plan = parse("[[step]]\nname = 'a'\nbegin = 'true'\n").unwrap();
        let step = &plan.steps[0];
        assert_eq!((step.lasts, step.back_within), (Duration::ZERO, Duration::from_mins(1)));
        assert!(step.may_fail.is_empty() && step.may_lose.is_zero());
        for wrong in ["beginn = 'x'", "lasts = '5'", "may_fail = ['clicks']", "lasts = 5"] {
            let text = format!("[[step]]\nname = 'a'\nbegin = 'true'\n{wrong}\n");
            parse(&text).unwrap_err();
        }
    }

    #[tokio::test]
    async fn a_command_that_fails_is_reported() {
        shell("exit 0").await.unwrap();
        assert_eq!(shell("exit 3").await.unwrap_err(), "`exit 3` failed: exit status: 3");
    }

    /// The shell of each command of the examples must accept it, and what it names must exist.
    #[test]
    fn the_examples_in_deploy_are_plans_whose_commands_a_shell_accepts() {
        for (file, deployed, names) in [
            (
                "compose.toml",
                "docker-compose.yml",
                &["onsale-1", "onsale-2", "redis", "postgres"][..],
            ),
            ("systemd.toml", "deploy/systemd/onsale.service", &["onsale"]),
            ("kubernetes.toml", "deploy/kubernetes/deployment.yaml", &["onsale"]),
        ] {
            let root = Path::new(env!("CARGO_MANIFEST_DIR"));
            let plan = Plan::read(&root.join("deploy/drill").join(file)).unwrap();
            assert!(plan.steps.len() > 2, "{file}");
            let commands: Vec<&String> = plan
                .steps
                .iter()
                .flat_map(|step| [&step.begin].into_iter().chain(&step.end))
                .collect();
            for command in &commands {
                let checked = std::process::Command::new("sh").args(["-nc", command]).status();
                assert!(checked.unwrap().success(), "{file}: {command}");
            }
            // The last step loses what came after its backup, and is carried out as operators do it.
            let restore = plan.steps.last().unwrap();
            assert!(!restore.may_lose.is_zero() && restore.end.is_some(), "{file}");
            let mut at = 0;
            for part in ["pg_dump", "restore prepare", "pg_restore", "compare", "finish"] {
                at += restore.begin[at..].find(part).unwrap_or_else(|| panic!("{file}: {part}"));
            }
            let text = std::fs::read_to_string(root.join(deployed)).unwrap();
            for name in names {
                let is_used = commands.iter().any(|command| command.contains(name));
                assert!(is_used && text.contains(name), "{file}: {name}");
            }
        }
    }
}
