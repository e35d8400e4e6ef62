//! OpenMetrics 1.0, rewritten as Prometheus' text format 0.0.4.
//!
//! The encoder knows the former only. Of what ours can come to hold, the two differ in this: Prometheus names a family as
//! its samples are named, has no type for an info, calls an unknown type untyped, and has neither units nor a line for the
//! end. Nothing of ours has an exemplar, which would have to go.

use std::fmt::Write as _;

/// Rewrites what the encoder has written, which has the help of each family just before its type.
pub(super) fn from_openmetrics(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut help = None;
    for line in text.lines() {
        // Writing to a string does not fail.
        let _ = match Line::read(line) {
            Line::Help(text) => {
                help = Some(text);
                Ok(())
            }
            Line::Type(family, kind) => {
                let (suffix, kind) = named(kind);
                // What is left of the help is the text, behind the same name.
                let text = help.take().and_then(|help| help.strip_prefix(family));
                let help = text.map_or(Ok(()), |text| {
                    writeln!(out, "# HELP {family}{suffix}{text}")
                });
                help.and_then(|()| writeln!(out, "# TYPE {family}{suffix} {kind}"))
            }
            Line::Unknown => Ok(()),
            Line::Sample => writeln!(out, "{line}"),
        };
    }
    out
}

/// A line of OpenMetrics.
enum Line<'a> {
    /// A family's name, and what it counts.
    Help(&'a str),
    /// A family's name and its type.
    Type(&'a str, &'a str),
    /// A unit or the end, which Prometheus does not know.
    Unknown,
    Sample,
}

impl<'a> Line<'a> {
    fn read(line: &'a str) -> Self {
        let Some(descriptor) = line.strip_prefix("# ") else {
            return Self::Sample;
        };
        match descriptor.split_once(' ') {
            Some(("HELP", help)) => Self::Help(help),
            Some(("TYPE", rest)) => {
                let (family, kind) = rest.split_once(' ').unwrap_or((rest, "unknown"));
                Self::Type(family, kind)
            }
            _ => Self::Unknown,
        }
    }
}

/// What OpenMetrics appends to the name of a family's only sample, and what Prometheus calls the family's type.
fn named(kind: &str) -> (&'static str, &str) {
    match kind {
        "counter" => ("_total", kind),
        "info" => ("_info", "gauge"),
        "unknown" => ("", "untyped"),
        _ => ("", kind),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_family_is_named_as_its_samples_are() {
        let table = [
            (
                "# HELP a_reloads Attempts to reload.\n# TYPE a_reloads counter\na_reloads_total{outcome=\"ok\"} 1\n",
                "# HELP a_reloads_total Attempts to reload.\n# TYPE a_reloads_total counter\na_reloads_total{outcome=\"ok\"} 1\n",
            ),
            (
                "# HELP a_build The program.\n# TYPE a_build info\na_build_info{version=\"1\"} 1\n",
                "# HELP a_build_info The program.\n# TYPE a_build_info gauge\na_build_info{version=\"1\"} 1\n",
            ),
            (
                "# HELP a_open Open now.\n# TYPE a_open gauge\na_open 0\n",
                "# HELP a_open Open now.\n# TYPE a_open gauge\na_open 0\n",
            ),
            (
                "# HELP a_size Size.\n# TYPE a_size histogram\na_size_sum 1.5\na_size_count 1\na_size_bucket{le=\"+Inf\"} 1\n",
                "# HELP a_size Size.\n# TYPE a_size histogram\na_size_sum 1.5\na_size_count 1\na_size_bucket{le=\"+Inf\"} 1\n",
            ),
            (
                "# HELP a_age_seconds Age.\n# TYPE a_age_seconds gauge\n# UNIT a_age_seconds seconds\na_age_seconds 3\n",
                "# HELP a_age_seconds Age.\n# TYPE a_age_seconds gauge\na_age_seconds 3\n",
            ),
            ("# TYPE a_b unknown\na_b 1\n", "# TYPE a_b untyped\na_b 1\n"),
            ("# TYPE a_none counter\n", "# TYPE a_none_total counter\n"),
            ("# EOF\n", ""),
            ("", ""),
        ];
        for (openmetrics, expected) in table {
            assert_eq!(from_openmetrics(openmetrics), expected, "{openmetrics}");
        }
    }
}
