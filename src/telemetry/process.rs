//! The metrics of the operating-system process, with the names that Prometheus's own clients use.
//! Linux only: they are read from `/proc` at each scrape.

use std::fmt;

use procfs::process::{LimitValue, Process};
use procfs::{ProcResult, WithCurrentSystemInfo};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

/// Reads the figures of this process at each scrape.
#[derive(Debug)]
pub(super) struct ProcessCollector;

#[expect(clippy::cast_precision_loss, reason = "Prometheus's numbers are floats too")]
fn float(number: u64) -> f64 {
    number as f64
}

/// The figures of this process.
struct Figures {
    cpu_seconds: f64,
    start_time_seconds: f64,
    resident_bytes: u64,
    virtual_bytes: u64,
    threads: i64,
    open_files: u64,
    max_files: u64,
}

impl Figures {
    fn read() -> ProcResult<Self> {
        let this = Process::myself()?;
        let stat = this.stat()?;
        let seconds = |ticks: u64| float(ticks) / float(procfs::ticks_per_second());
        let max_files = match this.limits()?.max_open_files.soft_limit {
            LimitValue::Value(most) => most,
            LimitValue::Unlimited => u64::MAX,
        };
        Ok(Self {
            cpu_seconds: seconds(stat.utime + stat.stime),
            start_time_seconds: float(procfs::boot_time_secs()?) + seconds(stat.starttime),
            resident_bytes: stat.rss_bytes().get(),
            virtual_bytes: stat.vsize,
            threads: stat.num_threads,
            open_files: this.fd_count()? as u64,
            max_files,
        })
    }
}

impl Collector for ProcessCollector {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), fmt::Error> {
        let figures = match Figures::read() {
            Ok(figures) => figures,
            Err(error) => {
                tracing::warn!(%error, "the figures of the process could not be read");
                return Ok(());
            }
        };
        let mut add = |name: &str, help: &str, metric: &dyn EncodeMetric| {
            metric.encode(encoder.encode_descriptor(name, help, None, metric.metric_type())?)
        };
        let gauge = |value: u64| ConstGauge::new(float(value));
        add("cpu_seconds", "CPU time of user and system", &ConstCounter::new(figures.cpu_seconds))?;
        let help = "Start of the process, since the Unix epoch";
        add("start_time_seconds", help, &ConstGauge::new(figures.start_time_seconds))?;
        let help = "Resident memory";
        add("resident_memory_bytes", help, &gauge(figures.resident_bytes))?;
        add("virtual_memory_bytes", "Virtual memory", &gauge(figures.virtual_bytes))?;
        add("threads", "Threads of the operating system", &ConstGauge::new(figures.threads))?;
        add("open_fds", "Open file descriptors", &gauge(figures.open_files))?;
        add("max_fds", "Limit of open file descriptors", &gauge(figures.max_files))
    }
}
