//! What is counted, as it is shown.

use super::*;

#[track_caller]
fn assert_has(metrics: &Metrics, line: &str) {
    let text = metrics.encode(Format::OpenMetrics);
    assert!(text.lines().any(|l| l == line), "no {line} in:\n{text}");
}

fn proxy(metrics: &Metrics) -> ProxyMetrics {
    metrics.proxy(&"aps".into())
}

#[test]
fn an_exchange_is_counted_by_method_status_and_error() {
    let metrics = Metrics::new(Lost::default());
    let aps = proxy(&metrics);
    let took = Duration::from_millis(40);
    aps.exchange(&Method::GET, Some(StatusCode::OK), None, took);
    aps.exchange(&Method::GET, Some(StatusCode::OK), None, took);
    let invented = Method::from_bytes(b"BREW").unwrap();
    let timeout = Some("connection_timeout");
    aps.exchange(&invented, Some(StatusCode::GATEWAY_TIMEOUT), timeout, took);
    aps.exchange(&Method::PUT, None, Some("client_gone"), took);

    for line in [
        r#"undersign_exchanges_total{proxy="aps",method="GET",status="200",error_type=""} 2"#,
        r#"undersign_exchanges_total{proxy="aps",method="other",status="504",error_type="connection_timeout"} 1"#,
        r#"undersign_exchanges_total{proxy="aps",method="PUT",status="",error_type="client_gone"} 1"#,
        r#"undersign_exchange_duration_seconds_bucket{le="0.025",proxy="aps"} 0"#,
        r#"undersign_exchange_duration_seconds_bucket{le="0.05",proxy="aps"} 4"#,
        r#"undersign_exchange_duration_seconds_count{proxy="aps"} 4"#,
    ] {
        assert_has(&metrics, line);
    }
}

#[test]
fn connections_are_counted() {
    let metrics = Metrics::new(Lost::default());
    let aps = proxy(&metrics);
    let (first, second) = (aps.client_connected(), aps.client_connected());
    drop(first);
    assert_has(&metrics, r#"undersign_client_connections{proxy="aps"} 1"#);
    drop(second);
    assert_has(&metrics, r#"undersign_client_connections{proxy="aps"} 0"#);

    aps.upstream_connected();
    proxy(&metrics).upstream_connected();
    aps.upstream_failed("dns_error");
    for line in [
        r#"undersign_upstream_connections_total{proxy="aps",result="ok"} 2"#,
        r#"undersign_upstream_connections_total{proxy="aps",result="dns_error"} 1"#,
    ] {
        assert_has(&metrics, line);
    }
}

#[test]
fn reloads_are_counted_and_dated() {
    let metrics = Metrics::new(Lost::default());
    metrics.configured(1_795_468_800);
    for line in [
        r#"undersign_reloads_total{outcome="ok"} 0"#,
        "undersign_config_last_reload_successful 1",
        "undersign_config_last_reload_success_timestamp_seconds 1795468800",
    ] {
        assert_has(&metrics, line);
    }
    metrics.reload_refused();
    for line in [
        r#"undersign_reloads_total{outcome="refused"} 1"#,
        "undersign_config_last_reload_successful 0",
        "undersign_config_last_reload_success_timestamp_seconds 1795468800",
    ] {
        assert_has(&metrics, line);
    }
    metrics.reloaded(1_795_468_900);
    for line in [
        r#"undersign_reloads_total{outcome="ok"} 1"#,
        "undersign_config_last_reload_successful 1",
        "undersign_config_last_reload_success_timestamp_seconds 1795468900",
    ] {
        assert_has(&metrics, line);
    }
}

#[test]
fn lost_records_and_the_version_are_shown() {
    let metrics = Metrics::new(Lost::default());
    assert_has(&metrics, "undersign_log_records_lost_total 0");
    let version = env!("CARGO_PKG_VERSION");
    let build = format!(r#"undersign_build_info{{version="{version}"}} 1"#);
    assert_has(&metrics, &build);
    let openmetrics = metrics.encode(Format::OpenMetrics);
    assert!(openmetrics.ends_with("# EOF\n"), "{openmetrics}");
}

#[test]
fn the_samples_are_the_same_in_both_formats() {
    fn samples(text: &str) -> Vec<&str> {
        text.lines().filter(|line| !line.starts_with('#')).collect()
    }
    let metrics = Metrics::new(Lost::default());
    let took = Duration::from_millis(40);
    proxy(&metrics).exchange(&Method::GET, Some(StatusCode::OK), None, took);
    let openmetrics = metrics.encode(Format::OpenMetrics);
    let prometheus = metrics.encode(Format::Prometheus);
    assert_eq!(samples(&prometheus), samples(&openmetrics));
    for line in [
        "# HELP undersign_exchanges_total Exchanges that have ended.",
        "# TYPE undersign_exchanges_total counter",
        "# TYPE undersign_exchange_duration_seconds histogram",
        "# TYPE undersign_client_connections gauge",
        "# TYPE undersign_build_info gauge",
    ] {
        assert!(
            prometheus.lines().any(|l| l == line),
            "no {line} in:\n{prometheus}"
        );
    }
}
