//! The tracer and the sampler of this process, once traces have started.

use std::sync::OnceLock;

use opentelemetry_sdk::trace::SdkTracer;

use super::sampler::RequestSampler;

static ACTIVE: OnceLock<Active> = OnceLock::new();

/// The tracer and the sampler; one in a process.
#[derive(Debug)]
pub(super) struct Active {
    /// Makes the spans of sampled requests.
    pub(super) tracer: SdkTracer,
    /// Decides which requests are recorded.
    pub(super) sampler: RequestSampler,
}

/// Turns traces on for this process. Only the first call counts.
pub(super) fn activate(active: Active) {
    // A second call finds the first one's tracer.
    let _ = ACTIVE.set(active);
}

/// The tracer and the sampler; `None` if traces are off.
pub(super) fn active() -> Option<&'static Active> {
    ACTIVE.get()
}
