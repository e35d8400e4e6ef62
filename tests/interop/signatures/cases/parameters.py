"""Queries and forms."""

from .plain import ORIGIN, PLAIN, TOKEN


def queries():
    for name, query in {
        "none": None,
        "empty": "",
        "one": "a=1",
        "two": "a=1&b=2",
        "name-only": "a",
        "value-empty": "a=",
        "name-only-and-value-empty": "a&a=",
        "name-empty": "=x",
        "name-and-value-empty": "=",
        "equals-in-value": "a=b=c",
        "equals-at-end": "a=b=",
        "two-equals": "a==b",
        "equals-escaped": "a%3Db=c%3Dd",
        "ampersand-escaped": "a=b%26c",
        "ampersand-leading": "&a=1",
        "ampersand-trailing": "a=1&",
        "ampersands-doubled": "a=1&&b=2",
        "ampersand-alone": "&",
        "semicolon": "a=1;b=2",
        "semicolon-escaped": "a=1%3Bb=2",
        "question-mark-second": "a=1?b=2",
        "question-mark-first": "?a=1",
        "question-mark-escaped": "a%3Fb=1",
        "slashes": "path=/a/b",
        "colon-and-at": "a=user:name@host",
        "duplicates": "a=1&a=1",
        "duplicates-unsorted": "a=2&a=1",
        "duplicates-thrice": "a=c&a=a&a=b",
        "duplicates-apart": "a=2&b=0&a=1",
        "duplicate-empty-values": "a=&a=",
        "plus": "a=b+c",
        "plus-in-name": "a+b=c",
        "plus-escaped": "a=b%2Bc",
        "plus-and-space": "a=b+c%20d%2Be",
        "plus-alone": "a=+",
        "space-escaped": "a=b%20c",
        "percent-escaped": "a=100%25",
        "escaped-twice": "a=b%2520c",
        "lower-case-escapes": "a=%c3%a9%2f",
        "unreserved-escaped": "a=%7E%2D%2E%5F%41%30",
        "escaped-name": "na%20me%21=1",
        "brackets-escaped": "a%5B%5D=1&a%5B%5D=2",
        "brackets-nested-escaped": "a%5Bb%5D%5Bc%5D=1",
        "brackets": "a[]=1&a[]=2",
        "braces-and-bars": "a={b|c}",
        "json-escaped": "q=%7B%22a%22%3A%5B1%2C%22%C3%A9%22%5D%7D",
        "quotes": "a=%22b%22&c='d'",
        "line-feed-escaped": "a=b%0D%0Ac",
        "nul-escaped": "a=b%00c",
        "tab-escaped": "a=b%09c",
        "delete-escaped": "a=%7F",
        "percent-at-end": "a=b%",
        "percent-one-digit": "a=b%4",
        "percent-bad-digits": "a=%zz",
        "percent-bad-second-digit": "a=%4g",
        "percent-before-escape": "a=%%41",
        "percent-and-plus": "a=%+b",
        "byte-ff": "a=%FF",
        "byte-80": "a=%80b",
        "latin-1": "a=caf%E9",
        "utf-8-truncated": "a=%E2%82",
        "utf-8-overlong": "a=%C0%AF",
        "utf-8-two-bytes": "a=%C3%A9",
        "utf-8-three-bytes": "a=%E2%82%AC",
        "utf-8-four-bytes": "a=%F0%9F%94%91",
        "utf-8-in-name": "%C3%A9=1",
        "utf-8-composed-and-not": "a=%C3%A9&b=e%CC%81",
        "utf-8-raw": "a=é€🔑",
        "byte-order-mark": "a=%EF%BB%BFb",
        "value-null": "a=null&b=undefined&c=0&d=false",
        "name-of-a-prototype": "constructor=1&toString=2&length=3",
        "name-of-a-number": "10=a&9=b&1=c",
        "name-realm": "realm=x",
        "name-like-protocol": "oauth=1&xoauth_token=2&OAuth_token=3",
        "name-with-dot-and-dash": "organization.id=1&a-b=2&a_b=3",
        "name-long": f"{'n' * 300}=1",
        "value-long": f"a={'v' * 2000}",
        "fifty": "&".join(f"p{index}={index * 7 % 50}" for index in range(50)),
        "long": "&".join(f"filter%5B{index}%5D=val+ue%2F{index}" for index in range(80)),
    }.items():
        yield f"query-{name}", {"url": PLAIN["url"] + ("" if query is None else f"?{query}")}


def bytes_of_a_query():
    """Each printable character that may stand in a query, as it is and escaped."""
    for name, byte in {
        "hyphen": "-",
        "dot": ".",
        "underscore": "_",
        "tilde": "~",
        "exclamation-mark": "!",
        "dollar": "$",
        "apostrophe": "'",
        "parenthesis-left": "(",
        "parenthesis-right": ")",
        "asterisk": "*",
        "comma": ",",
        "colon": ":",
        "at": "@",
        "slash": "/",
        "backtick": "`",
        "caret": "^",
        "backslash": "\\",
        "less-than": "<",
        "greater-than": ">",
    }.items():
        yield f"byte-{name}", {"url": f"{PLAIN['url']}?a=x{byte}y&b=x%{ord(byte):02X}y"}


def order():
    for name, query in {
        "name-before-longer-name": "name10=a&name1=b&name=c",
        "name-before-value": "ab=1&a=2",
        "upper-before-lower": "b=1&B=2&a=3&A=4",
        "digits-before-letters": "a=1&1=2&A=3",
        "values-by-bytes": "a=10&a=9&a=1&a=B&a=b",
        # As 0x2D sorts below '=' (0x3D) and 0x7E above, whole pairs must not be compared.
        "name-and-equals": "a=1&a-b=2&a.b=3&a~b=4&a0=5",
        # Encoded, '[' is %5B and sorts before letters and digits.
        "encode-first-name": "aZ=1&a%5B=2&a0=3",
        "encode-first-value": "a=Z&a=%5B&a=0",
        "encode-first-colon": "a:=1&a0=2&a9=3",
        "encode-first-comma": "a,b=1&a-b=2",
        "encode-first-utf-8": "%C3%A9=1&z=2&~=3",
        # UTF-16 sorts U+1F511 before U+FF5E, bytes do the other way round.
        "bytes-not-utf-16": "%F0%9F%94%91=1&%EF%BD%9E=2",
        "around-protocol": "oauta=1&oauti=2&a=3&z=4",
        "between-protocol": "oauth-x=1&oauthz=2",
        "space-and-plus": "a%20b=1&a%2Bb=2&a!b=3",
        "values-empty-first": "a=x&a=&a",
    }.items():
        yield f"order-{name}", {"url": f"{PLAIN['url']}?{query}"}
    yield "order-query-and-form", {
        "method": "POST",
        "url": f"{ORIGIN}/?b=1&a=2&c=1",
        "form": "b=0&a=3&d=1",
    }


def forms():
    post = {"method": "POST"}
    for name, form in {
        "empty": "",
        "one": "a=1",
        "name-only": "a",
        "value-empty": "a=",
        "name-empty": "=x",
        "equals-in-value": "a=b=c",
        "ampersands-doubled": "a=1&&b=2",
        "semicolon": "a=1;b=2",
        "question-mark": "?a=1",
        "duplicates": "a=2&a=1&a=2",
        "plus": "a=b+c",
        "plus-escaped": "a=b%2Bc",
        "space-escaped": "a=b%20c",
        "reserved": "a=!*'()",
        "reserved-escaped": "a=%21%2A%27%28%29",
        "percent-bad-digits": "a=%zz",
        "byte-ff": "a=%FF",
        "utf-8": "name=Ren%C3%A9e&city=K%C3%B8benhavn",
        "lower-case-escapes": "a=%c3%a9",
        "escaped-twice": "a=b%2520c",
        "line-break": "text=one%0D%0Atwo",
        "brackets": "a%5Bb%5D=1&a%5Bc%5D=2",
        "url": "callback=https%3A%2F%2Fexample.com%2Fcb%3Fx%3D1%26y%3D2",
        "ten": "&".join(f"field{index}=value{index}" for index in range(10)),
        "fifty": "&".join(f"f{index % 25}=v+{index}" for index in range(50)),
        "long": f"text={'word+' * 400}",
    }.items():
        yield f"form-{name}", post | {"form": form}
    yield "form-and-query", post | {"url": f"{PLAIN['url']}?a=1", "form": "b=2"}
    yield "form-repeats-query", post | {"url": f"{PLAIN['url']}?a=1", "form": "a=1"}
    yield "form-repeats-query-name", post | {"url": f"{PLAIN['url']}?a=2", "form": "a=1"}
    yield "form-put", {"method": "PUT", "form": "a=1"}
    yield "form-patch", {"method": "PATCH", "form": "a=1"}
    yield "form-delete", {"method": "DELETE", "form": "a=1"}
    yield "form-with-token", post | TOKEN | {"form": "a=1&b=two+words"}
