//! `onsale rehearse`: rehearses a sale at a running service, and prints the sheet.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use reqwest::{Method, Url};
use serde_json::{Value, json};

use super::output;

/// Pause between two looks at the live figures.
const LOOK: Duration = Duration::from_secs(1);
/// Time limit of a call.
const LIMIT: Duration = Duration::from_secs(15);
/// Calls in a row that may get no answer.
const FAILURES: u32 = 30;

/// The command line of `onsale rehearse`.
#[derive(Debug, Args)]
pub struct RehearseArgs {
    /// URL of the service
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    url: Url,
    /// File with an administrator's access token; `-` reads standard input
    #[arg(long, value_name = "FILE", default_value = "-")]
    admin_token_file: PathBuf,
    /// Id of the schedule
    #[arg(long, value_name = "ID")]
    schedule: i64,
    /// Number of synthetic buyers
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=50_000))]
    buyers: u32,
    /// Requests per second of the buyers, at most
    #[arg(long, value_name = "N", default_value = "500")]
    requests_per_second: u32,
    /// Seconds before the opening within which half of the buyers come
    #[arg(long, value_name = "SECONDS", default_value = "20")]
    early: u32,
    /// Seconds after the opening within which nearly all others come
    #[arg(long, value_name = "SECONDS", default_value = "20")]
    late: u32,
    /// Minutes after the opening at which it ends at the latest
    #[arg(long, value_name = "N", default_value = "15")]
    max_minutes: u32,
    /// URL at which the buyers call the service [default: the answering process, over loopback]
    #[arg(long, value_name = "URL")]
    base_url: Option<Url>,
    /// Start although other sales are open, which may become slower
    #[arg(long)]
    beside_open_sales: bool,
    /// Print the rehearsal as JSON
    #[arg(long)]
    json: bool,
}

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub enum RehearseError {
    /// The file with the token cannot be read.
    #[error("{0}: {1}")]
    Unreadable(PathBuf, std::io::Error),
    /// The service cannot be reached.
    #[error("the service does not answer: {0}")]
    Unreached(#[from] reqwest::Error),
    /// The service refused.
    #[error("{0}")]
    Refused(String),
}

/// The API, as an administrator.
struct Operator {
    http: reqwest::Client,
    base: String,
    token: String,
}

impl Operator {
    async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, RehearseError> {
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        request = request.bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await?;
        let status = answer.status();
        let body: Value = serde_json::from_slice(&answer.bytes().await?).unwrap_or_default();
        if status.is_success() {
            return Ok(body);
        }
        let code = body["code"].as_str().unwrap_or_default();
        let detail = body["detail"].as_str().unwrap_or_default();
        Err(RehearseError::Refused(format!(
            "{} {code}: {detail} {}",
            status.as_u16(),
            body["errors"]
        )))
    }
}

/// Starts a rehearsal, follows it, and prints its sheet. The exit code is 0 if it passed, and else 1.
/// An interrupt stops it.
pub async fn run(args: &RehearseArgs) -> Result<ExitCode, RehearseError> {
    let http = reqwest::Client::builder().timeout(LIMIT).no_proxy().build()?;
    let base = args.url.as_str().trim_end_matches('/').to_owned();
    let token = read_token(&args.admin_token_file)?;
    let operator = Operator { http, base, token };
    let path = format!("/v1/admin/schedules/{}/rehearsals", args.schedule);
    let plan = json!({
        "buyers": args.buyers,
        "requests_per_second": args.requests_per_second,
        "early_seconds": args.early,
        "late_seconds": args.late,
        "max_minutes": args.max_minutes,
        "base_url": args.base_url.as_ref().map(Url::as_str),
        "beside_open_sales": args.beside_open_sales,
    });
    let begun = operator.call(Method::POST, &path, Some(&plan)).await?;
    let path = format!("/v1/admin/rehearsals/{}", begun["id"]);
    output::note(format_args!("onsale: rehearsal {} runs", begun["id"]));
    let ended = tokio::select! {
        ended = follow(&operator, &path) => ended?,
        _ = tokio::signal::ctrl_c() => {
            operator.call(Method::DELETE, &path, None).await?;
            follow(&operator, &path).await?
        }
    };
    if args.json {
        output::line(format_args!("{ended:#}"));
    } else {
        output::write(text(&ended));
    }
    Ok(if ended["state"] == "PASSED" { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn read_token(path: &std::path::Path) -> Result<String, RehearseError> {
    let text = if path.as_os_str() == "-" {
        std::io::read_to_string(std::io::stdin())
    } else {
        std::fs::read_to_string(path)
    };
    let text = text.map_err(|error| RehearseError::Unreadable(path.into(), error))?;
    Ok(text.trim().to_owned())
}

/// Shows the live figures until the rehearsal has ended.
async fn follow(operator: &Operator, path: &str) -> Result<Value, RehearseError> {
    let mut failures = 0;
    loop {
        match operator.call(Method::GET, path, None).await {
            Ok(seen) if seen["state"] != "RUNNING" => return Ok(seen),
            Ok(seen) => {
                failures = 0;
                let progress = &seen["progress"];
                let of = |name: &str| progress[name].as_f64().unwrap_or_default();
                output::note(format_args!(
                    "onsale: {:.0} s: {} waiting, {} buying, {} done, {} seats sold, {:.0} requests/s, p99 {:.0} ms",
                    of("seconds"),
                    of("waiting"),
                    of("buying"),
                    of("done"),
                    of("seats_sold"),
                    of("requests_per_second"),
                    of("p99_ms"),
                ));
            }
            Err(error) if failures >= FAILURES => return Err(error),
            Err(_) => failures += 1,
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn seconds(value: &Value) -> String {
    value.as_f64().map_or_else(|| "never".to_owned(), |seconds| format!("{seconds:.0} s"))
}

/// The sheet as text.
fn text(ended: &Value) -> String {
    let (mut text, sheet) = (String::new(), &ended["sheet"]);
    let state = ended["state"].as_str().unwrap_or_default();
    // Writing to a String cannot fail.
    let _ =
        writeln!(text, "rehearsal {} of schedule {}: {state}\n", ended["id"], ended["schedule_id"]);
    for line in sheet["lines"].as_array().into_iter().flatten() {
        let verdict = if line["passed"] == true { "ok" } else { "FAILED" };
        let of = |name: &str| line[name].as_f64().unwrap_or_default();
        let name = line["name"].as_str().unwrap_or_default();
        let (seen, limit) = (of("seen"), of("limit"));
        let _ = writeln!(text, "{verdict:8} {name:16} {seen:>14.1}   at most {limit:.1}");
    }
    for step in sheet["steps"].as_array().into_iter().flatten() {
        let of = |name: &str| step[name].as_f64().unwrap_or_default();
        let name = step["step"].as_str().unwrap_or_default();
        let (p50, p99) = (of("p50_ms"), of("p99_ms"));
        let _ = writeln!(
            text,
            "{name:9}{} requests, p50 {p50:.1} ms, p99 {p99:.1} ms",
            step["requests"]
        );
    }
    for (title, name) in [("99 of 100 seats", "nearly_sold"), ("the last seat", "sold_out")] {
        let of = |part: &str| seconds(&sheet[name][part]);
        let (measured, low, high) = (of("measured"), of("low"), of("high"));
        let _ = writeln!(text, "{title} sold after {measured}; simulated {low} to {high}");
    }
    for example in sheet["examples"].as_array().into_iter().flatten() {
        let _ = writeln!(text, "example: {}", example.as_str().unwrap_or_default());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sheet_shows_each_line_and_times_that_did_not_happen() {
        let sheet = json!({"lines": [{"name": "double_sales", "passed": true, "seen": 0.0, "limit": 0.0},
            {"name": "p99_poll", "passed": false, "seen": 1200.5, "limit": 1000.0}],
            "steps": [{"step": "poll", "requests": 7, "p50_ms": 1.0, "p99_ms": 1200.5}],
            "nearly_sold": {"measured": 12.0, "low": 10.0, "high": 14.0},
            "sold_out": {"measured": null, "low": null, "high": null}, "examples": ["500 {}"]});
        let text = text(&json!({"id": 1, "schedule_id": 7, "state": "FAILED", "sheet": sheet}));
        for part in [
            "rehearsal 1 of schedule 7: FAILED",
            "ok       double_sales",
            "FAILED   p99_poll",
            "poll     7 requests",
            "99 of 100 seats sold after 12 s; simulated 10 s to 14 s",
            "the last seat sold after never; simulated never to never",
            "example: 500 {}",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}
