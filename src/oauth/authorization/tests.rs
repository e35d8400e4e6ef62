//! Headers, read and refused.

use super::*;

const REQUIRED: &str = "oauth_consumer_key=\"k\", oauth_signature_method=\"HMAC-SHA1\", \
    oauth_timestamp=\"137131200\", oauth_nonce=\"n\", oauth_signature=\"a%2Fb%3D\"";

fn parse(value: &str) -> Result<Authorization, Malformed> {
    Authorization::parse(value.as_bytes())
}

#[test]
fn a_header_is_read_into_decoded_parameters() {
    let header =
        format!("OAuth realm=\"a \\\"b\\\\\", {REQUIRED}, oauth_token=\"\", x%20y=\"%C3%A9\"");
    let authorization = parse(&header).unwrap();
    assert_eq!(authorization.realm.as_deref(), Some("a \"b\\"));
    assert_eq!(authorization.consumer_key, "k");
    assert_eq!(authorization.token.as_deref(), Some(""));
    assert_eq!(authorization.signature_method, "HMAC-SHA1");
    assert_eq!(authorization.signature, "a/b=");
    assert_eq!(authorization.stamp, Some((137_131_200, "n".to_owned())));
    let signed: Vec<_> = authorization.signed().map(|(name, _)| name).collect();
    assert_eq!(
        signed,
        [
            "oauth_consumer_key",
            "oauth_signature_method",
            "oauth_timestamp",
            "oauth_nonce",
            "oauth_token",
            "x y",
        ]
    );
}

#[test]
fn whitespace_and_the_case_of_the_scheme_do_not_matter() {
    for header in [
        format!("oauth {REQUIRED}"),
        format!("OAUTH  \t{REQUIRED} "),
        format!("OAuth {}", REQUIRED.replace(", ", ",")),
        format!("OAuth {}", REQUIRED.replace(", ", " \t,  ")),
    ] {
        assert_eq!(parse(&header).unwrap().consumer_key, "k", "{header}");
    }
}

#[test]
fn plaintext_alone_does_without_timestamp_and_nonce() {
    let header = "OAuth oauth_consumer_key=\"k\", oauth_signature_method=\"PLAINTEXT\", oauth_signature=\"s%26\"";
    assert_eq!(parse(header).unwrap().stamp, None);
    let check = |extra: &str, missing| {
        let header = format!("{header}, {extra}");
        assert_eq!(parse(&header), Err(Malformed::Missing(missing)));
    };
    check("oauth_nonce=\"n\"", "oauth_timestamp");
    check("oauth_timestamp=\"1\"", "oauth_nonce");
}

#[test]
fn a_malformed_header_is_refused_for_its_first_fault() {
    let check = |value: &str, expected: Malformed| {
        assert_eq!(parse(value), Err(expected), "{value}");
    };
    let encoding = |name: &str| Malformed::Encoding(name.to_owned());
    let duplicate = |name: &str| Malformed::Duplicate(name.to_owned());
    check("", Malformed::Scheme);
    check("Bearer abc", Malformed::Scheme);
    check("OAuth", Malformed::Scheme);
    check("OAuth ", Malformed::Syntax(6));
    check("OAuth2 a=\"b\"", Malformed::Scheme);
    check("OAuth a", Malformed::Syntax(7));
    check("OAuth a=b", Malformed::Syntax(8));
    check("OAuth a=\"b", Malformed::Syntax(10));
    check("OAuth a=\"b\\\"", Malformed::Syntax(12));
    check("OAuth a=\"b\" c=\"d\"", Malformed::Syntax(12));
    check("OAuth a=\"b\",", Malformed::Syntax(12));
    check("OAuth a=\"b\", , c=\"d\"", encoding(", c"));
    check("OAuth =\"b\"", encoding(""));
    check("OAuth a=\"b+c\"", encoding("a"));
    check("OAuth a=\"b/c\"", encoding("a"));
    check("OAuth a=\"b=\"", encoding("a"));
    check("OAuth a=\"%4\"", encoding("a"));
    check("OAuth a=\"%FF\"", encoding("a"));
    check("OAuth a=\"\", %61=\"\"", duplicate("a"));
    check("OAuth realm=\"\", Realm=\"\"", duplicate("Realm"));
    check(
        &format!("OAuth {REQUIRED}, oauth_nonce=\"n\""),
        duplicate("oauth_nonce"),
    );
    check(
        &format!("OAuth {REQUIRED}, oauth_version=\"2.0\""),
        Malformed::Version,
    );
}

#[test]
fn each_required_parameter_is_missed() {
    for name in [
        "oauth_consumer_key",
        "oauth_signature_method",
        "oauth_timestamp",
        "oauth_nonce",
        "oauth_signature",
    ] {
        let header = format!("OAuth {}", REQUIRED.replace(&format!("{name}="), "other="));
        assert_eq!(parse(&header), Err(Malformed::Missing(name)));
    }
}

#[test]
fn a_timestamp_is_made_of_digits() {
    for timestamp in ["", "-1", "%2B1", "1.5", "0x1", "99999999999999999999"] {
        let header = format!("OAuth {}", REQUIRED.replace("137131200", timestamp));
        assert_eq!(parse(&header), Err(Malformed::Timestamp), "{timestamp}");
    }
}

#[test]
fn debug_output_holds_no_signature() {
    let authorization = parse(&format!("OAuth {REQUIRED}")).unwrap();
    assert!(!format!("{authorization:?}").contains("a/b="));
}
