"""Requests as services get them that OAuth 1.0a is used with today."""

from .plain import TOKEN


def platform():
    """Requests as CloudBlue Commerce (APS, with RQL) gets them: two-legged."""
    core = "http://aps-standard.org/types/core/resource/1.0"
    aps = {"consumer_key": "0123456789abcdef0123456789abcdef", "consumer_secret": "Fake" * 32}
    for name, target in {
        "implementing": f"resources?implementing({core})",
        "implementing-and-limit": f"resources?implementing({core}),limit(0,10)",
        "like-and-sort": f"resources?implementing({core}),like(name,*abc*),sort(+name),limit(0,10)",
        "sort-descending": f"resources?implementing({core}),sort(-id,+name)",
        "slash-and-pair": f"resources/?implementing({core})&id=1000017",
        "collection": "collections/admin-users?organization.id=1000017",
        "order-number": "services/order-manager/orders?like(orderNumber,*CL000058)",
        "fiql": "resources?name=eq=value&size=gt=10",
        "select": "resources?select(id,name,status)",
        "in": "resources?in(id,(1,2,3))",
        "and-or": "resources?and(eq(a,1),or(gt(b,2),lt(b,0)))",
        "not-null": "resources?not(eq(name,null()))",
        "string-escaped": "resources?eq(name,caf%C3%A9%20%26%20bar)",
        "composing": "types?composing(http://example.com/app/1.0)",
        "uuid": "resources/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0",
        "question-mark-wildcard": "resources?like(name,a?c*)",
    }.items():
        yield f"aps-{name}", aps | {"url": f"https://aps.example.com:6308/aps/2/{target}"}
    yield "aps-upload", aps | {
        "method": "POST",
        "url": "https://aps.example.com/aps/2/services/price/upload?vendorId=1000017",
    }


def services():
    """Requests as other services get them."""
    restlet = "app/site/hosting/restlet.nl?script=6&deploy=1"
    suiteql = "services/rest/query/v1/suiteql?limit=5&offset=10"
    filters = "searchCriteria%5BfilterGroups%5D%5B0%5D%5Bfilters%5D%5B0%5D"
    created = "after=2024-01-01T00:00:00&per_page=100&status=processing"
    jql = "project%20%3D%20ABC%20AND%20status%20in%20(Open%2C%20%22In%20Progress%22)"
    page = "title=User%3AEx+ample&text=%3D%3D+H%C3%A9+%3D%3D"
    userinfo = "action=query&meta=userinfo&uiprop=rights%7Cgroups&format=json"
    search = "release_title=nevermind&artist=nirvana&per_page=3&page=1"
    yield "netsuite-restlet", TOKEN | {
        "signature_method": "HMAC-SHA256",
        "url": f"https://123-sb1.restlets.api.netsuite.example/{restlet}",
    }
    yield "netsuite-suiteql", TOKEN | {
        "signature_method": "HMAC-SHA256",
        "method": "POST",
        "url": f"https://123-sb1.suitetalk.api.netsuite.example/{suiteql}",
    }
    yield "magento-search", TOKEN | {
        "signature_method": "HMAC-SHA256",
        "url": f"https://shop.example.com/rest/V1/products?{filters}%5Bfield%5D=sku"
        f"&{filters}%5Bvalue%5D=A-1%25",
    }
    yield "magento-search-raw-brackets", TOKEN | {
        "url": "https://shop.example.com/rest/V1/orders"
        "?searchCriteria[pageSize]=10&searchCriteria[currentPage]=1",
    }
    yield "woocommerce-orders", {
        "url": f"http://shop.example.com/wp-json/wc/v3/orders?{created}",
    }
    yield "x-search", TOKEN | {
        "url": "https://api.x.example/1.1/search/tweets.json?q=%23rust%20OR%20%40rustlang&count=10",
    }
    yield "x-status", TOKEN | {
        "method": "POST",
        "url": "https://api.x.example/1.1/statuses/update.json",
        "form": "status=Setting%20up%20my%20%E2%98%83%20(it's%20fun!)&trim_user=1",
    }
    yield "jira-jql", TOKEN | {
        "url": f"https://jira.example.com/rest/api/2/search?jql={jql}",
    }
    yield "cardmarket-articles", TOKEN | {
        "url": "https://api.cardmarket.example/ws/v2.0/articles/266361?start=0&maxResults=100",
    }
    yield "schoology-plaintext", {
        "token": "",
        "signature_method": "PLAINTEXT",
        "url": "https://api.schoology.example/v1/users/me",
    }
    yield "schoology-hmac", {
        "token": "",
        "url": "https://api.schoology.example/v1/users?start=0&limit=20",
    }
    yield "mediawiki-query", TOKEN | {
        "url": f"https://wiki.example.org/w/api.php?{userinfo}",
    }
    yield "mediawiki-edit", TOKEN | {
        "method": "POST",
        "url": "https://wiki.example.org/w/api.php",
        "form": f"action=edit&{page}&token=abc%2B%5C&format=json",
    }
    yield "discogs-search", TOKEN | {
        "url": f"https://api.discogs.example/database/search?{search}",
    }
    yield "body-hash", {
        "method": "POST",
        "signature_method": "HMAC-SHA256",
        "url": "https://sandbox.api.mastercard.example/service?Format=JSON",
        "extra": {"oauth_body_hash": "2jmj7l5rSw0yVb/vlWAYkK/YBwk="},
    }
