"""The test platform itself: it must refuse what is wrong, or its word means nothing."""

from __future__ import annotations

import re
import time

import pytest
from harness import CREDENTIALS, curl
from oauthlib.oauth1 import Client

TARGET = "/aps/2/resources?sort(+name),like(name,*abc*)"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def call(tmp_path, platform):
    """Calls the platform directly, with a header signed by oauthlib's client side."""

    def call(header: str, target: str = TARGET, *arguments: str, authority: str | None = None):
        headers = ["-H", f"Host: {authority or platform.authority}"]
        if header:
            headers += ["-H", f"Authorization: {header}"]
        answer = curl(tmp_path, platform.url + target, "-k", *headers, *arguments)
        assert answer.status == (401 if platform.records[-1].problem else 200)
        return platform.records[-1].problem

    return call


def signed(platform, target=TARGET, method="GET", body=None, headers=None, **client) -> str:
    keys = {"client_key": CREDENTIALS.consumer_key, "client_secret": CREDENTIALS.consumer_secret}
    _, signed_headers, _ = Client(**{**keys, **client}).sign(
        platform.url + target, method, body, headers
    )
    return signed_headers["Authorization"]


def test_it_accepts_what_oauthlib_signed(platform, call):
    assert call(signed(platform)) == ""


def test_it_refuses_a_replay(platform, call):
    header = signed(platform)
    assert call(header) == ""
    assert call(header) == "nonce_used"


def test_it_refuses_another_target_than_was_signed(platform, call):
    assert call(signed(platform), TARGET.replace("(", "%28")) == ""  # the query is decoded first
    assert call(signed(platform), TARGET.replace("+", "%2B")) == "signature_invalid"
    assert call(signed(platform), TARGET.replace("/2/", "//2/")) == "signature_invalid"
    assert call(signed(platform), TARGET + "&a") == "signature_invalid"


def test_it_refuses_another_form_than_was_signed(platform, call):
    def header():
        return signed(platform, "/form", "POST", "a=1", FORM)

    assert call(header(), "/form", "--data-raw", "a=1") == ""
    assert call(header(), "/form", "--data-raw", "a=2") == "signature_invalid"


def test_it_refuses_another_method_or_host(platform, call):
    assert call(signed(platform), TARGET, "-X", "PUT") == "signature_invalid"
    assert call(signed(platform), TARGET, authority="localhost:1").startswith("host:")


def test_it_refuses_wrong_credentials(platform, call):
    assert call(signed(platform, client_secret="wrong")) == "signature_invalid"
    assert call(signed(platform, client_key="k" * 32)) == "consumer_key_unknown"
    assert "client key format" in call(signed(platform, client_key="short"))
    assert call(signed(platform, resource_owner_key="t")) == "token_rejected"
    assert call("").startswith("authorization: 0")


def test_it_refuses_another_signature_method(platform, call):
    assert "HMAC-SHA256 not in" in call(signed(platform, signature_method="HMAC-SHA256"))


def test_it_refuses_a_body_hash_that_does_not_fit(platform, call):
    content_type = {"Content-Type": "application/json"}

    def sent(content: str) -> str:
        header = signed(platform, "/orders", "POST", '{"a":1}', content_type)
        assert "oauth_body_hash" in header
        as_json = ["-H", "Content-Type: application/json", "--data-raw", content]
        return call(header, "/orders", *as_json)

    assert sent('{"a":1}') == ""
    assert sent('{"a":2}') == "body_hash_invalid"


def test_it_refuses_a_stale_timestamp(platform, call):
    stale = str(int(time.time()) - 200)
    assert "Timestamp" in call(signed(platform, timestamp=stale))


def test_it_refuses_a_signature_that_is_not_encoded(platform, call):
    header = re.sub("%2[BF]|%3D", "=", signed(platform))
    assert call(header).startswith("authorization: not as")


def test_it_refuses_a_second_authorization(platform, call):
    assert call(signed(platform), TARGET, "-H", "Authorization: Basic eA==").startswith(
        "authorization: 2"
    )
