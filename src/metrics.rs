//! What the daemon counts, in the terms of OpenMetrics.
//!
//! A client must not be able to grow these by inventing methods or paths, so every label has few values.

mod prometheus;

use std::{fmt, sync::Arc, time::Duration};

use hyper::{Method, StatusCode};
use prometheus_client::{
    encoding::{EncodeLabelSet, EncodeMetric, MetricEncoder, text},
    metrics::{
        MetricType,
        counter::{ConstCounter, Counter},
        family::Family,
        gauge::Gauge,
        histogram::Histogram,
        info::Info,
    },
    registry::Registry,
};

use crate::log::Lost;

/// How metrics are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Prometheus' text format 0.0.4.
    Prometheus,
    /// OpenMetrics 1.0.
    OpenMetrics,
}

impl Format {
    /// Its media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// Upper bounds of the histogram's buckets, in seconds; platforms may think for minutes.
const DURATION_BOUNDS: [f64; 14] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0,
];

/// The outcomes of a reload, as a label has them.
const OK: &str = "ok";
const REFUSED: &str = "refused";

/// All metrics of the process.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    exchanges: Family<ExchangeLabels, Counter>,
    exchange_duration: Family<ProxyLabel, Histogram, fn() -> Histogram>,
    client_connections: Family<ProxyLabel, Gauge>,
    upstream_connections: Family<UpstreamLabels, Counter>,
    reloads: Family<ReloadLabels, Counter>,
    reload_successful: Gauge,
    configured_at: Gauge,
}

impl Metrics {
    /// Metrics that stand at zero, but for the count of lost log records, which is read from `lost`.
    pub fn new(lost: Lost) -> Self {
        let exchanges = Family::default();
        let exchange_duration = Family::new_with_constructor(duration_histogram as fn() -> _);
        let client_connections = Family::default();
        let upstream_connections = Family::default();
        let reloads = Family::default();
        for outcome in [OK, REFUSED] {
            // From the start, so that the first one can be told from none before.
            drop(reloads.get_or_create(&ReloadLabels { outcome }));
        }
        let reload_successful = Gauge::default();
        reload_successful.set(1);
        let configured_at = Gauge::default();

        // A counter's `_total` and an info's `_info` are appended by the encoder.
        let mut registry = Registry::with_prefix("undersign");
        registry.register(
            "exchanges",
            "Exchanges that have ended",
            Family::clone(&exchanges),
        );
        registry.register(
            "exchange_duration_seconds",
            "Time from a request's first byte to the end of its exchange",
            Family::clone(&exchange_duration),
        );
        registry.register(
            "client_connections",
            "Client connections that are open",
            Family::clone(&client_connections),
        );
        registry.register(
            "upstream_connections",
            "Attempts to connect to an upstream",
            Family::clone(&upstream_connections),
        );
        registry.register(
            "reloads",
            "Attempts to reload configuration, secrets and certificates",
            Family::clone(&reloads),
        );
        registry.register(
            "config_last_reload_successful",
            "Whether the last attempt to reload succeeded",
            reload_successful.clone(),
        );
        registry.register(
            "config_last_reload_success_timestamp_seconds",
            "When what is in use was loaded, in seconds since the epoch",
            configured_at.clone(),
        );
        registry.register(
            "log_records_lost",
            "Log records that could not be written",
            LostRecords(lost),
        );
        registry.register(
            "build",
            "The program that runs",
            Info::new([("version", env!("CARGO_PKG_VERSION"))]),
        );

        Self {
            registry,
            exchanges,
            exchange_duration,
            client_connections,
            upstream_connections,
            reloads,
            reload_successful,
            configured_at,
        }
    }

    /// What is in use was loaded `at` this time, in seconds since the epoch.
    pub fn configured(&self, at: u64) {
        self.reload_successful.set(1);
        self.configured_at.set(at.try_into().unwrap_or(i64::MAX));
    }

    /// Counts a reload that succeeded `at` this time, in seconds since the epoch.
    pub fn reloaded(&self, at: u64) {
        self.count_reload(OK);
        self.configured(at);
    }

    /// Counts a reload that was refused.
    pub fn reload_refused(&self) {
        self.count_reload(REFUSED);
        self.reload_successful.set(0);
    }

    fn count_reload(&self, outcome: &'static str) {
        self.reloads.get_or_create(&ReloadLabels { outcome }).inc();
    }

    /// The metrics of one proxy. Asked twice for one name, both count in the same place.
    pub fn proxy(&self, name: &Arc<str>) -> ProxyMetrics {
        let proxy = Arc::clone(name);
        let label = ProxyLabel {
            proxy: Arc::clone(name),
        };
        let connected = UpstreamLabels {
            proxy: Arc::clone(name),
            result: "ok",
        };
        ProxyMetrics {
            proxy,
            exchanges: self.exchanges.clone(),
            duration: self.exchange_duration.get_or_create_owned(&label),
            clients: self.client_connections.get_or_create_owned(&label),
            upstream_connected: self.upstream_connections.get_or_create_owned(&connected),
            upstream_connections: self.upstream_connections.clone(),
        }
    }

    /// Everything as text.
    pub fn encode(&self, format: Format) -> String {
        let mut out = String::new();
        // Writing to a string does not fail.
        let _ = text::encode(&mut out, &self.registry);
        match format {
            Format::Prometheus => prometheus::from_openmetrics(&out),
            Format::OpenMetrics => out,
        }
    }
}

/// The metrics of one proxy, with what every exchange touches at hand.
#[derive(Clone, Debug)]
pub struct ProxyMetrics {
    proxy: Arc<str>,
    exchanges: Family<ExchangeLabels, Counter>,
    duration: Histogram,
    clients: Gauge,
    upstream_connected: Counter,
    upstream_connections: Family<UpstreamLabels, Counter>,
}

impl ProxyMetrics {
    /// Counts an exchange that has ended: with the status that the client got, if it got any, and the type of
    /// the error, if there was one.
    pub fn exchange(
        &self,
        method: &Method,
        status: Option<StatusCode>,
        error_type: Option<&'static str>,
        took: Duration,
    ) {
        let labels = ExchangeLabels {
            proxy: Arc::clone(&self.proxy),
            method: known_method(method),
            status: status.map(|status| status.as_u16()),
            error_type,
        };
        self.exchanges.get_or_create(&labels).inc();
        self.duration.observe(took.as_secs_f64());
    }

    /// Counts a client connection for as long as the answer lives.
    pub fn client_connected(&self) -> ClientConnection {
        self.clients.inc();
        ClientConnection(self.clients.clone())
    }

    /// Counts a connection made to the upstream.
    pub fn upstream_connected(&self) {
        self.upstream_connected.inc();
    }

    /// Counts a connection that could not be made to the upstream.
    pub fn upstream_failed(&self, error_type: &'static str) {
        let labels = UpstreamLabels {
            proxy: Arc::clone(&self.proxy),
            result: error_type,
        };
        self.upstream_connections.get_or_create(&labels).inc();
    }
}

/// A client connection that is counted as open until this is dropped.
#[derive(Debug)]
#[must_use = "the connection is counted until this is dropped"]
pub struct ClientConnection(Gauge);

impl Drop for ClientConnection {
    fn drop(&mut self) {
        self.0.dec();
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ProxyLabel {
    proxy: Arc<str>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ExchangeLabels {
    proxy: Arc<str>,
    method: &'static str,
    status: Option<u16>,
    error_type: Option<&'static str>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct UpstreamLabels {
    proxy: Arc<str>,
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReloadLabels {
    outcome: &'static str,
}

/// The log's own count, read when it is asked for.
#[derive(Debug)]
struct LostRecords(Lost);

impl EncodeMetric for LostRecords {
    fn encode(&self, encoder: MetricEncoder<'_>) -> fmt::Result {
        ConstCounter::new(self.0.get()).encode(encoder)
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Counter
    }
}

fn duration_histogram() -> Histogram {
    Histogram::new(DURATION_BOUNDS)
}

/// A method is whatever a client writes, so only those of RFC 9110 and RFC 5789 keep their names.
fn known_method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        Method::CONNECT => "CONNECT",
        Method::TRACE => "TRACE",
        _ => "other",
    }
}

#[cfg(test)]
mod tests;
