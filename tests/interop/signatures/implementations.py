"""The implementations, their versions, and how each is asked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

DRIVERS = Path(__file__).parent / "drivers"
TARGET = Path(__file__).parents[3] / "target/interop/signatures"
# None of them takes a second; one that hangs must not hang the tests.
DEADLINE = 60


@dataclass(frozen=True)
class Implementation:
    name: str
    # As upstream counts; None where it is not installed.
    version: Callable[[], str | None]
    # Interpreter and driver, or a program that was built.
    command: tuple[str, ...]

    def answers(self, requests: list[dict]) -> dict[str, dict]:
        """Its answers by the requests' ids: base string and signature, or that it has none."""
        lines = "".join(json.dumps(request) + "\n" for request in requests)
        run = subprocess.run(
            self.command,
            input=lines,
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            env=os.environ | {"NODE_PATH": str(TARGET / "node_modules")},
        )
        answers = {answer["id"]: answer for answer in map(json.loads, run.stdout.splitlines())}
        unanswered = [request["id"] for request in requests if request["id"] not in answers]
        if run.returncode or unanswered:
            raise RuntimeError(f"{self.name} did not answer {unanswered[:3]}: {run.stderr[-2000:]}")
        return answers


def pypi(name: str, command: tuple[str, ...]) -> Implementation:
    def version():
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            return None

    return Implementation(name, version, command)


def npm(name: str, command: tuple[str, ...]) -> Implementation:
    def version():
        try:
            manifest = TARGET / "node_modules" / name / "package.json"
            return json.loads(manifest.read_text())["version"]
        except OSError:
            return None

    return Implementation(name, version, command)


def debian(name: str, package: str, command: tuple[str, ...]) -> Implementation:
    def version():
        query = ["dpkg-query", "-Wf", "${source:Upstream-Version}", package]
        try:
            return subprocess.run(query, check=True, capture_output=True, text=True).stdout
        except (OSError, subprocess.CalledProcessError):
            return None

    return Implementation(name, version, command)


def driver(*words: str) -> tuple[str, ...]:
    return (*words[:-1], str(DRIVERS / words[-1]))


PYTHON = (sys.executable, "-B")
NODE = str(Path(sys.executable).with_name("node"))

IMPLEMENTATIONS = (
    pypi("oauthlib", driver(*PYTHON, "oauthlib_driver.py")),
    pypi("Authlib", driver(*PYTHON, "authlib_driver.py")),
    npm("oauth-1.0a", driver(NODE, "oauth_1_0a_driver.js")),
    npm("oauth", driver(NODE, "oauth_driver.js")),
    npm("oauth-sign", driver(NODE, "oauth_sign_driver.js")),
    debian("gomodule", "golang-github-gomodule-oauth1-dev", (str(TARGET / "gomodule_driver"),)),
    debian("WWW::OAuth", "libwww-oauth-perl", driver("perl", "www_oauth_driver.pl")),
    debian("Net::OAuth", "libnet-oauth-perl", driver("perl", "net_oauth_driver.pl")),
    debian("ruby-oauth", "ruby-oauth", driver("ruby", "ruby_oauth_driver.rb")),
    debian("simple_oauth", "ruby-simple-oauth", driver("ruby", "simple_oauth_driver.rb")),
    debian("php-oauth", "php-oauth", driver("php", "php_oauth_driver.php")),
    debian("liboauth", "liboauth0", driver(*PYTHON, "liboauth_driver.py")),
)


def installed_versions() -> dict[str, str]:
    versions = {each.name: each.version() for each in IMPLEMENTATIONS}
    return {name: version for name, version in versions.items() if version is not None}


def ask(names: Iterable[str], requests: list[dict]) -> dict[str, dict[str, dict]]:
    """The answers of each of these implementations."""
    asked = [each for each in IMPLEMENTATIONS if each.name in names]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        answers = pool.map(lambda each: each.answers(requests), asked)
        return dict(zip((each.name for each in asked), answers, strict=True))
