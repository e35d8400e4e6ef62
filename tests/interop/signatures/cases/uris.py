"""Methods and base string URIs."""

from .plain import ORIGIN, PLAIN


def methods():
    common = "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"
    for method in (*common, "PROPFIND", "M-SEARCH"):
        yield f"method-{method.lower()}", {"method": method, "url": f"{PLAIN['url']}?a=1"}
    yield "method-lower-case", {"method": "get"}
    yield "method-mixed-case", {"method": "Patch"}


def paths():
    for name, path in {
        "none": "",
        "none-with-query": "?a=1",
        "root": "/",
        "trailing-slash": "/a/",
        "slashes-doubled": "//a//b",
        "dot": "/a/./b",
        "dots": "/a/../b",
        "space-escaped": "/a%20b",
        "plus": "/a+b",
        "slash-escaped": "/a%2Fb",
        "slash-escaped-lower-case": "/a%2fb",
        "tilde": "/~user",
        "tilde-escaped": "/%7Euser",
        "unreserved-escaped": "/%61%2D",
        "percent-escaped": "/100%25",
        "utf-8": "/caf%C3%A9",
        "utf-8-lower-case": "/caf%c3%a9",
        "byte-ff": "/%FF",
        "parameters": "/a;b=1/c;d",
        "parameters-at-end": "/a/b;c=1",
        "parameters-empty": "/a;",
        "sub-delimiters": "/a!$&'()*,=:@b",
        "question-mark-escaped": "/a%3Fb",
        "hash-escaped": "/a%23b",
        "brackets": "/a[1]",
        "upper-case": "/A/B/UsErS",
        "uuid": "/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0",
        "file": "/file.tar.gz",
        "long": "/" + "/".join(f"segment{index}" for index in range(100)),
    }.items():
        yield f"path-{name}", {"url": ORIGIN + path}


def authorities():
    for name, origin in {
        "http": "http://api.example.com",
        "http-80": "http://api.example.com:80",
        "http-443": "http://api.example.com:443",
        "http-8080": "http://api.example.com:8080",
        "https-443": "https://api.example.com:443",
        "https-80": "https://api.example.com:80",
        "https-8443": "https://api.example.com:8443",
        "https-4430": "https://api.example.com:4430",
        "upper-case": "https://API.Example.COM",
        "upper-case-with-port": "https://API.Example.COM:8443",
        "upper-case-default-port": "https://API.Example.COM:443",
        "scheme-upper-case": "HTTPS://api.example.com",
        "one-label": "http://localhost:5000",
        "punycode": "https://xn--bcher-kva.example",
        "trailing-dot": "https://api.example.com.",
        "ipv4": "http://192.0.2.1",
        "ipv4-with-port": "http://192.0.2.1:8080",
        "ipv6": "http://[2001:db8::1]",
        "ipv6-with-port": "http://[2001:db8::1]:8080",
        "ipv6-default-port": "https://[2001:db8::1]:443",
        "ipv6-upper-case": "https://[2001:DB8::A]",
    }.items():
        yield f"authority-{name}", {"url": f"{origin}/a?b=1"}
