//! What each service wants according to its own documentation, and what it is typically asked.

/// What a service wants, and what it is asked.
pub(crate) struct Service {
    /// The name of the file and of the proxy in it.
    pub(crate) name: &'static str,
    pub(crate) signature_method: &'static str,
    /// `None`: no `oauth_token`; `""`: an empty one.
    pub(crate) token: Option<&'static str>,
    /// `"uri"`: the request's URI without its query.
    pub(crate) realm: Option<&'static str>,
    pub(crate) body_hash: bool,
    /// The keys that name files with secrets.
    pub(crate) secrets: &'static [&'static str],
    /// Method and target, and content, which may be empty.
    pub(crate) requests: &'static [(&'static str, &'static str)],
}

pub(crate) const CONSUMER_SECRET: &str = "consumer_secret_file";
pub(crate) const TOKEN_SECRET: &str = "token_secret_file";
pub(crate) const PRIVATE_KEY: &str = "private_key_file";

/// What stands in each file until its user fills it in.
pub(crate) const CONSUMER_KEY: &str = "YOUR-CONSUMER-KEY";
pub(crate) const TOKEN: &str = "YOUR-TOKEN";

pub(crate) const SERVICES: [Service; 8] = [
    Service {
        name: "aps",
        signature_method: "HMAC-SHA1",
        token: None,
        realm: None,
        body_hash: false,
        secrets: &[CONSUMER_SECRET],
        requests: &[
            (
                "GET /aps/2/resources?implementing(http://aps-standard.org/types/core/resource/1.0),like(name,*abc*),sort(+name),limit(0,10)",
                "",
            ),
            ("GET /aps/2/resources/?implementing(T)&id=1000017", ""),
            (
                "POST /aps/2/services/order-manager/orders",
                r#"{"type":"SALES"}"#,
            ),
        ],
    },
    Service {
        name: "netsuite",
        signature_method: "HMAC-SHA256",
        token: Some(TOKEN),
        realm: Some("1234567_SB1"),
        body_hash: false,
        secrets: &[CONSUMER_SECRET, TOKEN_SECRET],
        requests: &[
            ("GET /app/site/hosting/restlet.nl?script=1&deploy=1", ""),
            (
                "POST /app/site/hosting/restlet.nl?script=1&deploy=1",
                r#"{"id":"1"}"#,
            ),
            (
                "GET /services/rest/record/v1/customer?q=companyName%20START_WITH%20Ace&limit=10",
                "",
            ),
        ],
    },
    Service {
        name: "magento",
        signature_method: "HMAC-SHA256",
        token: Some(TOKEN),
        realm: None,
        body_hash: false,
        secrets: &[CONSUMER_SECRET, TOKEN_SECRET],
        requests: &[
            ("GET /rest/V1/orders?searchCriteria[pageSize]=10", ""),
            (
                "GET /rest/V1/orders?searchCriteria[filter_groups][0][filters][0][field]=created_at&searchCriteria[filter_groups][0][filters][0][value]=2026-01-01+00:00:00",
                "",
            ),
            (
                "PUT /rest/V1/products/24-MB01",
                r#"{"product":{"price":35}}"#,
            ),
        ],
    },
    Service {
        name: "x",
        signature_method: "HMAC-SHA1",
        token: Some(TOKEN),
        realm: None,
        body_hash: false,
        secrets: &[CONSUMER_SECRET, TOKEN_SECRET],
        requests: &[
            (
                "POST /1.1/statuses/update.json?include_entities=true",
                "status=Hello%20Ladies%20%2b%20Gentlemen%2c%20a%20signed%20OAuth%20request%21",
            ),
            ("POST /2/tweets", r#"{"text":"Hello"}"#),
            ("GET /2/users/me?user.fields=created_at,description", ""),
        ],
    },
    Service {
        name: "jira",
        signature_method: "RSA-SHA1",
        token: Some(TOKEN),
        realm: None,
        body_hash: false,
        secrets: &[PRIVATE_KEY],
        requests: &[
            (
                "POST /rest/api/2/issue",
                r#"{"fields":{"project":{"key":"TEST"}}}"#,
            ),
            (
                "GET /jira/rest/api/2/search?jql=project%20%3D%20TEST+order+by+created&maxResults=5",
                "",
            ),
        ],
    },
    Service {
        name: "mastercard",
        signature_method: "RSA-SHA256",
        token: None,
        realm: None,
        body_hash: true,
        secrets: &[PRIVATE_KEY],
        requests: &[
            (
                "POST /fraud/merchant/v1/termination-inquiry?Format=XML&PageOffset=0",
                r#"{"foo":"bår"}"#,
            ),
            ("GET /locations/v1/atms?Latitude=38.53&Longitude=-90.28", ""),
        ],
    },
    Service {
        name: "cardmarket",
        signature_method: "HMAC-SHA1",
        token: Some(TOKEN),
        realm: Some("uri"),
        body_hash: false,
        secrets: &[CONSUMER_SECRET, TOKEN_SECRET],
        requests: &[
            (
                "GET /ws/v2.0/users/karmacrow/articles?start=0&maxResults=2",
                "",
            ),
            ("GET /ws/v2.0/output.json/account", ""),
            ("PUT /ws/v2.0/stock", "<request/>"),
        ],
    },
    Service {
        name: "schoology",
        signature_method: "HMAC-SHA1",
        token: Some(""),
        realm: Some("Schoology API"),
        body_hash: false,
        secrets: &[CONSUMER_SECRET],
        requests: &[
            ("GET /v1/users?start=0&limit=20", ""),
            ("POST /v1/sections/1/enrollments", r#"{"uid":1}"#),
        ],
    },
];
