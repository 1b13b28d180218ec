//! The text formats of Prometheus and OpenMetrics, and the reference of all metrics.

use super::{DECLARED, Metrics, Sort};
use std::fmt::Write;

/// How metrics are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Prometheus,
    OpenMetrics,
}

impl Format {
    /// The one that the header `Accept` asks for.
    pub fn of_accept(accept: &str) -> Format {
        if accept.contains("application/openmetrics-text") { Format::OpenMetrics } else { Format::Prometheus }
    }

    pub fn content_type(self) -> &'static str {
        match self {
            Format::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            Format::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

impl Metrics {
    /// Everything as text.
    ///
    /// # Errors
    /// A metric cannot be written.
    pub fn text(&self, format: Format) -> prometheus::Result<String> {
        let text = prometheus::TextEncoder::new().encode_to_string(&self.registry.gather())?;
        Ok(match format {
            Format::Prometheus => text,
            Format::OpenMetrics => open_metrics(&text),
        })
    }
}

/// OpenMetrics names a counter's family without `_total`, and ends with a sign.
fn open_metrics(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 64);
    for line in text.lines() {
        let named =
            ["# HELP ", "# TYPE "].into_iter().find_map(|head| Some((head, line.strip_prefix(head)?)));
        match named.and_then(|(head, rest)| Some((head, rest.split_once(' ')?))) {
            Some((head, (name, rest))) => {
                let family = name.strip_suffix("_total").unwrap_or(name);
                out.extend([head, family, " ", rest]);
            }
            None => out.push_str(line),
        }
        out.push('\n');
    }
    out.push_str("# EOF\n");
    out
}

/// The page `docs/metrics.md`.
pub fn markdown() -> String {
    let mut page = String::from(HEAD);
    for metric in DECLARED {
        let sort = match metric.sort {
            Sort::Counter => "counter",
            Sort::Gauge => "gauge",
            Sort::Histogram => "histogram",
        };
        let labels: Vec<String> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
        // Writing into a String does not fail.
        let _ = writeln!(
            page,
            "| `{}` | {sort} | {} | {} | {} |",
            metric.name,
            metric.unit,
            labels.join(", "),
            metric.help
        );
    }
    page
}

const HEAD: &str = "# Metrics

What `qualifyd run` shows at `/metrics`, in the text format of Prometheus, or in OpenMetrics if asked for. Labels are names
of the model and numbers of partitions and workers; ids of leads never are. Gauges of leads and SLAs are what state knows
and are exact again after a restore; counters and histograms begin at 0 when the daemon starts, and those of decisions move
when their transaction is committed. Gauges are sums over the partitions that this instance holds: add up instances. This
page is generated from the code.

| metric | type | unit | labels | meaning |
|---|---|---|---|---|
";

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn counters_have_their_family_name_in_openmetrics() {
        let metrics = Metrics::new().unwrap();
        metrics.records.with_label_values(&["applied"]).inc_by(3.0);
        let text = metrics.text(Format::OpenMetrics).unwrap();
        assert!(text.contains("# TYPE qualifyd_records counter\n"), "{text}");
        assert!(text.contains("qualifyd_records_total{outcome=\"applied\"} 3\n"), "{text}");
        assert!(text.ends_with("# EOF\n"));
        assert_eq!(Format::of_accept("text/plain;q=0.5"), Format::Prometheus);
    }

    #[test]
    fn the_page_is_current() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/metrics.md");
        if std::env::var_os("QUALIFYD_UPDATE").is_some() {
            std::fs::write(&path, markdown()).expect("docs/metrics.md is written");
        }
        let page = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            page == markdown(),
            "docs/metrics.md is out of date: QUALIFYD_UPDATE=1 cargo test --lib metrics"
        );
    }
}
