//! Clients that make a mistake, and what is said of them.

mod clients;

use super::{mistake::ALWAYS, *};
use crate::oauth::{Signer, Stamp};

/// What every request of these tests is signed with.
fn credentials(token: Option<&str>) -> Credentials {
    Credentials {
        consumer_key: "k".to_owned(),
        // One that needs encoding and trimming, and one that can be taken for an encoded one.
        consumer_secret: token.map_or(" 6f5e&/+ ", |_| "6f5e6f5e").into(),
        token: token.map(str::to_owned),
        token_secret: token.map_or("", |_| "to&ken").into(),
    }
}

/// A header with the usual parameters and this signature.
fn header(extra: &str, signature: &str) -> Authorization {
    let signature = String::from_utf8(escape(signature.as_bytes(), Made(&[]))).unwrap();
    let value = format!(
        "OAuth {extra}oauth_consumer_key=\"k\", oauth_nonce=\"n\", oauth_signature_method=\"HMAC-SHA1\", \
         oauth_timestamp=\"1\", oauth_signature=\"{signature}\""
    );
    Authorization::parse(value.as_bytes()).unwrap()
}

/// A GET to `https://example.com`.
fn get(target: &str) -> Sent<'_> {
    Sent {
        request: RequestToSign {
            method: "GET",
            target: target.as_bytes(),
            form: None,
        },
        https: true,
        host: "example.com",
        port: None,
        body: None,
        query_plus: QueryPlus::Space,
        elsewhere: &[],
    }
}

fn post_form<'a>(target: &'a str, form: &'a str) -> Sent<'a> {
    let sent = get(target);
    Sent {
        request: RequestToSign {
            method: "POST",
            form: Some(form.as_bytes()),
            ..sent.request
        },
        ..sent
    }
}

fn diagnose_with(sent: &Sent<'_>, token: Option<&str>, authorization: &Authorization) -> Diagnosis {
    let options = SigningOptions::default();
    diagnose(&credentials(token), &options, sent, authorization)
}

fn mistakes(diagnosis: Diagnosis) -> (Vec<Mistake>, Vec<Mistake>) {
    match diagnosis.finding {
        Finding::Mistaken {
            mistakes,
            alternatives,
            ..
        } => (mistakes, alternatives),
        other => panic!("{other:?}"),
    }
}

/// Requests among which each mistake makes a difference to at least one.
fn telling_requests() -> Vec<Sent<'static>> {
    const QUERY: &str =
        "/a(b)//./%2f%7E!/?a=x+y&b=c=d&a=1;2&&Z&=v&%FF=%zz&\u{e9}=*~/%20(&z=Q&z=P&A-=1&A=2&a&amp;q";
    let full = Sent {
        host: "EXAMPLE.com",
        port: Some(8443),
        ..post_form(QUERY, "f=1+2&g=%2F&h=%2B")
    };
    vec![
        full,
        Sent {
            query_plus: QueryPlus::Literal,
            body: Some(b"x=1"),
            ..get("/?a=+")
        },
        get("/a"),
    ]
}

#[test]
fn what_the_header_says_otherwise_is_noted_and_the_rest_judged_nevertheless() {
    let sent = get("/?a=b+c");
    let theirs = Credentials {
        consumer_key: "other".to_owned(),
        token: Some(String::new()),
        ..credentials(None)
    };
    let options = |method| SigningOptions {
        method,
        ..SigningOptions::default()
    };
    let stamp = Stamp {
        timestamp: 1,
        nonce: "n".into(),
        extra: &[],
    };
    let signer = Signer::new(&theirs, &options(Method::HmacSha256), sent.origin());
    let authorization = Authorization::parse(&signer.sign(&sent.request, stamp)).unwrap();
    let ours = options(Method::HmacSha1);
    let diagnosis = diagnose(&credentials(None), &ours, &sent, &authorization);
    assert_eq!(diagnosis.finding, Finding::Right);
    assert!(!diagnosis.is_right());
    assert!(matches!(
        diagnosis.differences[..],
        [
            Mismatch::SignatureMethod { .. },
            Mismatch::ConsumerKey { .. },
            Mismatch::Token { .. }
        ]
    ));
}

#[test]
fn what_no_mistake_explains_is_answered_with_the_base_string() {
    let sent = get("/?a=b");
    let right = "GET&https%3A%2F%2Fexample.com%2F&a%3Db%26oauth_consumer_key%3Dk%26oauth_nonce%3Dn\
        %26oauth_signature_method%3DHMAC-SHA1%26oauth_timestamp%3D1";
    let diagnosis = diagnose_with(&sent, None, &header("", "jtvmkPnHTcbSvpdHvKMnTsRY8Ws="));
    let base_string = Some(right.to_owned());
    assert_eq!(diagnosis.finding, Finding::Unexplained { base_string });
}

#[test]
fn a_plaintext_signature_is_judged_by_its_secrets_alone() {
    let check = |signature: &str, expected: &[Mistake]| {
        let authorization = format!(
            "OAuth oauth_consumer_key=\"k\", oauth_signature_method=\"PLAINTEXT\", oauth_signature=\"{signature}\""
        );
        let authorization = Authorization::parse(authorization.as_bytes()).unwrap();
        let options = SigningOptions {
            method: Method::Plaintext,
            ..SigningOptions::default()
        };
        let credentials = credentials(Some("t"));
        let credentials = Credentials {
            token: None,
            ..credentials
        };
        let finding = diagnose(&credentials, &options, &get("/?a=b"), &authorization).finding;
        match finding {
            Finding::Right => assert!(expected.is_empty()),
            Finding::Mistaken {
                mistakes,
                divergence,
                ..
            } => {
                assert_eq!((&mistakes[..], divergence), (expected, None));
            }
            Finding::Unexplained { base_string: None } => assert_eq!(expected, [Mistake::Hex]),
            other => panic!("{other:?}"),
        }
    };
    check("6f5e6f5e%26to%2526ken", &[]);
    check("6f5e6f5e%26", &[Mistake::TokenSecretLeftOut]);
    check(
        "6f5e6f5e",
        &[Mistake::NoAmpersand, Mistake::TokenSecretLeftOut],
    );
    check("6f5e6f5e%26to%26ken", &[Mistake::SecretsNotEncoded]);
    check("to%2526ken%266f5e6f5e", &[Mistake::SecretsSwapped]);
    check(
        "6f5e6f5e%2526to%252526ken",
        &[Mistake::EncodedTwiceInHeader],
    );
    check("nothing", &[Mistake::Hex]);
}

#[test]
fn a_base_string_that_was_signed_with_the_right_key_is_told_from_one_that_was_not() {
    let signature = secret::sign(
        &Method::HmacSha1,
        &credentials(None),
        b"anything",
        Made(&[]),
    );
    let authorization = header("", str::from_utf8(&signature).unwrap());
    let signs = |text| signs(&credentials(None), &Method::HmacSha1, &authorization, text);
    assert_eq!(
        (signs("anything"), signs("else")),
        (Some(true), Some(false))
    );
}

#[test]
fn each_mistake_is_named_when_a_client_makes_it() {
    let mut named = Vec::new();
    for sent in telling_requests() {
        for (token, extra) in [
            (None, "realm=\"r\", "),
            (Some("t"), "oauth_token=\"t\", oauth_version=\"1.0\", "),
        ] {
            let unsigned = header(extra, "");
            let sign = |made: &[Mistake]| {
                let text = base_string(&sent, &unsigned, Made(made));
                let sha1 = &Method::HmacSha1;
                let signature = secret::sign(sha1, &credentials(token), &text, Made(made));
                String::from_utf8(signature.to_vec()).unwrap()
            };
            let right = sign(&[]);
            for mistake in candidates(&sent, &unsigned) {
                let signature = sign(std::slice::from_ref(&mistake));
                if signature == right || named.contains(&mistake) {
                    continue;
                }
                let (found, others) =
                    mistakes(diagnose_with(&sent, token, &header(extra, &signature)));
                let is_named = found == [mistake.clone()] || others.contains(&mistake);
                assert!(is_named, "{mistake:?}: {found:?}");
                assert!(!mistake.to_string().is_empty() && !mistake.remedy().is_empty());
                assert!(mistake.rule().contains("RFC 5849 §3"), "{mistake:?}");
                named.push(mistake);
            }
        }
    }
    let unnamed: Vec<_> = ALWAYS.iter().filter(|one| !named.contains(one)).collect();
    assert!(unnamed.is_empty(), "{unnamed:?}");
}

#[test]
fn the_longer_a_request_is_the_fewer_combinations_are_tried() {
    for (length, expected) in [
        (0, 20_000),
        (2_000, 20_000),
        (4_000_000, 10),
        (50_000_000, 0),
    ] {
        assert_eq!(tries(length), expected, "{length}");
    }
}
