//! The oracle, judged by what has been published.

use super::*;

/// RFC 5849 §1.2, the third request; the other vectors say what differs.
const PHOTOS: Request<'_> = Request {
    method: "GET",
    https: false,
    host: "photos.example.net",
    port: 80,
    target: b"/photos?file=vacation.jpg&size=original",
    form: None,
    plus_is_space: true,
    protocol: Vec::new(),
};

fn initiate() -> Request<'static> {
    Request {
        method: "POST",
        https: true,
        port: 443,
        target: b"/initiate",
        ..PHOTOS
    }
}

fn token() -> Request<'static> {
    Request {
        target: b"/token",
        ..initiate()
    }
}

/// RFC 5849 §3.4.1.1.
fn rfc() -> Request<'static> {
    Request {
        method: "POST",
        host: "EXAMPLE.COM",
        target: b"/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b",
        form: Some(b"c2&a3=2+q"),
        ..PHOTOS
    }
}

fn with_protocol<'a>(request: &Request<'a>, protocol: &[(&str, &str)]) -> Request<'a> {
    let pair = |&(name, value): &(&str, &str)| (name.into(), value.into());
    Request {
        protocol: protocol.iter().map(pair).collect(),
        ..request.clone()
    }
}

#[test]
fn the_base_string_of_the_rfc_comes_out() {
    let request = with_protocol(
        &rfc(),
        &[
            ("oauth_consumer_key", "9djdj82h48djs9d2"),
            ("oauth_token", "kkk9d7dh3k39sjv7"),
            ("oauth_signature_method", "HMAC-SHA1"),
            ("oauth_timestamp", "137131201"),
            ("oauth_nonce", "7d8f3e4a"),
        ],
    );
    let base_string = "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q\
        %26a3%3Da%26b5%3D%253D%25253D%26c%2540%3D%26c2%3D%26oauth_consumer_key%3D9djdj82h48djs9d2\
        %26oauth_nonce%3D7d8f3e4a%26oauth_signature_method%3DHMAC-SHA1%26oauth_timestamp%3D137131201\
        %26oauth_token%3Dkkk9d7dh3k39sjv7";
    assert_eq!(request.base_string(), base_string);

    let (method, uri, mut decoded) = decode_base_string(base_string).unwrap();
    assert_eq!(method, b"POST");
    assert_eq!(uri, b"http://example.com/request");
    let mut sent = request.parameters();
    decoded.sort();
    sent.sort();
    assert_eq!(decoded, sent);
}

#[test]
fn the_published_signatures_come_out() {
    let check = |request: &Request<'_>, protocol: &[(&str, &str)], secrets, expected: &str| {
        let mut all = vec![("oauth_signature_method", "HMAC-SHA1")];
        all.extend(protocol);
        let base_string = with_protocol(request, &all).base_string();
        let (consumer_secret, token_secret) = secrets;
        let signature = Method::HmacSha1.sign(consumer_secret, token_secret, &base_string);
        assert_eq!(signature, expected, "{base_string}");
    };
    // RFC 5849 §1.2, all three requests.
    check(
        &initiate(),
        &[
            ("oauth_consumer_key", "dpf43f3p2l4k3l03"),
            ("oauth_timestamp", "137131200"),
            ("oauth_nonce", "wIjqoS"),
            ("oauth_callback", "http://printer.example.com/ready"),
        ],
        ("kd94hf93k423kf44", ""),
        "74KNZJeDHnMBp0EMJ9ZHt/XKycU=",
    );
    check(
        &token(),
        &[
            ("oauth_consumer_key", "dpf43f3p2l4k3l03"),
            ("oauth_token", "hh5s93j4hdidpola"),
            ("oauth_timestamp", "137131201"),
            ("oauth_nonce", "walatlh"),
            ("oauth_verifier", "hfdp7dh39dks9884"),
        ],
        ("kd94hf93k423kf44", "hdhd0244k9j7ao03"),
        "gKgrFCywp7rO0OXSjdot/IHF7IU=",
    );
    check(
        &PHOTOS,
        &[
            ("oauth_consumer_key", "dpf43f3p2l4k3l03"),
            ("oauth_token", "nnch734d00sl2jdk"),
            ("oauth_timestamp", "137131202"),
            ("oauth_nonce", "chapoH"),
        ],
        ("kd94hf93k423kf44", "pfkkdhi9sl3r4s00"),
        "MdpQcU8iPSUjWoN/UDMsK2sui9I=",
    );
    // §3.4.1.1; the signature printed there belongs to other secrets.
    check(
        &rfc(),
        &[
            ("oauth_consumer_key", "9djdj82h48djs9d2"),
            ("oauth_token", "kkk9d7dh3k39sjv7"),
            ("oauth_timestamp", "137131201"),
            ("oauth_nonce", "7d8f3e4a"),
        ],
        ("j49sk3j29djd", "dh893hdasih9"),
        "r6/TJjbCOr97/+UU0NsvSne7s5g=",
    );
    // OAuth Core 1.0, appendix A.5.
    check(
        &PHOTOS,
        &[
            ("oauth_consumer_key", "dpf43f3p2l4k3l03"),
            ("oauth_token", "nnch734d00sl2jdk"),
            ("oauth_timestamp", "1191242096"),
            ("oauth_nonce", "kllo9940pd9333jh"),
            ("oauth_version", "1.0"),
        ],
        ("kd94hf93k423kf44", "pfkkdhi9sl3r4s00"),
        "tR3+Ty81lMeYAr/Fid0kMTYa/WM=",
    );
    // X's documentation, "Creating a signature".
    check(
        &Request {
            host: "api.twitter.com",
            target: b"/1.1/statuses/update.json?include_entities=true",
            form: Some(
                b"status=Hello%20Ladies%20%2B%20Gentlemen%2C%20a%20signed%20OAuth%20request%21",
            ),
            ..initiate()
        },
        &[
            ("oauth_consumer_key", "xvz1evFS4wEEPTGEFPHBog"),
            (
                "oauth_token",
                "370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb",
            ),
            ("oauth_timestamp", "1318622958"),
            ("oauth_nonce", "kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg"),
            ("oauth_version", "1.0"),
        ],
        (
            "kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw",
            "LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE",
        ),
        "hCtSmYh+iHYCEqBWrE7C7hYmtUk=",
    );
}

#[test]
fn the_signatures_of_the_oauth_wiki_come_out() {
    let check = |token_secret, expected: &str| {
        assert_eq!(Method::HmacSha1.sign("cs", token_secret, "bs"), expected);
    };
    check("", "egQqG5AJep5sJ7anhXju1unge2I=");
    check("ts", "VZVjXceV7JgPq/dOTnNmEfO0Fv8=");
}

#[test]
fn plaintext_is_both_secrets_encoded_and_joined() {
    let check = |secrets: (&str, &str), expected: &str| {
        let signature = Method::Plaintext.sign(secrets.0, secrets.1, "any");
        assert_eq!(signature, expected);
    };
    // OAuth Core 1.0, §9.4.1.
    check(
        ("djr9rjt0jd78jf88", "jjd999tj88uiths3"),
        "djr9rjt0jd78jf88&jjd999tj88uiths3",
    );
    check(
        ("djr9rjt0jd78jf88", "jjd99$tj88uiths3"),
        "djr9rjt0jd78jf88&jjd99%24tj88uiths3",
    );
    check(("djr9rjt0jd78jf88", ""), "djr9rjt0jd78jf88&");
}

#[test]
fn the_base_string_uris_of_the_rfc_come_out() {
    let check = |https, host, port, target: &str, expected: &str| {
        let request = Request {
            https,
            host,
            port,
            target: target.as_bytes(),
            ..PHOTOS
        };
        let uri = String::from_utf8(request.base_string_uri()).unwrap();
        assert_eq!(uri, expected);
    };
    // RFC 5849 §3.4.1.2, both examples.
    check(
        false,
        "EXAMPLE.COM",
        80,
        "/r%20v/X?id=123",
        "http://example.com/r%20v/X",
    );
    check(
        true,
        "www.example.net",
        8080,
        "/?q=1",
        "https://www.example.net:8080/",
    );
    check(true, "[2001:DB8::1]", 443, "", "https://[2001:db8::1]/");
    check(false, "2001:db8::1", 443, "*", "http://[2001:db8::1]:443/");
}

#[test]
fn form_text_is_read_as_the_rfc_says_and_leniently_where_it_is_silent() {
    let check = |text: &str, expected: &str| {
        let pairs = form_pairs(text.as_bytes(), true);
        assert_eq!(normalized(&pairs), expected, "{text}");
    };
    // RFC 5849 §3.4.1.3.1 and §3.4.1.3.2.
    check(
        "b5=%3D%253D&a3=a&c%40=&a2=r%20b&c2&a3=2+q",
        "a2=r%20b&a3=2%20q&a3=a&b5=%3D%253D&c%40=&c2=",
    );
    check("a&a=&=x&=&&", "=&=x&a=&a=");
    check("a=b=c;d", "a=b%3Dc%3Bd");
    check("a=%zz%4%&b=%+1", "a=%25zz%254%25&b=%25%201");
    check("name10=1&name1=2", "name1=2&name10=1");
}

#[test]
fn decoding_takes_back_encoding_and_nothing_else() {
    let bytes: Vec<u8> = (0..=u8::MAX).collect();
    assert_eq!(decode(encode(&bytes).as_bytes()), Some(bytes));
    assert_eq!(decode(b"%c3%A9%41"), Some(b"\xc3\xa9A".to_vec()));
    for text in ["a b", "a+b", "a=", "%", "%4", "%zz", "%+1"] {
        assert_eq!(decode(text.as_bytes()), None, "{text}");
    }
}

#[test]
fn a_protocol_parameter_is_found_in_the_query_first() {
    let found = |target: &'static [u8], form| {
        Request {
            target,
            form,
            ..PHOTOS
        }
        .protocol_parameter()
    };
    assert_eq!(found(b"/oauth_x?a=oauth_x", Some(b"oauth=x")), None);
    assert_eq!(
        found(b"/?a&%6fauth_x=1", Some(b"oauth_y")),
        Some("oauth_x".to_owned())
    );
    assert_eq!(
        found(b"/?a", Some(b"oauth_%FF")),
        Some("oauth_\u{fffd}".to_owned())
    );
}
