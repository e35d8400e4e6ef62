"""Fixtures. A daemon's own checks (exit code, log, secrets) run when it is stopped."""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.register_assert_rewrite("harness", "rsa_keys")

from harness import BINARY, CREDENTIALS, THREE_LEGGED, Bench, Daemon  # noqa: E402
from platform_server import PlatformServer, self_signed  # noqa: E402
from rsa_keys import RsaKey, make_key  # noqa: E402

# As many open files as we may have: the daemon and curl inherit it.
_, HARD = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (HARD, HARD))


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory):
    return self_signed(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="session")
def rsa_key(tmp_path_factory: pytest.TempPathFactory) -> RsaKey:
    return make_key(tmp_path_factory.mktemp("rsa-key"))


@pytest.fixture(scope="session")
def other_rsa_key(tmp_path_factory: pytest.TempPathFactory) -> RsaKey:
    return make_key(tmp_path_factory.mktemp("other-rsa-key"))


@pytest.fixture(scope="session")
def recorder() -> Iterator[PlatformServer]:
    with PlatformServer(None, None) as server:
        yield server


@pytest.fixture(scope="session")
def platform(certificate) -> Iterator[PlatformServer]:
    with PlatformServer(CREDENTIALS, certificate) as server:
        yield server


@pytest.fixture(scope="session")
def owners_platform(certificate) -> Iterator[PlatformServer]:
    """One that wants a token."""
    with PlatformServer(THREE_LEGGED, certificate) as server:
        yield server


@pytest.fixture
def bench_with(tmp_path: Path, recorder: PlatformServer) -> Iterator[Callable[..., Bench]]:
    """Makes a bench with a daemon configured for one test."""
    started: list[Daemon] = []

    def make(platform: PlatformServer, **options) -> Bench:
        assert BINARY.is_file(), f"{BINARY} is not built; tests/interop/run does it"
        started.append(Daemon(tmp_path / f"daemon-{len(started)}", platform, **options))
        return Bench(tmp_path, recorder, platform, started[-1])

    yield make
    for daemon in started:
        daemon.stop()


@pytest.fixture(scope="module")
def bench(
    tmp_path_factory: pytest.TempPathFactory, recorder: PlatformServer, platform: PlatformServer
) -> Iterator[Bench]:
    """Two-legged, as the platform's own page has it; one daemon for a file of tests."""
    directory = tmp_path_factory.mktemp("bench")
    daemon = Daemon(directory / "daemon", platform)
    yield Bench(directory, recorder, platform, daemon)
    daemon.stop()
