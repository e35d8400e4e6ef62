//! Careless headers, and what is said of them.

use super::*;

const HEADER: &str = "OAuth oauth_consumer_key=\"k\", oauth_signature_method=\"HMAC-SHA1\", \
    oauth_timestamp=\"137131200\", oauth_nonce=\"n\", oauth_signature=\"a%2Fb%2B%3D\"";

#[test]
fn what_is_meant_is_read_and_what_is_wrong_is_named() {
    let check = |header: &str, slips: &[(&str, SlipKind)]| {
        let (authorization, found) = Authorization::parse_leniently(header.as_bytes()).unwrap();
        assert_eq!(authorization.signature, "a/b+=", "{header}");
        assert_eq!(authorization.stamp, Some((137_131_200, "n".to_owned())));
        assert_eq!(found.len(), slips.len(), "{header}: {found:?}");
        for (found, (rest, kind)) in found.iter().zip(slips) {
            assert_eq!(
                (&header[found.at..].get(..rest.len()), &found.kind),
                (&Some(*rest), kind)
            );
        }
    };
    let signature = || "oauth_signature".to_owned();
    let nonce = || "oauth_nonce".to_owned();
    check(HEADER, &[]);
    check(
        &HEADER.replace("a%2Fb%2B%3D", "a/b+="),
        &[("/b+=", SlipKind::NotEncoded(signature(), b'/'))],
    );
    check(
        &HEADER.replacen("OAuth ", "", 1),
        &[("oauth_consumer_key", SlipKind::NoScheme)],
    );
    check(
        &HEADER.replace("\"n\"", "n"),
        &[("n, ", SlipKind::NotQuoted(nonce()))],
    );
    check(
        &HEADER.replace("\"n\"", "'n'"),
        &[("'n'", SlipKind::NotQuoted(nonce()))],
    );
    check(
        &HEADER.replace("\"a%2Fb%2B%3D\"", "a/b+="),
        &[
            ("a/b+=", SlipKind::NotQuoted(signature())),
            ("/b+=", SlipKind::NotEncoded(signature(), b'/')),
        ],
    );
    check(
        &HEADER.replace("nonce=", "nonce ="),
        &[(" =", SlipKind::BlankAroundEquals(nonce()))],
    );
    check(
        &HEADER.replace(", oauth_nonce", " oauth_nonce"),
        &[("oauth_nonce", SlipKind::NoComma(nonce()))],
    );
    check(
        &HEADER.replace(", oauth_nonce", "&oauth_nonce"),
        &[("oauth_nonce", SlipKind::NoComma(nonce()))],
    );
    check(&format!("{HEADER},"), &[(",", SlipKind::ExtraSeparator)]);
    check(&format!("{HEADER};"), &[(";", SlipKind::ExtraSeparator)]);
    check(
        &HEADER.replace(", oauth_nonce", ",\r\n oauth_nonce"),
        &[("\r\n", SlipKind::LineBreak)],
    );
}

#[test]
fn what_can_not_be_meant_is_refused_with_its_place() {
    let check = |header: &str, at: usize, problem: MalformedAuthorization| {
        let refused = Authorization::parse_leniently(header.as_bytes()).unwrap_err();
        assert_eq!((refused.at, refused.problem), (at, problem), "{header}");
    };
    use MalformedAuthorization as Malformed;
    check("", 0, Malformed::Scheme);
    check("Bearer abc=", 0, Malformed::Scheme);
    check("OAuth: a=\"b\"", 5, Malformed::SchemeContinued);
    check("oauth1 a=\"b\"", 5, Malformed::SchemeContinued);
    check("OAuth a", 7, Malformed::Syntax(7));
    check("OAuth a=\"b", 10, Malformed::Syntax(10));
    check("OAuth a=\"b\\", 11, Malformed::Syntax(11));
    check("OAuth ?=\"b\"", 6, Malformed::Syntax(6));
    check(
        "OAuth a=\"1\", a=\"2\"",
        13,
        Malformed::Duplicate("a".to_owned()),
    );
    check(
        "OAuth a=\"\u{e9}%ff\"",
        9,
        Malformed::Encoding("a".to_owned()),
    );
    check(
        &HEADER.replace("137131200", "soon"),
        HEADER.find("137131200").unwrap(),
        Malformed::Timestamp,
    );
    check(
        &HEADER.replace("oauth_nonce", "nonce"),
        HEADER.len() - 6,
        Malformed::Missing("oauth_nonce"),
    );
}

#[test]
fn a_secret_behind_an_ampersand_is_not_taken_for_a_name() {
    let value = b"OAuth oauth_consumer_key=k&oauth_signature_method=PLAINTEXT&oauth_signature=cs&S3NTINEL=&oauth_version=1.0";
    let (authorization, slips) = Authorization::parse_leniently(value).unwrap();
    assert_eq!(authorization.signature, "cs&S3NTINEL=");
    let slips: Vec<_> = slips.iter().map(|slip| slip.kind.to_string()).collect();
    assert!(!slips.concat().contains("S3NTINEL"), "{slips:?}");
}

#[test]
fn a_secret_out_of_its_quotes_is_not_shown() {
    for signature in [
        "abc;S3NTINEL=&",
        "\"abc\"S3NTINEL=\"x\"",
        "abc S3NTINEL=1",
        "abc S3NTINEL=1 S3NTINEL=1",
        "abc S3NTINEL=%ff",
        "\"S3NT!NEL\"",
    ] {
        let value = format!(
            "OAuth oauth_consumer_key=k, oauth_signature_method=PLAINTEXT, oauth_signature={signature}"
        );
        let said = match Authorization::parse_leniently(value.as_bytes()) {
            Ok((_, slips)) => slips.iter().map(|slip| slip.kind.to_string()).collect(),
            Err(fault) => vec![fault.to_string()],
        };
        assert!(!said.concat().contains("S3NTINEL"), "{said:?}");
        assert!(!said.concat().contains('!'), "{said:?}");
    }
}
