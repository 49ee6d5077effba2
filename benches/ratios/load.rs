//! HTTP load from wrk, in its own process.

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::process::Command;

use crate::cpu::{as_float, micros_each};
use crate::{Outcome, cpu};

/// Requests that wrk sends in turn over kept-alive connections, each with its own headers.
#[derive(Debug)]
pub struct Load {
    script: PathBuf,
    pub connections: u32,
    /// The counter in `/metrics` that rises with each answer.
    pub counter: String,
    /// Whether any answer is accepted: the caller counts the effects.
    pub may_fail: bool,
    /// Whether every answer has to be a refusal instead of a success.
    refused: bool,
}

/// Result of one round of load.
#[derive(Debug, Clone, Copy)]
pub struct Round {
    /// Answers per second.
    pub rate: f64,
    /// Number of answers.
    pub answers: u64,
    /// CPU per answer of each watched process, in microseconds.
    pub cpu: [f64; 2],
}

/// One request of a load.
#[derive(Debug)]
pub struct Request<'a> {
    pub method: &'a str,
    pub path: &'a str,
    /// Headers as (name, value).
    pub headers: Vec<(&'a str, &'a str)>,
    pub body: Option<&'a str>,
}

impl Load {
    /// Writes a load of these requests into `folder` under `name`. Each answer raises `counter` of
    /// onsale.
    pub fn new<'a>(
        folder: &Path,
        (name, counter): (&str, &str),
        requests: impl IntoIterator<Item = Request<'a>>,
        connections: u32,
    ) -> Outcome<Self> {
        let script = folder.join(format!("{name}.lua"));
        let list = folder.join(format!("{name}.txt"));
        let mut file = std::io::BufWriter::new(std::fs::File::create(&list)?);
        for Request { method, path, headers, body } in requests {
            write!(file, "{method}\t{path}\t{}", body.unwrap_or(""))?;
            for (name, value) in headers {
                write!(file, "\t{name}\t{value}")?;
            }
            writeln!(file)?;
        }
        file.flush()?;
        std::fs::write(&script, SCRIPT.replace("LIST", &list.display().to_string()))?;
        let counter = counter.to_owned();
        Ok(Self { script, connections, counter, may_fail: false, refused: false })
    }

    /// Returns the same load, for which every answer has to be a refusal.
    pub fn refused(self) -> Self {
        Self { refused: true, ..self }
    }

    /// Returns the same load, of which some answers may be refusals.
    pub fn may_fail(self) -> Self {
        Self { may_fail: true, ..self }
    }

    /// Sends requests to `addr` for `time`, and measures the CPU of `pids` meanwhile.
    ///
    /// # Errors
    /// Fails if an answer was not a success (or, for a refused load, if one was), because failures
    /// are fast.
    pub async fn run(&self, addr: SocketAddr, time: Duration, pids: [u32; 2]) -> Outcome<Round> {
        let used = || -> Outcome<[Duration; 2]> { Ok([cpu::used(pids[0])?, cpu::used(pids[1])?]) };
        let before = used()?;
        let mut wrk = Command::new("wrk");
        wrk.args(["-t1", &format!("-c{}", self.connections), &format!("-d{}s", time.as_secs())]);
        wrk.arg("-s").arg(&self.script).arg(format!("http://{addr}"));
        let output = wrk.output().await.map_err(|error| format!("wrk: {error}"))?;
        let after = used()?;
        let text = String::from_utf8_lossy(&output.stdout);
        let value =
            |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        let (Some(count), Some(micros)) = (value("ANSWERS "), value("MICROS ")) else {
            return Err(
                format!("wrk printed: {text}{}", String::from_utf8_lossy(&output.stderr)).into()
            );
        };
        let status = value("STATUS ");
        let expected = if self.refused { status == Some(count) } else { status == Some("0") };
        if value("FAILED ") != Some("0") || !(expected || self.may_fail) {
            return Err(format!("an answer was not as expected: {text}").into());
        }
        let (answers, micros): (u64, f64) = (count.parse()?, micros.parse()?);
        let each = |index: usize| micros_each(after[index].saturating_sub(before[index]), answers);
        Ok(Round { rate: as_float(answers) * 1e6 / micros, answers, cpu: [each(0), each(1)] })
    }
}

const SCRIPT: &str = include_str!("load.lua");
