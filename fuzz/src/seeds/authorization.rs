//! Seeds of the target `authorization`.

/// Their names, and the values of `Authorization` fields.
pub fn authorization() -> Vec<(&'static str, &'static str)> {
    vec![
        (
            "two_legged",
            "OAuth oauth_consumer_key=\"dpf43f3p2l4k3l03\", oauth_signature_method=\"HMAC-SHA1\", \
             oauth_timestamp=\"137131200\", oauth_nonce=\"wIjqoS\", oauth_version=\"1.0\", \
             oauth_signature=\"74KNZJeDHnMBp0EMJ9ZHt%2FXKycU%3D\"",
        ),
        (
            "token_without_spaces",
            "OAuth realm=\"Photos\",oauth_consumer_key=\"dpf43f3p2l4k3l03\",oauth_token=\"nnch734d00sl2jdk\",\
             oauth_signature_method=\"HMAC-SHA1\",oauth_timestamp=\"137131202\",oauth_nonce=\"chapoH\",\
             oauth_signature=\"MdpQcU8iPSUjWoN%2FUDMsK2sui9I%3D\"",
        ),
        (
            "sha256_realm",
            "OAuth realm=\"123_SB1\", oauth_consumer_key=\"k\", oauth_token=\"t\", \
             oauth_signature_method=\"HMAC-SHA256\", oauth_timestamp=\"1\", oauth_nonce=\"n\", oauth_signature=\"%2B\"",
        ),
        (
            "sha512_lower_case_digits",
            "oauth oauth_nonce=\"%c3%a9\",\toauth_timestamp=\"0\" , oauth_consumer_key=\"\", \
             oauth_signature_method=\"HMAC-SHA512\", oauth_signature=\"a%2fb%3d\" ",
        ),
        (
            "plaintext_without_stamp",
            "OAuth oauth_consumer_key=\"k\", oauth_token=\"\", oauth_signature_method=\"PLAINTEXT\", \
             oauth_signature=\"kd94hf93k423kf44%26pfkkdhi9sl3r4s00\"",
        ),
        (
            "plaintext_with_stamp",
            "OAuth oauth_consumer_key=\"k\", oauth_signature_method=\"PLAINTEXT\", oauth_signature=\"%26\", \
             oauth_timestamp=\"18446744073709551615\", oauth_nonce=\"\"",
        ),
        (
            "unknown_method",
            "OAuth oauth_consumer_key=\"k\", oauth_signature_method=\"RSA-MD5\", oauth_signature=\"s\", \
             oauth_timestamp=\"1\", oauth_nonce=\"n\"",
        ),
        (
            "further_parameters",
            "OAuth oauth_consumer_key=\"k\", oauth_signature_method=\"HMAC-SHA1\", oauth_signature=\"s\", \
             oauth_timestamp=\"007\", oauth_nonce=\"n\", oauth_body_hash=\"2jmj7l5rSw0yVb%2FvlWAYkK%2FYBwk%3D\", \
             oauth_callback=\"http%3A%2F%2Fprinter.example.com%2Fready\", x%20y=\"%C3%A9\"",
        ),
        (
            "escapes_in_realm",
            "OAuth REALM=\"a, \\\"b\\\\ = c\", oauth_consumer_key=\"k\", oauth_signature_method=\"HMAC-SHA1\", \
             oauth_signature=\"s\", oauth_timestamp=\"1\", oauth_nonce=\"n\"",
        ),
        (
            "duplicate",
            "OAuth oauth_consumer_key=\"k\", oauth_signature_method=\"HMAC-SHA1\", oauth_signature=\"s\", \
             oauth_timestamp=\"1\", oauth_nonce=\"n\", oauth%5Fnonce=\"n\"",
        ),
        (
            "duplicate_realm",
            "OAuth realm=\"\", oauth_consumer_key=\"k\", oauth_signature_method=\"PLAINTEXT\", \
             oauth_signature=\"s\", %72EALM=\"\"",
        ),
        ("raw_signature", "OAuth oauth_signature=\"a+b/c=\""),
        (
            "wrong_version",
            "OAuth oauth_version=\"2.0\", oauth_consumer_key=\"k\"",
        ),
        (
            "timestamp_with_sign",
            "OAuth oauth_consumer_key=\"k\", oauth_signature_method=\"HMAC-SHA1\", oauth_signature=\"s\", \
             oauth_timestamp=\"%2B1\", oauth_nonce=\"n\"",
        ),
        (
            "bad_encoding",
            "OAuth oauth_nonce=\"%FF\", oauth_token=\"%4\"",
        ),
        ("open_quote", "OAuth realm=\"a\\"),
        ("trailing_comma", "OAuth a=\"b\", "),
        ("other_scheme", "Bearer abc"),
        ("empty", ""),
    ]
}
