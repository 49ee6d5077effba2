//! The caller's span, as W3C Trace Context names it in the header `traceparent`. A header that the
//! recommendation does not allow is ignored, and the request begins a trace of its own.
//!
//! Specification: <https://www.w3.org/TR/trace-context/>.

use std::str::FromStr;

use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};

/// Length of a header of version 00, in bytes. Later versions may append fields after a dash.
const LENGTH: usize = 55;
/// The version that no header may have.
const FORBIDDEN: u128 = 0xff;
/// Bytes of `tracestate` that are kept; a longer one is ignored.
const STATE_LIMIT: usize = 512;

/// The span that a caller names as the parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parent {
    trace: TraceId,
    span: SpanId,
    flags: TraceFlags,
}

impl Parent {
    /// Reads the values of the header `traceparent`; `None` unless there is exactly one, and it is
    /// valid. It allocates nothing.
    pub fn read<'h>(mut values: impl Iterator<Item = &'h [u8]>) -> Option<Self> {
        let value = values.next()?;
        if values.next().is_some() {
            return None;
        }
        let (head, rest) = value.split_at_checked(LENGTH)?;
        let mut fields = head.split(|byte| *byte == b'-');
        let mut field = |length| {
            let text = fields.next().filter(|text| text.len() == length)?;
            text.iter().try_fold(0_u128, |sum, byte| Some(sum << 4 | lower_hex(*byte)?))
        };
        let (version, trace, span, flags) = (field(2)?, field(32)?, field(16)?, field(2)?);
        let may_continue = version > 0 && rest.first() == Some(&b'-');
        if version == FORBIDDEN || trace == 0 || span == 0 || !(rest.is_empty() || may_continue) {
            return None;
        }
        let span = SpanId::from(u64::try_from(span).ok()?);
        let flags = TraceFlags::default().with_sampled(flags & 1 == 1);
        Some(Self { trace: TraceId::from(trace), span, flags })
    }

    pub(super) fn trace(self) -> TraceId {
        self.trace
    }

    pub(super) fn is_sampled(self) -> bool {
        self.flags.is_sampled()
    }

    /// The context of the caller's span; `state` is the text of its `tracestate`.
    pub(super) fn context(self, state: &str) -> SpanContext {
        let state = Some(state).filter(|text| text.len() <= STATE_LIMIT);
        let state = state.and_then(|text| TraceState::from_str(text).ok()).unwrap_or_default();
        SpanContext::new(self.trace, self.span, self.flags, true, state)
    }
}

/// The value of a hexadecimal digit; `None` for an upper-case letter, which the header must not
/// have.
fn lower_hex(byte: u8) -> Option<u128> {
    match byte {
        b'0'..=b'9' => Some(u128::from(byte - b'0')),
        b'a'..=b'f' => Some(u128::from(byte - b'a' + 10)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALID: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn read(values: &[&str]) -> Option<Parent> {
        Parent::read(values.iter().map(|value| value.as_bytes()))
    }

    #[test]
    fn a_valid_header_names_the_parent() {
        let parent = read(&[VALID]).expect("valid");
        assert_eq!(parent.trace.to_string(), "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(parent.span.to_string(), "b7ad6b7169203331");
        assert!(parent.is_sampled() && parent.context("").is_remote());
        // Of the flags only the lowest bit counts.
        for (flags, is_sampled) in [("00", false), ("02", false), ("03", true), ("ff", true)] {
            let text = format!("{}{flags}", &VALID[..53]);
            assert_eq!(read(&[&text]).map(Parent::is_sampled), Some(is_sampled), "{flags}");
        }
    }

    #[test]
    fn a_later_version_may_append_fields() {
        let later = |end: &str| format!("cc{}{end}", &VALID[2..]);
        for valid in [later(""), later("-"), later("-what-the-future-brings")] {
            assert_eq!(read(&[&valid]), read(&[VALID]), "{valid}");
        }
        assert_eq!(read(&[&later(".x")]), None);
    }

    #[test]
    fn headers_that_the_recommendation_does_not_allow_are_ignored() {
        let (trace, span) = (&VALID[3..35], &VALID[36..52]);
        for invalid in [
            "",
            "00",
            &VALID[..54],
            &format!("{VALID}-"),
            &format!("{VALID}0"),
            &format!("ff{}", &VALID[2..]),
            &format!("0{}", &VALID[2..]),
            &format!("0x{}", &VALID[2..]),
            &VALID.to_uppercase(),
            &format!("00-{}-{span}-01", "0".repeat(32)),
            &format!("00-{trace}-{}-01", "0".repeat(16)),
            &format!("00-{trace}-{span}-0G"),
            &format!("00-{trace}-{span}_01"),
            &format!("00-{trace}0-{}-01", &span[1..]),
            &format!("00-{}g-{span}-01", &trace[1..]),
            &format!("00-{trace}-{}é-01", &span[2..]),
            &format!("{VALID},{VALID}"),
        ] {
            assert_eq!(read(&[invalid]), None, "{invalid}");
        }
        assert_eq!(read(&[]), None);
        assert_eq!(read(&[VALID, VALID]), None, "the header is there twice");
    }

    #[test]
    fn a_state_that_is_too_long_or_malformed_is_ignored_and_the_parent_counts() {
        let parent = read(&[VALID]).expect("valid");
        assert_eq!(parent.context("a=1,b=2").trace_state().get("b"), Some("2"));
        for bad in ["no pair".to_owned(), format!("a={}", "1".repeat(STATE_LIMIT))] {
            let context = parent.context(&bad);
            assert_eq!(context.trace_state().header(), "", "{bad}");
            assert_eq!(context.trace_id(), parent.trace());
        }
    }
}
