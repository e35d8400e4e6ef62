"""Two thousand requests in flight at once, none of them mistaken for another."""

from __future__ import annotations

import hashlib
import json
import resource
import subprocess

WANTED = 2000
FOR_EACH_CURL = 250  # below the 300 that curl allows itself with --parallel-max
OPEN_FILES, _ = resource.getrlimit(resource.RLIMIT_NOFILE)

SECTION = """\
url = "{url}/hold/{n}?n={n}&like(name,*{n}*)"
globoff
path-as-is
silent
show-error
noproxy = "*"
max-time = 180
output = "{output}"
write-out = "%{{http_code}} {n}\\n"
header = "Content-Type: {kind}"
data-raw = "{body}"
"""


def body(n: int) -> str:
    return f"n={n}&text=" + f"{n}+" * 200


def section(n: int, url: str, directory) -> str:
    # Every other one is a form, whose body takes part in the signature.
    kind = "application/x-www-form-urlencoded" if n % 2 else "application/octet-stream"
    return SECTION.format(n=n, url=url, output=directory / str(n), kind=kind, body=body(n))


def test_2000_concurrent_requests_all_verify(bench, tmp_path):
    # The daemon needs two open files a request, and some of its own.
    count = min(WANTED, (OPEN_FILES - 200) // 2)
    if count < WANTED:
        print(f"only {count} at once: the limit of open files is {OPEN_FILES}")
    bench.platform.take()
    bench.platform.hold(count)
    bench.daemon.exchanges += count

    curls = []
    for first in range(0, count, FOR_EACH_CURL):
        numbers = range(first, min(first + FOR_EACH_CURL, count))
        config = tmp_path / f"curl-{first}"
        config.write_text("next\n".join(section(n, bench.daemon.url, tmp_path) for n in numbers))
        command = ["curl", "-q", "--parallel", "--parallel-immediate"]
        command += ["--parallel-max", str(FOR_EACH_CURL), "-K", str(config)]
        curls.append(
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        )
    codes: list[str] = []
    for process in curls:
        out, errors = process.communicate(timeout=240)
        assert process.returncode == 0, errors[:2000]
        codes += out.splitlines()

    assert sorted(codes) == sorted(f"200 {n}" for n in range(count))
    records = bench.platform.take()
    assert len(records) == count
    assert {r.problem for r in records} == {""}
    assert bench.platform.most_in_flight == count
    assert len({r.oauth["oauth_nonce"] for r in records}) == count
    assert len({r.oauth["oauth_signature"] for r in records}) == count
    by_target = {r.target: r for r in records}
    for n in range(count):
        target = f"/hold/{n}?n={n}&like(name,*{n}*)"
        digest = hashlib.sha256(body(n).encode()).hexdigest()
        assert by_target[target].body_sha256 == digest
        answer = json.loads((tmp_path / str(n)).read_bytes())
        assert (answer["target"], answer["sha256"]) == (target, digest)
