//! The repairs of the reconcilers, from the metrics of the processes. No invariant depends on them;
//! they show how much drift Redis had.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::Method;
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::stage::Stage;
use crate::support::client::Client;

/// How often the metrics are read. Repairs after the last read and before a process ends are not
/// counted.
pub const EVERY: Duration = Duration::from_millis(250);
/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(1);

const NAME: &str = "onsale_reconciler_repairs_total{what=\"";

/// The number of repairs, by kind.
pub type Repairs = BTreeMap<String, u64>;

/// Reads the metrics of every process during a run.
pub struct RepairWatch {
    stop: CancellationToken,
    processes: Vec<JoinHandle<Repairs>>,
}

/// The repairs of one process, whose counters start at zero when it starts.
#[derive(Debug, Default)]
struct Tally {
    before: Repairs,
    last: Repairs,
}

impl RepairWatch {
    pub fn begin(stage: &Stage) -> Self {
        let stop = CancellationToken::new();
        let clients = stage.processes.iter().map(|it| Client::new(it.node.addr));
        let processes = clients.map(|client| tokio::spawn(watch(client, stop.clone()))).collect();
        Self { stop, processes }
    }

    /// Reads the metrics once more; returns the sum of all processes.
    pub async fn end(self) -> Repairs {
        self.stop.cancel();
        let mut all = Repairs::new();
        for process in self.processes {
            add(&mut all, process.await.expect("no panic"));
        }
        all
    }
}

async fn watch(client: Client, stop: CancellationToken) -> Repairs {
    let mut tally = Tally::default();
    loop {
        let last = stop.is_cancelled();
        // The process may be down or stopped.
        let request = client.request(Method::GET, "/metrics").timeout(TIMEOUT);
        if let Ok(answer) = request.send().await
            && let Ok(text) = answer.text().await
        {
            tally.note(read(&text));
        }
        if last {
            return tally.sum();
        }
        stop.run_until_cancelled(sleep(EVERY)).await;
    }
}

impl Tally {
    fn note(&mut self, now: Repairs) {
        if self.last.iter().any(|(what, times)| now.get(what).is_none_or(|it| it < times)) {
            add(&mut self.before, std::mem::take(&mut self.last));
        }
        self.last = now;
    }

    fn sum(mut self) -> Repairs {
        add(&mut self.before, self.last);
        self.before
    }
}

fn read(metrics: &str) -> Repairs {
    let lines = metrics.lines().filter_map(|line| line.strip_prefix(NAME)?.split_once("\"} "));
    lines.map(|(what, times)| (what.to_owned(), times.parse().expect("a number"))).collect()
}

fn add(to: &mut Repairs, more: Repairs) {
    for (what, times) in more {
        *to.entry(what).or_default() += times;
    }
}

#[test]
fn repairs_made_before_a_restart_are_counted() {
    let mut tally = Tally::default();
    for (seat, place) in [(0, 0), (2, 0), (3, 1), (0, 0), (4, 0)] {
        let text = format!("# TYPE x\n{NAME}seat\"}} {seat}\n{NAME}place\"}} {place}\nx 7\n");
        tally.note(read(&text));
    }
    let expected = [("place".to_owned(), 1), ("seat".to_owned(), 7)];
    assert_eq!(tally.sum(), Repairs::from(expected));
}
