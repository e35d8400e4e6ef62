"""Each request arrives signed, and otherwise as the real curl sent it."""

from __future__ import annotations

import json
import os
import time

import pytest
from harness import CREDENTIALS, THREE_LEGGED, Credentials, curl

TYPE = "http://aps-standard.org/types/core/resource/1.0"
ORDER = {
    "type": "SALES",
    "accountId": "992d543f-e5e7-4439-a139-38b364ce49af",
    "products": [
        {
            "planId": "6a8513fd-c222-42f0-ab47-985477e807c6",
            "period": {"unit": "MONTHS", "duration": 1},
            "resources": [
                {"resourceId": "29086bff-284d-4d6b-ad59-404bbbda2152", "amount": 10},
                {"resourceId": "cb2ffba9-4f25-411c-b49d-418f2ec36f4b", "amount": 3},
            ],
        }
    ],
}

TARGETS = [
    # the platform's own
    "/aps/2/resources",
    f"/aps/2/resources?implementing({TYPE}),like(name,*abc*),sort(+name),limit(0,10)",
    f"/aps/2/resources/?implementing({TYPE})&id=1000017",
    "/aps/2/collections/admin-users?organization.id=992d543f-e5e7-4439-a139-38b364ce49af",
    "/aps/2/services/order-manager/orders?like(orderNumber,*CL000058)",
    "/aps/2/resources?name=eq=value",
    "/aps/2/resources?or(eq(a,1),not(in(b,(x,y)))),select(a,b,*),sort(-a,+b)",
    "/aps/2/resources?and(like(name,a?c),ne(aps.status,null()),out(id,(1,2)))",
    "/aps/2/resources?eq(name,O'Neil!)&q=$:/?@;x",
    # paths that some client or other "cleans up"
    "/",
    "/?a=b",
    "/a//b///c",
    "//aps/2/resources",
    "/aps/2/",
    "/a/./b/../c/..",
    "/a/%2e%2e/b",
    "/a%2Fb%2fc",
    "/caf%C3%A9/%c3%a9",
    "/%7Euser/~user/%41",
    "/a;v=1/b;w=2?c;d=e;f",
    "/p(a)'b'*c!d,e@f:g$h+i",
    "/a[0]/{b}|c",
    # queries where parsers differ
    "/q?",
    "/q?a",
    "/q?a=",
    "/q?a&a=&a",
    "/q?a=1&a=2&a=1",
    "/q?a=b=c",
    "/q?=x",
    "/q?a=1&&b=2&",
    "/q?a?b=c?d",
    "/q??",
    "/q?b=2&a=1&a1=0&a-=0",
    "/q?name10=1&name1=2&Name1=3",
    "/q?a=x+y&b=x%20y&c=x%2By",
    "/q?name=%E2%82%AC%20caf%C3%A9%20%F0%9F%98%80",
    "/q?%C3%A9=1&z=2&a=%c3%a9",
    "/q?a=%28%29%2a%21%27&b=()*!'",
    "/q?a=%25zz&b=%2525",
    "/q?a=%26%3D%23&b=~-._",
]


def long_target() -> str:
    return "/q?" + "&".join(f"like(name{n},*{n}*)" for n in range(2000))


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_arrives_as_it_was_sent(bench, target):
    bench.through(target)


def test_a_target_of_forty_kilobytes_arrives_as_it_was_sent(bench):
    assert 40_000 < len(long_target()) < 60_000
    bench.through(long_target())


def test_the_order_of_the_platforms_page_is_placed(bench):
    arrived, _ = bench.through(
        "/aps/2/services/order-manager/orders",
        *("-H", "Content-Type: application/json", "-d", json.dumps(ORDER)),
    )
    assert json.loads(arrived.body) == ORDER


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "POST", "QUERY"])
@pytest.mark.parametrize("body", [None, '{"name":"värde"}'])
def test_each_method_arrives(bench, method, body):
    with_body = ["-H", "Content-Type: application/json", "--data-binary", body] if body else []
    arrived, _ = bench.through("/aps/2/resources/1000017", "-X", method, *with_body)
    assert arrived.method == method


def test_a_head_is_answered_without_a_body(bench):
    _, answer = bench.through("/aps/2/resources", "--head")
    assert b"Content-Length: " in answer.head


def test_header_lines_keep_their_order_case_and_number(bench, tmp_path):
    # A file, because an argument cannot carry bytes that are not UTF-8.
    lines = tmp_path / "headers"
    lines.write_bytes(
        b"APS-Transaction-ID: 01234567-89ab-cdef-0123-456789abcdef\n"
        b'aps-resource-id: 1000017\nAPS-Actor-Scope: (a),b;c="d, e"\nX-Dup: b\nAPS-Info: x\n'
        b"x-dup: a\nX-DUP: b\nX-Empty;\nX-Latin: caf\xe9\nX-UTF-8: caf\xc3\xa9\nCookie: a=b; c=d\n"
        b"Accept-Encoding: gzip\nX-Forwarded-Host: evil.example\nForwarded: for=192.0.2.1\n"
    )
    arrived, _ = bench.through("/aps/2/resources", "-H", f"@{lines}", "-A", "")
    assert arrived.values("x-dup") == ["b", "a", "b"]


def test_an_authorization_of_the_clients_own_is_replaced(bench):
    arrived, _ = bench.through("/aps/2/resources", "-H", "Authorization: Basic dTpw")
    assert arrived.values("authorization")[0].startswith("OAuth ")


FORMS = [
    "a=1&b=2",
    "status=Hello+Ladies+%2B+Gentlemen%2C+a+signed+OAuth+request%21",
    "name=caf%C3%A9&name=%E2%82%AC&empty=&flag",
    "c2&a3=2+q&a=b=c&=x&&z=~-._*",
    "",
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "content_type",
    [
        "application/x-www-form-urlencoded",
        "application/x-www-form-urlencoded; charset=utf-8",
        "Application/X-WWW-Form-URLEncoded;charset=UTF-8",
    ],
)
def test_a_form_is_signed_with_its_parameters(bench, form, content_type):
    arrived, _ = bench.through(
        "/request?b5=%3D%253D&a3=a", "-H", f"Content-Type: {content_type}", "--data-raw", form
    )
    assert arrived.body == form.encode()


def test_a_form_that_curl_encodes_is_signed(bench):
    fields = ["status=Hello Ladies + Gentlemen", "name=café €", "order=(a,b)*'!"]
    bench.through("/form", *(part for f in fields for part in ("--data-urlencode", f)))


def test_a_form_sent_in_chunks_is_signed(bench):
    arrived, _ = bench.through(
        "/form", "-H", "Transfer-Encoding: chunked", "--data-raw", "a=1&b=x+y"
    )
    assert arrived.body == b"a=1&b=x+y"


def test_a_multipart_form_is_not_part_of_the_signature(bench):
    # The boundary is curl's choice and differs from call to call.
    arrived, _ = bench.send("/form", "-F", "a=1", "-F", "b=x+y")
    assert arrived.problem == ""


def test_what_looks_like_a_form_but_is_json_is_not_signed_as_one(bench):
    bench.through("/orders", "-H", "Content-Type: application/json", "--data-raw", "a=1&b=2")


def test_each_request_of_one_connection_is_signed_by_itself(bench):
    bench.platform.take()
    bench.daemon.exchanges += 3
    more = ["-o", os.devnull, bench.daemon.url + "/2", "-o", os.devnull, bench.daemon.url + "/3"]
    curl(bench.directory, bench.daemon.url + "/1", *more)
    records = bench.platform.take()
    assert [(r.target, r.problem) for r in records] == [("/2", ""), ("/3", ""), ("/1", "")]
    assert len({r.oauth["oauth_nonce"] for r in records}) == 3


def test_a_token_is_signed_with_its_secret(bench_with, owners_platform):
    bench = bench_with(owners_platform, credentials=THREE_LEGGED)
    for target in ["/aps/2/resources", "/q?a=x+y&a=%C3%A9"]:
        arrived, _ = bench.through(target)
        assert arrived.oauth["oauth_token"] == THREE_LEGGED.token
    bench.through("/form", "--data-raw", "a=1&b=x+y")


def test_a_realm_stands_in_the_header_alone(bench_with, platform):
    bench = bench_with(platform, realm="123_SB1")
    arrived, _ = bench.through("/aps/2/resources?a=1")
    assert arrived.values("authorization")[0].startswith('OAuth realm="123_SB1",')


def test_without_a_realm_and_token_the_header_has_neither(bench):
    arrived, _ = bench.through("/aps/2/resources")
    # oauth_version is optional.
    assert arrived.oauth.keys() - {"oauth_version"} == {
        "oauth_consumer_key",
        "oauth_nonce",
        "oauth_signature",
        "oauth_signature_method",
        "oauth_timestamp",
    }
    assert "realm" not in arrived.values("authorization")[0]
    assert abs(int(arrived.oauth["oauth_timestamp"]) - time.time()) < 5


def test_a_refusal_is_passed_on_with_its_body(bench_with, platform):
    wrong = Credentials(CREDENTIALS.consumer_key, "not the secret that the platform has")
    bench = bench_with(platform, credentials=wrong)
    arrived, answer = bench.send("/aps/2/resources")
    assert arrived.problem == "signature_invalid"
    assert answer.status == 401
    assert answer.head.startswith(b"HTTP/1.1 401 Refused, for a reason\r\n")
    assert json.loads(answer.body) == {"error": "refused", "message": "signature_invalid"}
