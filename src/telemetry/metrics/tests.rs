use super::*;

#[test]
fn counts_are_rendered_in_both_formats() {
    let metrics = Metrics::new();
    metrics.request("/v1/points", "GET", 200, Duration::from_millis(3));
    metrics.request("/v1/points", "GET", 500, Duration::from_millis(3));
    metrics.paid(2, 300);
    metrics.hold_refused(7, "seat_taken");
    for format in [TextFormat::OpenMetrics, TextFormat::Prometheus] {
        let text = metrics.render(format);
        for line in [
            r#"onsale_http_requests_total{route="/v1/points",method="GET",status="200"} 1"#,
            r#"onsale_http_request_duration_seconds_bucket{le="0.005",route="/v1/points",method="GET"} 2"#,
            "onsale_http_internal_errors_total 1",
            r#"onsale_points_total{kind="PAYMENT"} 300"#,
            r#"onsale_points_total{kind="REFUND"} 0"#,
            r#"onsale_holds_refused_total{reason="seat_taken"} 1"#,
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
    }
}
