"""The exchange log. That it holds no secret is checked of every daemon, when it stops."""

from __future__ import annotations

import re
import time

from harness import CREDENTIALS, Credentials, curl
from platform_server import PlatformServer

ALWAYS = {
    "timestamp",
    "level",
    "message",
    "exchange.id",
    "proxy",
    "client.address",
    "http.request.method",
    "url.path",
    "http.response.status_code",
    "http.request.body.size",
    "http.response.body.size",
    "duration_ms",
    "upstream.first_byte_ms",
    "upstream.attempts",
    "server.address",
    "oauth.signed",
}


def last_record(bench) -> dict:
    """Written when the exchange has ended, which may be just after curl has."""
    deadline = time.monotonic() + 10
    while len(bench.daemon.log()) < bench.daemon.exchanges and time.monotonic() < deadline:
        time.sleep(0.01)
    return bench.daemon.log()[-1]


def test_a_record_says_what_was_exchanged(bench):
    before = time.time()
    transaction = "01234567-89ab-cdef-0123-456789abcdef"
    headers = ["-H", f"APS-Transaction-ID: {transaction}", "-H", "Cookie: session=hidden"]
    _, answer = bench.send("/aps/2/resources?sort(+name)", *headers, "--data-raw", "a=1&b=x+y")
    record = last_record(bench)

    assert not ALWAYS - record.keys()
    assert record["message"] == "exchange"
    assert record["proxy"] == "interop"
    assert record["http.request.method"] == "POST"
    assert record["url.path"] == "/aps/2/resources"
    assert record["url.query"] == "sort(+name)"
    assert record["http.response.status_code"] == 200
    assert record["http.request.body.size"] == len("a=1&b=x+y")
    assert record["http.response.body.size"] == len(answer.body)
    assert record["upstream.attempts"] == 1
    assert record["oauth.signed"] is True
    assert record["aps.transaction_id"] == transaction
    assert record["client.address"].startswith("127.0.0.1")
    assert 0 <= record["upstream.first_byte_ms"] <= record["duration_ms"]
    assert record["duration_ms"] <= (time.time() - before) * 1000
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", record["timestamp"])
    assert "hidden" not in bench.daemon.log_file.read_text()


def test_exchanges_have_ids_of_their_own(bench):
    ids = set()
    for _ in range(3):
        bench.send("/aps/2/resources")
        ids.add(last_record(bench)["exchange.id"])
    assert len(ids) == 3


def test_a_refusal_by_the_platform_is_logged_as_its_status(bench_with, platform):
    wrong = Credentials(CREDENTIALS.consumer_key, "not the secret that the platform has")
    bench = bench_with(platform, credentials=wrong)
    bench.send("/aps/2/resources")
    record = last_record(bench)
    assert record["http.response.status_code"] == 401
    assert record["oauth.signed"] is True
    assert "error.type" not in record or record["error.type"] in ("401", None)


def test_an_upstream_that_is_not_there_is_an_error_record(bench_with, certificate):
    with PlatformServer(CREDENTIALS, certificate) as gone:
        bench = bench_with(gone)
    bench.daemon.exchanges += 1
    answer = curl(bench.directory, bench.daemon.url + "/aps/2/resources?a=1")
    assert answer.status == 502
    assert b"proxy-status: undersign; error=connection_refused" in answer.head.lower()
    record = last_record(bench)
    assert record["http.response.status_code"] == 502
    assert record["error.type"] == "connection_refused"
