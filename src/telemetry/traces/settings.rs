//! The settings of traces: those of onsale, and OpenTelemetry's own environment variables. The SDK
//! and the exporter read further ones themselves (docs/OPERATIONS.md, "Traces").

use opentelemetry::{Key, KeyValue, Value};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::Sampler;
use uuid::Uuid;

use super::sampler::RequestSampler;
use crate::config::TelemetrySettings;

/// Where spans go if `OTEL_TRACES_EXPORTER` asks for OTLP and no address is set.
const DEFAULT_ENDPOINT: &str = "http://localhost:4318";

/// The settings of traces that are on.
#[derive(Debug)]
pub struct TraceSettings {
    /// Address to which spans are sent.
    pub(super) endpoint: String,
    /// The setting that has the address.
    pub(super) variable: &'static str,
    /// Decides which requests are recorded.
    pub(super) sampler: RequestSampler,
    /// Describes this process.
    pub(super) resource: Resource,
}

impl TraceSettings {
    /// The settings of this process; `None` if traces are off.
    #[must_use]
    pub fn of_process(settings: &TelemetrySettings) -> Option<Self> {
        Self::read(settings, |name| std::env::var(name).ok())
    }

    /// As [`TraceSettings::of_process`]. `variable` reads the environment variables that decide
    /// about the address and the sampler.
    pub fn read(
        settings: &TelemetrySettings,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Option<Self> {
        let variable = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        let (name, endpoint) = endpoint(settings.otlp_endpoint.as_deref(), &variable)?;
        let requests = sampler(
            variable("OTEL_TRACES_SAMPLER").as_deref(),
            variable("OTEL_TRACES_SAMPLER_ARG").as_deref(),
        );
        let sampler = RequestSampler::new(requests, settings.trace_poll_ratio);
        Some(Self { endpoint, variable: name, sampler, resource: resource() })
    }
}

/// The address to which spans are sent, with the setting that has it; `None` if traces are off. The
/// setting of onsale comes first, then the variable of traces, then that of all signals.
fn endpoint(
    own: Option<&str>,
    variable: &impl Fn(&str) -> Option<String>,
) -> Option<(&'static str, String)> {
    if variable("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        return None;
    }
    let exporters = variable("OTEL_TRACES_EXPORTER");
    let has = |exporter: &str| {
        exporters.as_ref().is_some_and(|all| all.split(',').any(|it| it.trim() == exporter))
    };
    if exporters.is_some() && !has("otlp") {
        if !has("none") {
            tracing::warn!(?exporters, "traces are off: OTEL_TRACES_EXPORTER may be otlp or none");
        }
        return None;
    }
    let traces = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
    let all = "OTEL_EXPORTER_OTLP_ENDPOINT";
    let default = || has("otlp").then(|| ("OTEL_TRACES_EXPORTER", of_signal(DEFAULT_ENDPOINT)));
    own.map(|base| ("ONSALE_OTLP_ENDPOINT", of_signal(base)))
        .or_else(|| Some((traces, variable(traces)?)))
        .or_else(|| Some((all, of_signal(&variable(all)?))))
        .or_else(default)
}

/// The address for traces below the base address of a collector.
fn of_signal(base: &str) -> String {
    let base = base.trim_end_matches('/');
    if base.ends_with("/v1/traces") { base.to_owned() } else { format!("{base}/v1/traces") }
}

/// The sampler with this name in OpenTelemetry's specification. For an unknown name, the default:
/// the caller decides, and without a caller every request is recorded. The SDK warns of unknown names
/// and invalid arguments.
fn sampler(name: Option<&str>, argument: Option<&str>) -> Sampler {
    let ratio = || {
        let ratio = argument.and_then(|text| text.trim().parse::<f64>().ok());
        Sampler::TraceIdRatioBased(ratio.filter(|it| (0.0..=1.0).contains(it)).unwrap_or(1.0))
    };
    let by_parent = |root: Sampler| Sampler::ParentBased(Box::new(root));
    match name.unwrap_or_default() {
        "always_on" => Sampler::AlwaysOn,
        "always_off" => Sampler::AlwaysOff,
        "traceidratio" => ratio(),
        "parentbased_always_off" => by_parent(Sampler::AlwaysOff),
        "parentbased_traceidratio" => by_parent(ratio()),
        _ => by_parent(Sampler::AlwaysOn),
    }
}

/// What describes this process: `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES`, and what they
/// leave out.
fn resource() -> Resource {
    let found = Resource::builder().build();
    let lacks = |name: &'static str| found.get_ref(&Key::from_static_str(name)).is_none();
    let is_unnamed = found.get_ref(&Key::from_static_str("service.name")).is_none_or(
        |name| matches!(name, Value::String(name) if name.as_str().starts_with("unknown_service")),
    );
    let own = [
        is_unnamed.then(|| KeyValue::new("service.name", "onsale")),
        lacks("service.version")
            .then(|| KeyValue::new("service.version", env!("CARGO_PKG_VERSION"))),
        lacks("service.instance.id")
            .then(|| KeyValue::new("service.instance.id", Uuid::now_v7().to_string())),
    ];
    Resource::builder().with_attributes(own.into_iter().flatten()).build()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The address for the setting of onsale and these variables.
    fn address(own: Option<&str>, variables: &[(&str, &str)]) -> Option<String> {
        let value = |name: &str| variables.iter().find(|it| it.0 == name).map(|it| it.1.to_owned());
        endpoint(own, &value).map(|(_, endpoint)| endpoint)
    }

    #[test]
    fn the_nearest_setting_has_the_address() {
        let all = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://all:4318/otlp/");
        let traces = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://traces:4318/in");
        let otlp = ("OTEL_TRACES_EXPORTER", "otlp");
        for (own, variables, wanted) in [
            (None, &[][..], None),
            (None, &[all], Some("http://all:4318/otlp/v1/traces")),
            (None, &[all, traces], Some("http://traces:4318/in")),
            (Some("http://own:4318/"), &[all, traces], Some("http://own:4318/v1/traces")),
            (Some("http://own/v1/traces"), &[], Some("http://own/v1/traces")),
            (None, &[otlp], Some("http://localhost:4318/v1/traces")),
            (None, &[otlp, all], Some("http://all:4318/otlp/v1/traces")),
        ] {
            assert_eq!(address(own, variables).as_deref(), wanted, "{own:?} {variables:?}");
        }
    }

    #[test]
    fn traces_are_off_where_a_variable_says_so() {
        let own = Some("http://own:4318");
        for off in [
            ("OTEL_SDK_DISABLED", "true"),
            ("OTEL_SDK_DISABLED", "TRUE"),
            ("OTEL_TRACES_EXPORTER", "none"),
            ("OTEL_TRACES_EXPORTER", "console"),
        ] {
            assert_eq!(address(own, &[off]), None, "{off:?}");
        }
        for on in [("OTEL_SDK_DISABLED", "false"), ("OTEL_TRACES_EXPORTER", "console, otlp")] {
            assert!(address(own, &[on]).is_some(), "{on:?}");
        }
    }

    #[test]
    fn samplers_are_those_of_the_specification() {
        for (name, argument, wanted) in [
            ("always_on", None, "AlwaysOn"),
            ("always_off", None, "AlwaysOff"),
            ("traceidratio", Some("0.25"), "TraceIdRatioBased(0.25)"),
            ("traceidratio", None, "TraceIdRatioBased(1.0)"),
            ("traceidratio", Some("2"), "TraceIdRatioBased(1.0)"),
            ("traceidratio", Some("NaN"), "TraceIdRatioBased(1.0)"),
            ("parentbased_always_on", None, "ParentBased(AlwaysOn)"),
            ("parentbased_always_off", None, "ParentBased(AlwaysOff)"),
            ("parentbased_traceidratio", Some("0.5"), "ParentBased(TraceIdRatioBased(0.5))"),
            ("sometimes", None, "ParentBased(AlwaysOn)"),
        ] {
            assert_eq!(format!("{:?}", sampler(Some(name), argument)), wanted, "{name}");
        }
        assert_eq!(format!("{:?}", sampler(None, None)), "ParentBased(AlwaysOn)");
    }
}
