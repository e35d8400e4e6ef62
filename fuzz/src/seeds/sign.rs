//! Seeds of the target `sign`.

use crate::input::{Input, Method, RealmKind};

/// Their names, and what each of them signs.
pub fn sign() -> Vec<(&'static str, Input<'static>)> {
    [published(), platforms(), edges(), sizes()].concat()
}

/// A consumer with a token.
fn three_legged() -> Input<'static> {
    Input {
        token: Some("nnch734d00sl2jdk"),
        token_secret: "pfkkdhi9sl3r4s00",
        ..Input::PLAIN
    }
}

fn published() -> Vec<(&'static str, Input<'static>)> {
    vec![
        (
            "rfc_1_2_initiate",
            Input {
                method: "POST",
                host: "photos.example.net",
                target: b"/initiate",
                sends_version: false,
                extra: vec![("oauth_callback", "http://printer.example.com/ready")],
                ..Input::PLAIN
            },
        ),
        (
            "rfc_1_2_photos",
            Input {
                https: false,
                port: 80,
                host: "photos.example.net",
                target: b"/photos?file=vacation.jpg&size=original",
                sends_version: false,
                timestamp: 137_131_202,
                nonce: "chapoH",
                ..three_legged()
            },
        ),
        (
            "rfc_3_4_1_1",
            Input {
                method: "POST",
                https: false,
                port: 80,
                host: "EXAMPLE.COM",
                target: b"/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b",
                form: Some(b"c2&a3=2+q"),
                consumer_key: "9djdj82h48djs9d2",
                consumer_secret: "j49sk3j29djd",
                token: Some("kkk9d7dh3k39sjv7"),
                token_secret: "dh893hdasih9",
                ..Input::PLAIN
            },
        ),
        (
            "x_status",
            Input {
                method: "POST",
                host: "api.twitter.com",
                target: b"/1.1/statuses/update.json?include_entities=true",
                form: Some(
                    b"status=Hello%20Ladies%20%2B%20Gentlemen%2C%20a%20signed%20OAuth%20request%21",
                ),
                ..three_legged()
            },
        ),
    ]
}

fn platforms() -> Vec<(&'static str, Input<'static>)> {
    vec![
        (
            "aps_rql",
            Input {
                target: b"/aps/2/resources?implementing(http://aps-standard.org/types/core/resource/1.0),\
                    like(name,*abc*),sort(+name),limit(0,10)",
                shuffle: 0,
                ..Input::PLAIN
            },
        ),
        (
            "aps_rql_and_pairs",
            Input {
                target: b"/aps/2/services/orders/?like(orderNumber,*CL000058)&id=1000017&prop=eq=value",
                shuffle: 5,
                ..Input::PLAIN
            },
        ),
        (
            "aps_literal_plus",
            Input {
                literal_plus: true,
                target: b"/aps/2/resources?sort(+name)&a=1%2B2+3",
                form: Some(b"a=1+2"),
                ..Input::PLAIN
            },
        ),
        (
            "netsuite",
            Input {
                signature_method: Method::HmacSha256,
                realm: RealmKind::Fixed,
                realm_text: "123_SB1",
                method: "PATCH",
                ..three_legged()
            },
        ),
        (
            "cardmarket",
            Input {
                realm: RealmKind::Uri,
                target: b"/ws/v2.0/output.json/products/find?search=a b",
                ..three_legged()
            },
        ),
        (
            "schoology",
            Input {
                signature_method: Method::Plaintext,
                token: Some(""),
                ..Input::PLAIN
            },
        ),
        (
            "body_hash",
            Input {
                signature_method: Method::HmacSha512,
                method: "PUT",
                extra: vec![("oauth_body_hash", "2jmj7l5rSw0yVb/vlWAYkK/YBwk=")],
                ..Input::PLAIN
            },
        ),
    ]
}

fn edges() -> Vec<(&'static str, Input<'static>)> {
    let target = |target| Input {
        target,
        ..Input::PLAIN
    };
    vec![
        ("target_empty", target(b"")),
        ("target_asterisk", target(b"*")),
        ("query_alone", target(b"?a=1")),
        ("query_empty", target(b"/a//../b;c/%2F%c3%7E?")),
        ("separators", target(b"/?&&a&a=&=x&=&a=b=c;d?e&&")),
        (
            "bad_escapes",
            target(b"/%zz?a=%zz&b=%&c=%4&d=%+1&%%41=%2541"),
        ),
        (
            "any_byte",
            target(b"/\xc3\xa9\xff\"\\?\x80=\xff&\0=%FF&%00"),
        ),
        (
            "order",
            target(b"/?name10=1&name1=2&a=2&a=1&a=1&a-b=1&a%20=3&b=~&b=%7B&B=z"),
        ),
        (
            "protocol_in_query",
            target(b"/oauth_a?a=oauth_b&oauth%5Fnonce=1"),
        ),
        (
            "protocol_in_form",
            Input {
                form: Some(b"%6f%61uth_\xff=1"),
                ..target(b"/?oauth")
            },
        ),
        (
            "tampering_with_case_of_escape",
            Input {
                tampered_at: 5,
                tampered_with: 0x20,
                ..target(b"/?a=%C3")
            },
        ),
        (
            "authority_ipv6",
            Input {
                https: false,
                port: 443,
                host: "2001:DB8::1",
                realm: RealmKind::Uri,
                target: b"/\"\\\xc3?a",
                ..Input::PLAIN
            },
        ),
        (
            "text_to_escape",
            Input {
                realm: RealmKind::Fixed,
                realm_text: "a \"b\" \\c%20\r\n\u{e9}",
                method: "m-search!",
                consumer_key: "k&=\" ",
                consumer_secret: "s&%\u{20ac}",
                token: Some("t+/="),
                token_secret: " &",
                nonce: "n\"\\,",
                timestamp: u64::MAX,
                extra: vec![
                    ("x y", "\u{1f511}"),
                    ("X Y", ""),
                    ("oauth_token", "dropped"),
                ],
                ..Input::PLAIN
            },
        ),
    ]
}

/// Texts longer than the buffers that they pass through.
fn sizes() -> Vec<(&'static str, Input<'static>)> {
    const UNRESERVED: &str = match str::from_utf8(&[b'a'; 700]) {
        Ok(text) => text,
        Err(_) => "",
    };
    const RESERVED: [u8; 260] = [b'+'; 260];
    const PAIRS: &[u8] = b"a&b=1&c&d=2&e&f=3&g&h=4&i&j=5&k&l=6&m&n=7&o&p=8&q&r=9&s&t=0";
    vec![
        (
            "long_path",
            Input {
                realm: RealmKind::Uri,
                target: UNRESERVED.as_bytes(),
                ..Input::PLAIN
            },
        ),
        (
            "long_form",
            Input {
                method: "POST",
                form: Some(&RESERVED),
                literal_plus: true,
                ..Input::PLAIN
            },
        ),
        (
            "many_pairs",
            Input {
                target: b"/?z=1&y=2&x=3&w=4&v=5&u=6&t=7&s=8&r=9",
                form: Some(PAIRS),
                shuffle: 123_456_789,
                ..Input::PLAIN
            },
        ),
        (
            "long_names",
            Input {
                // Each plus takes five bytes in a base string. The longer name has to come last.
                target: b"/?++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++=&++++++++++++++++++++++++++++++=",
                extra: vec![(&UNRESERVED[..300], ""), (&UNRESERVED[..100], "")],
                ..Input::PLAIN
            },
        ),
        (
            "long_secret",
            Input {
                consumer_secret: "A secret of more than 128 bytes has to be hashed before it becomes the key of an HMAC, \
                    whose blocks are 64 or 128 bytes long by hash.",
                ..Input::PLAIN
            },
        ),
    ]
}
