//! Clients that make a mistake, and what is said of them.

mod clients;

use super::{
    mistake::{ALWAYS, candidates},
    *,
};
use crate::oauth::{Method, Realm, Signer, Stamp};

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
    let signature = String::from_utf8(Encoder::RIGHT.escape(signature.as_bytes())).unwrap();
    let value = format!(
        "OAuth {extra}oauth_consumer_key=\"k\", oauth_nonce=\"n\", oauth_signature_method=\"HMAC-SHA1\", \
         oauth_timestamp=\"1\", oauth_signature=\"{signature}\""
    );
    Authorization::parse(value.as_bytes()).unwrap()
}

/// The signature with SHA-1 of a client that makes these mistakes.
fn signature(credentials: &Credentials, base_string: &[u8], made: &[Mistake]) -> String {
    let options = SigningOptions::default();
    let any = header("", "");
    let signing = Signing::new(credentials, &options, &any).unwrap();
    let signature = signing.text(base_string, Made(made));
    String::from_utf8(signature.to_vec()).unwrap()
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

fn mistakes(diagnosis: Diagnosis) -> (Vec<Mistake>, Vec<Vec<Mistake>>) {
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
            body: Some(b"{\"x\":1}"),
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
    let value = |name, expected: Option<&str>, received: &str| Difference::Value {
        name,
        expected: expected.map(str::to_owned),
        received: Some(received.to_owned()),
    };
    assert_eq!(
        diagnosis.differences,
        [
            value("oauth_signature_method", Some("HMAC-SHA1"), "HMAC-SHA256"),
            value("oauth_consumer_key", Some("k"), "other"),
            value("oauth_token", None, ""),
        ]
    );
}

#[test]
fn what_a_platform_would_refuse_whatever_the_signature_is_a_difference() {
    let sent = get("/a?b");
    let check = |realm: Realm, body_hash, sent: &Sent<'_>, header: &str, expected: &str| {
        let options = SigningOptions {
            realm,
            body_hash,
            ..SigningOptions::default()
        };
        let value = format!(
            "OAuth {header}oauth_consumer_key=\"k\", oauth_signature_method=\"HMAC-SHA1\", oauth_signature=\"\""
        );
        let authorization = Authorization::parse(value.as_bytes()).unwrap();
        let diagnosis = diagnose(&credentials(None), &options, sent, &authorization);
        let found: Vec<_> = diagnosis
            .differences
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(found.join("\n"), expected, "{header}");
    };
    let stamp = "oauth_nonce=\"n\", oauth_timestamp=\"1\", ";
    let fixed = || Realm::Fixed("1_SB1".to_owned());
    let with = |realm: &str| format!("realm=\"{realm}\", {stamp}");
    check(fixed(), false, &sent, &with("1_SB1"), "");
    check(
        fixed(),
        false,
        &sent,
        &with("1-sb1"),
        "`realm` is `1-sb1`; expected `1_SB1`",
    );
    check(
        fixed(),
        false,
        &sent,
        stamp,
        "`realm` is absent; expected `1_SB1`",
    );
    check(Realm::Uri, false, &sent, &with("https://example.com/a"), "");
    check(
        Realm::Uri,
        false,
        &sent,
        &with("https://example.com/a?b"),
        "`realm` is `https://example.com/a?b`; expected `https://example.com/a`",
    );
    check(Realm::None, false, &sent, &with("any"), "");
    check(
        Realm::None,
        false,
        &sent,
        "oauth_nonce=\"\", oauth_timestamp=\"1795468800123\", ",
        "`oauth_timestamp` is 1795468800123, which looks like milliseconds: it must be in seconds (RFC 5849 §3.3)\n\
         `oauth_nonce` is empty: it must be another text for each request (RFC 5849 §3.3)",
    );
    check(
        Realm::None,
        true,
        &sent,
        stamp,
        "`oauth_body_hash` is absent; expected `2jmj7l5rSw0yVb/vlWAYkK/YBwk=`",
    );
    let hash = format!("oauth_body_hash=\"2jmj7l5rSw0yVb%2FvlWAYkK%2FYBwk%3D\", {stamp}");
    check(Realm::None, false, &sent, &hash, "");
    check(
        Realm::None,
        true,
        &post_form("/", "a=b"),
        &hash,
        "`oauth_body_hash` is sent with a form, whose parameters are signed instead (OAuth Request Body Hash §3.2)",
    );
}

#[test]
fn a_secret_that_stands_in_the_place_of_the_key_is_not_shown() {
    let sent = get("/");
    let own = credentials(Some("t"));
    let exchanged = Credentials {
        consumer_key: "6f5e6f5e".to_owned(),
        consumer_secret: "k".into(),
        ..own.clone()
    };
    let signer = Signer::new(&exchanged, &SigningOptions::default(), sent.origin());
    let stamp = Stamp {
        timestamp: 1,
        nonce: "n".into(),
        extra: &[],
    };
    let authorization = Authorization::parse(&signer.sign(&sent.request, stamp)).unwrap();
    let diagnosis = diagnose_with(&sent, Some("t"), &authorization);
    assert_eq!(diagnosis.differences, [Difference::SecretAsKey]);
    assert!(!diagnosis.differences[0].to_string().contains("6f5e"));
    assert_eq!(
        mistakes(diagnosis).0,
        [Mistake::Key(KeyMistake::ConsumerKeyAsSecret)]
    );
}

#[test]
fn what_no_mistake_explains_is_answered_with_the_base_string() {
    let sent = get("/?a=b");
    let right = "GET&https%3A%2F%2Fexample.com%2F&a%3Db%26oauth_consumer_key%3Dk%26oauth_nonce%3Dn\
        %26oauth_signature_method%3DHMAC-SHA1%26oauth_timestamp%3D1";
    let diagnosis = diagnose_with(&sent, None, &header("", "jtvmkPnHTcbSvpdHvKMnTsRY8Ws="));
    assert_eq!(
        diagnosis.finding,
        Finding::Unexplained {
            base_string: right.to_owned(),
            is_of_this_key: false,
            is_complete: true,
        }
    );
    let diagnosis = diagnose_with(&sent, None, &header("", "jtvmkPnHTcbSvpdHvKMnTsRY8"));
    assert_eq!(diagnosis.finding, Finding::NoSignature { length: 20 });
}

#[test]
fn a_plaintext_signature_is_judged_by_its_secrets_alone() {
    use KeyMistake as K;
    use Mistake::{Key, Writing};
    /// What no secret can be.
    const OTHERS: &[Mistake] = &[Writing(WritingMistake::Hex)];
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
            Finding::OtherSecrets => assert_eq!(expected, OTHERS),
            other => panic!("{other:?}"),
        }
    };
    check("6f5e6f5e%26to%2526ken", &[]);
    check("6f5e6f5e%26", &[Key(K::TokenSecretLeftOut)]);
    check(
        "6f5e6f5e",
        &[Key(K::NoAmpersand), Key(K::TokenSecretLeftOut)],
    );
    check("6f5e6f5e%26to%26ken", &[Key(K::SecretsNotEncoded)]);
    check("to%2526ken%266f5e6f5e", &[Key(K::SecretsSwapped)]);
    check(
        "6f5e6f5e%2526to%252526ken",
        &[Writing(WritingMistake::EncodedTwice)],
    );
    check("nothing", OTHERS);
}

#[test]
fn a_base_string_that_was_signed_with_the_right_key_is_told_from_one_that_was_not() {
    let authorization = header("", &signature(&credentials(None), b"anything", &[]));
    let options = SigningOptions::default();
    let signs = |text| signs(&credentials(None), &options, &authorization, text);
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
                signature(&credentials(token), &text, made)
            };
            let right = sign(&[]);
            for mistake in candidates(&sent, &unsigned, &credentials(token)) {
                let signature = sign(std::slice::from_ref(&mistake));
                if signature == right || named.contains(&mistake) {
                    continue;
                }
                let (found, others) =
                    mistakes(diagnose_with(&sent, token, &header(extra, &signature)));
                let alone = vec![mistake.clone()];
                let is_named = found == alone || others.contains(&alone);
                assert!(is_named, "{mistake:?}: {found:?}");
                assert!(!mistake.to_string().is_empty() && !mistake.remedy().is_empty());
                assert!(mistake.rule().contains("RFC 5849 §3"), "{mistake:?}");
                named.push(mistake);
            }
        }
    }
    let of_key = KeyMistake::ALL.map(Mistake::Key);
    let written = WritingMistake::ALL.map(Mistake::Writing);
    let all = ALWAYS.iter().chain(&of_key).chain(&written);
    let unnamed: Vec<_> = all.filter(|one| !named.contains(one)).collect();
    assert!(unnamed.is_empty(), "{unnamed:?}");
}
