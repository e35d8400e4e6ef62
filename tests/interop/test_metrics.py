"""The metrics, as Prometheus' own client reads them."""

from __future__ import annotations

import time
from pathlib import Path

from harness import Bench, curl
from prometheus_client import Metric
from prometheus_client import parser as prometheus
from prometheus_client.openmetrics import parser as openmetrics

PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"

# As the parsers name families: without what a counter's sample ends with.
TYPES = {
    "undersign_exchanges": "counter",
    "undersign_exchange_duration_seconds": "histogram",
    "undersign_client_connections": "gauge",
    "undersign_upstream_connections": "counter",
    "undersign_reloads": "counter",
    "undersign_config_last_reload_successful": "gauge",
    "undersign_config_last_reload_success_timestamp_seconds": "gauge",
    "undersign_log_records_lost": "counter",
}
# What each of them ends its samples' names with.
SUFFIXES = {
    "counter": {"_total"},
    "gauge": {""},
    "histogram": {"_bucket", "_count", "_sum"},
    "info": {"_info"},
}


def bench_with_admin(bench_with, platform, directory: Path) -> tuple[Bench, Path]:
    socket = directory / "admin.sock"
    return bench_with(platform, keys=f'[admin]\nlisten = "unix:{socket}"\n'), socket


def scrape(bench: Bench, socket: Path, *arguments: str) -> tuple[bytes, str]:
    """The head and the text, once it has the exchange, which is counted just after curl has its answer."""
    deadline = time.monotonic() + 10
    while True:
        answer = curl(
            bench.directory, "http://localhost/metrics", "--unix-socket", str(socket), *arguments
        )
        text = answer.body.decode()
        if "\nundersign_exchanges_total{" in text or time.monotonic() > deadline:
            return answer.head, text
        time.sleep(0.01)


def check(families: list[Metric], types: dict[str, str]) -> None:
    assert {family.name: family.type for family in families} == types
    for family in families:
        assert family.documentation, family.name
        suffixes = {sample.name.removeprefix(family.name) for sample in family.samples}
        assert suffixes == SUFFIXES[family.type], family.name
    (exchange,) = next(f for f in families if f.name == "undersign_exchanges").samples
    assert (exchange.labels["method"], exchange.labels["status"]) == ("GET", "200")
    assert exchange.value == 1


def test_a_scraper_gets_prometheus_text_unless_it_asks_for_openmetrics(
    bench_with, platform, tmp_path
):
    bench, socket = bench_with_admin(bench_with, platform, tmp_path)
    bench.send("/aps/2/resources")

    head, text = scrape(bench, socket)
    assert f"content-type: {PROMETHEUS}\r\n".encode() in head
    families = list(prometheus.text_string_to_metric_families(text))
    check(families, TYPES | {"undersign_build_info": "gauge"})

    head, text = scrape(bench, socket, "-H", "Accept: application/openmetrics-text")
    assert f"content-type: {OPENMETRICS}\r\n".encode() in head
    families = list(openmetrics.text_string_to_metric_families(text))
    check(families, TYPES | {"undersign_build": "info"})
