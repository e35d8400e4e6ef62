//! Which format of metrics a scraper accepts (RFC 9110 §12.5.1).

use hyper::{
    HeaderMap,
    header::{ACCEPT, HeaderValue},
};

use crate::metrics::Format;

/// OpenMetrics where it is asked for by name, and nothing else is liked better; otherwise Prometheus' own text, which every
/// scraper can read.
pub(super) fn format(headers: &HeaderMap) -> Format {
    let (mut openmetrics, mut text): (f32, f32) = (0.0, 0.0);
    let values = headers.get_all(ACCEPT).iter();
    let ranges = values.filter_map(|value| HeaderValue::to_str(value).ok());
    for range in ranges.flat_map(|value| value.split(',')) {
        let mut parts = range.split(';').map(str::trim);
        let media_type = parts.next().unwrap_or_default().to_ascii_lowercase();
        let parameters: Vec<_> = parts.filter_map(|part| part.split_once('=')).collect();
        let parameter = |wanted: &str| {
            let mut parameters = parameters.iter();
            let found = parameters.find(|(name, _)| name.eq_ignore_ascii_case(wanted));
            found.map(|(_, value)| value.trim_matches('"'))
        };
        let weight = parameter("q").map_or(Some(1.0), |q| q.parse().ok());
        let weight = weight.filter(|weight| (0.0..=1.0).contains(weight));
        let weight = weight.unwrap_or(0.0);
        match &*media_type {
            // The one version that we write; there were drafts before it.
            "application/openmetrics-text"
                if matches!(parameter("version"), None | Some("1.0.0")) =>
            {
                openmetrics = openmetrics.max(weight);
            }
            "text/plain" => text = text.max(weight),
            _ => {}
        }
    }
    if openmetrics > 0.0 && openmetrics >= text {
        Format::OpenMetrics
    } else {
        Format::Prometheus
    }
}

#[cfg(test)]
mod tests {
    use super::{
        Format::{OpenMetrics, Prometheus},
        *,
    };

    #[test]
    fn openmetrics_is_for_those_who_ask_for_it() {
        let cases: &[(&[&str], Format)] = &[
            (&[], Prometheus),
            (&["*/*"], Prometheus),
            (&["application/*"], Prometheus),
            (&["text/html, text/plain;q=0.5"], Prometheus),
            (&["application/openmetrics-text"], OpenMetrics),
            (
                &["Application/OpenMetrics-Text; Version=1.0.0"],
                OpenMetrics,
            ),
            (
                &["application/openmetrics-text; version=\"1.0.0\""],
                OpenMetrics,
            ),
            (&["application/openmetrics-text;version=0.0.1"], Prometheus),
            (&["application/openmetrics-text;q=0"], Prometheus),
            (&["application/openmetrics-text;q=x"], Prometheus),
            (&["application/openmetrics-text;q=inf"], Prometheus),
            (&["text/plain", "application/openmetrics-text"], OpenMetrics),
            // What Prometheus 2 and 3 send, and what Prometheus 3 sends if it is told to prefer its own text.
            (
                &[
                    "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,\
                     text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
                ],
                OpenMetrics,
            ),
            (
                &[
                    "text/plain;version=0.0.4;q=0.5,application/openmetrics-text;version=1.0.0;q=0.4,*/*;q=0.3",
                ],
                Prometheus,
            ),
        ];
        for (values, expected) in cases {
            let values = values
                .iter()
                .map(|value| (ACCEPT, HeaderValue::from_static(value)));
            assert_eq!(format(&values.clone().collect()), *expected, "{values:?}");
        }
    }
}
