"""Pages in a real browser try to use the proxy: whatever they send is refused, and they read nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from browser import REBOUND, Pages, visit

# What the page sends, by its path. Not among them is what a browser may leave out or send late:
# prefetch, icon, background, ping, open.
EXPECTED = {
    *("/fetch-cors", "/fetch-credentials", "/fetch-no-cors", "/fetch-no-referrer", "/fetch-post"),
    *("/fetch-post-no-cors", "/fetch-preflight", "/fetch-authorization", "/fetch-keepalive"),
    *("/redirected", "/xhr", "/xhr-credentials", "/beacon", "/form-urlencoded", "/form-text"),
    *("/form-multipart", "/form-get", "/form-sandboxed", "/img", "/img-cors", "/script", "/module"),
    *("/style", "/preload", "/object", "/embed", "/video", "/iframe", "/font", "/import"),
    *("/events", "/socket", "/navigation"),
}


@pytest.fixture(scope="module")
def pages() -> Iterator[Pages]:
    with Pages() as server:
        yield server


def bench_for_browser(bench_with, platform, **options):
    bench = bench_with(platform, **options)
    # A browser asks for icons and the like when it pleases.
    bench.daemon.exchanges = None
    platform.take()
    return bench


def records_when(daemon, holds) -> list[dict]:
    """The exchanges, once they are those that were waited for."""
    deadline = time.monotonic() + 60
    while not holds(log := daemon.log()):
        assert time.monotonic() < deadline, log
        time.sleep(0.05)
    return log


def seen(log: list[dict]) -> set[str]:
    return {record.get("url.path", "") for record in log}


@pytest.mark.parametrize(
    ("page", "proxy"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("localhost", "localhost"),
        ("localhost", "127.0.0.1"),
        (REBOUND, "127.0.0.1"),
        # Its own name, which now leads here: to the browser, page and proxy differ by the port only.
        (REBOUND, REBOUND),
    ],
)
def test_a_page_gets_nothing_through(bench_with, platform, pages, tmp_path, page, proxy):
    bench = bench_for_browser(bench_with, platform)
    port = bench.daemon.url.rsplit(":", 1)[1]
    target = f"http://{proxy}:{port}"
    with visit(tmp_path / "profile", f"http://{page}:{pages.port}/?proxy={target}"):
        read = pages.reports.get(timeout=120)
        log = records_when(bench.daemon, lambda log: "/navigation" in seen(log))
    assert read == []
    assert platform.take() == [], "a request of the page's has reached the platform"
    missing = EXPECTED - seen(log)
    assert not missing, "the page has not even tried"
    for record in log:
        assert record["http.response.status_code"] in (403, 421, 400), record
        assert record["upstream.attempts"] == 0, record


def test_a_page_of_an_allowed_origin_may_use_the_proxy(bench_with, platform, pages, tmp_path):
    origin = f"http://localhost:{pages.port}"
    keys = f'access.allowed_origins = ["{origin}"]\n'
    bench = bench_for_browser(bench_with, platform, keys=keys)
    with visit(tmp_path / "profile", f"{origin}/?proxy={bench.daemon.url}"):
        pages.reports.get(timeout=120)
        log = records_when(bench.daemon, lambda log: "/navigation" in seen(log))
    status = {record.get("url.path"): record["http.response.status_code"] for record in log}
    arrived = {record.target.split("?")[0]: record for record in platform.take()}
    for path in (
        "/fetch-cors",
        "/fetch-credentials",
        "/fetch-post",
        "/xhr",
        "/form-urlencoded",
        "/font",
    ):
        assert status[path] == 200, path
        assert arrived[path].problem == "", "signed"
        assert arrived[path].values("origin") == [origin], path
    # What a browser sends without an Origin could be anybody's.
    for path in ("/fetch-no-cors", "/img", "/script", "/iframe", "/form-get", "/navigation"):
        assert status[path] == 403, path
        assert path not in arrived


def test_an_address_that_the_user_types_is_the_users_own_request(bench_with, platform, tmp_path):
    bench = bench_for_browser(bench_with, platform)
    with visit(tmp_path / "profile", f"{bench.daemon.url}/typed"):
        log = records_when(bench.daemon, lambda log: "/typed" in seen(log))
    assert log[0]["http.response.status_code"] == 200
    assert [record.target for record in platform.take()][0] == "/typed"


def test_a_name_that_was_rebound_to_this_machine_is_refused(bench_with, platform, tmp_path):
    bench = bench_for_browser(bench_with, platform)
    port = bench.daemon.url.rsplit(":", 1)[1]
    with visit(tmp_path / "profile", f"http://{REBOUND}:{port}/rebound"):
        log = records_when(bench.daemon, lambda log: "/rebound" in seen(log))
    assert {record["http.response.status_code"] for record in log} == {421}
    assert platform.take() == []
