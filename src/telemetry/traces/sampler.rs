//! Decides which requests are recorded: by the sampler that the settings name, and for polls by a
//! share of their own, because nine of ten requests are polls.
//!
//! A share takes traces by their ids, so all processes choose the same ones, and a smaller share is
//! a part of a larger one.

use opentelemetry::Context;
use opentelemetry::KeyValue;
use opentelemetry::trace::{Link, SpanContext, SpanKind, SpanRef, TraceContextExt, TraceId};
use opentelemetry_sdk::trace::{Sampler, SamplingDecision, SamplingResult, ShouldSample};

use super::parent::Parent;

/// Name of the span of a poll while it is decided.
pub(super) const POLL: &str = "poll";
/// Name of the span of any other request while it is decided.
pub(super) const REQUEST: &str = "request";

/// The sampler of this process.
#[derive(Debug, Clone)]
pub struct RequestSampler {
    requests: Sampler,
    polls: Sampler,
}

impl RequestSampler {
    /// Samples requests by `requests`, and of the polls among them only the share `polls`, 0 to 1.
    pub(super) fn new(requests: Sampler, polls: f64) -> Self {
        Self { requests, polls: Sampler::TraceIdRatioBased(polls) }
    }

    /// Whether a request with a caller's span is recorded. It allocates nothing.
    pub(super) fn samples(&self, name: &str, parent: Parent) -> bool {
        self.decide(name, parent.trace(), Some(parent.is_sampled()))
    }

    /// Decides about the first span in this process. `parent` says whether the caller's span is
    /// sampled.
    fn decide(&self, name: &str, trace: TraceId, parent: Option<bool>) -> bool {
        let by_sampler = match (&self.requests, parent) {
            (Sampler::ParentBased(_), Some(is_sampled)) => is_sampled,
            (sampler, _) => takes(sampler, trace),
        };
        by_sampler && (name != POLL || takes(&self.polls, trace))
    }
}

/// Whether `sampler` takes a trace without a caller's span.
fn takes(sampler: &Sampler, trace: TraceId) -> bool {
    let result = sampler.should_sample(None, trace, REQUEST, &SpanKind::Server, &[], &[]);
    result.decision == SamplingDecision::RecordAndSample
}

impl ShouldSample for RequestSampler {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        trace: TraceId,
        name: &str,
        _kind: &SpanKind,
        _attributes: &[KeyValue],
        _links: &[Link],
    ) -> SamplingResult {
        let span = parent.filter(|it| it.has_active_span()).map(TraceContextExt::span);
        let context = span.as_ref().map(SpanRef::span_context);
        let is_sampled = match context.filter(|it| it.is_valid()) {
            Some(context) if !context.is_remote() => context.is_sampled(),
            caller => self.decide(name, trace, caller.map(SpanContext::is_sampled)),
        };
        let decision =
            if is_sampled { SamplingDecision::RecordAndSample } else { SamplingDecision::Drop };
        let trace_state = context.map(|it| it.trace_state().clone()).unwrap_or_default();
        SamplingResult { decision, attributes: Vec::new(), trace_state }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of 1000 traces, how many are recorded.
    fn recorded(sampler: &RequestSampler, name: &str, parent: Option<bool>) -> usize {
        let id = |n: u128| {
            TraceId::from(n << 64 | n.wrapping_mul(0x9e37_79b9_7f4a_7c15) & u128::from(u64::MAX))
        };
        (1..=1000).filter(|n| sampler.decide(name, id(*n), parent)).count()
    }

    #[test]
    fn a_share_takes_that_many_and_polls_have_theirs() {
        let sampler = RequestSampler::new(Sampler::AlwaysOn, 0.1);
        assert_eq!(recorded(&sampler, REQUEST, None), 1000);
        assert!((80..120).contains(&recorded(&sampler, POLL, None)));
        let half = RequestSampler::new(Sampler::TraceIdRatioBased(0.5), 0.1);
        assert!((450..550).contains(&recorded(&half, REQUEST, None)));
        assert_eq!(recorded(&half, POLL, None), recorded(&sampler, POLL, None), "the same traces");
        assert_eq!(recorded(&RequestSampler::new(Sampler::AlwaysOn, 0.0), POLL, None), 0);
        assert_eq!(recorded(&RequestSampler::new(Sampler::AlwaysOff, 1.0), POLL, None), 0);
    }

    #[test]
    fn a_parent_decides_only_if_the_sampler_says_so_and_polls_keep_their_share() {
        let by_parent = Sampler::ParentBased(Box::new(Sampler::AlwaysOff));
        let by_parent = RequestSampler::new(by_parent, 0.1);
        assert_eq!(recorded(&by_parent, REQUEST, Some(true)), 1000);
        assert_eq!(recorded(&by_parent, REQUEST, Some(false)), 0);
        assert_eq!(recorded(&by_parent, REQUEST, None), 0);
        assert!((80..120).contains(&recorded(&by_parent, POLL, Some(true))));
        let off = RequestSampler::new(Sampler::AlwaysOff, 1.0);
        assert_eq!(recorded(&off, REQUEST, Some(true)), 0);
        let on = RequestSampler::new(Sampler::AlwaysOn, 1.0);
        assert_eq!(recorded(&on, REQUEST, Some(false)), 1000);
    }
}
