//! The published vectors, and what a header looks like.

use super::*;
use crate::oauth::{Authorization, Method, RsaHash, RsaKey};

/// A request and credentials; each vector states how it differs from [`Vector::DEFAULT`].
struct Vector {
    method: &'static str,
    /// Whether it is https, host and port.
    origin: (bool, &'static str, u16),
    target: &'static str,
    form: Option<&'static str>,
    consumer: (&'static str, &'static str),
    token: Option<(&'static str, &'static str)>,
    timestamp: u64,
    nonce: &'static str,
    extra: &'static [(&'static str, &'static str)],
    version: bool,
}

impl Vector {
    /// RFC 5849 §1.2, the third request.
    const DEFAULT: Self = Self {
        method: "GET",
        origin: (false, "photos.example.net", 80),
        target: "/photos?file=vacation.jpg&size=original",
        form: None,
        consumer: ("dpf43f3p2l4k3l03", "kd94hf93k423kf44"),
        token: Some(("nnch734d00sl2jdk", "pfkkdhi9sl3r4s00")),
        timestamp: 137_131_202,
        nonce: "chapoH",
        extra: &[],
        version: false,
    };

    fn signer(&self, options: &SigningOptions) -> Signer {
        let credentials = Credentials {
            consumer_key: self.consumer.0.to_owned(),
            consumer_secret: self.consumer.1.into(),
            token: self.token.map(|(token, _)| token.to_owned()),
            token_secret: self
                .token
                .map(|(_, secret)| secret)
                .unwrap_or_default()
                .into(),
        };
        let (https, host, port) = self.origin;
        let signer = Signer::new(&credentials, options, BaseUri::new(https, host, port));
        if self.version {
            signer
        } else {
            signer.without_version()
        }
    }

    fn request(&self) -> RequestToSign<'static> {
        RequestToSign {
            method: self.method,
            target: self.target.as_bytes(),
            form: self.form.map(str::as_bytes),
        }
    }

    fn stamp(&self) -> Stamp<'static> {
        Stamp {
            timestamp: self.timestamp,
            nonce: self.nonce.into(),
            extra: self.extra,
        }
    }

    fn header(&self, options: &SigningOptions) -> String {
        let value = self.signer(options).sign(&self.request(), self.stamp());
        String::from_utf8(value).unwrap()
    }

    fn base_string(&self) -> String {
        self.signer(&SigningOptions::default())
            .signature_base_string(&self.request(), self.stamp())
    }
}

#[test]
fn the_published_signatures_come_out() {
    let check = |vector: Vector, expected: &str| {
        let header = vector.header(&SigningOptions::default());
        let authorization = Authorization::parse(header.as_bytes()).unwrap();
        assert_eq!(
            authorization.signature,
            expected,
            "{}",
            vector.base_string()
        );
    };
    // RFC 5849 §1.2, all three requests.
    check(
        Vector {
            method: "POST",
            origin: (true, "photos.example.net", 443),
            target: "/initiate",
            token: None,
            timestamp: 137_131_200,
            nonce: "wIjqoS",
            extra: &[("oauth_callback", "http://printer.example.com/ready")],
            ..Vector::DEFAULT
        },
        "74KNZJeDHnMBp0EMJ9ZHt/XKycU=",
    );
    check(
        Vector {
            method: "POST",
            origin: (true, "photos.example.net", 443),
            target: "/token",
            token: Some(("hh5s93j4hdidpola", "hdhd0244k9j7ao03")),
            timestamp: 137_131_201,
            nonce: "walatlh",
            extra: &[("oauth_verifier", "hfdp7dh39dks9884")],
            ..Vector::DEFAULT
        },
        "gKgrFCywp7rO0OXSjdot/IHF7IU=",
    );
    check(Vector::DEFAULT, "MdpQcU8iPSUjWoN/UDMsK2sui9I=");
    // RFC 5849 §3.4.1.1; the signature printed there belongs to other secrets.
    check(RFC_BASE_STRING, "r6/TJjbCOr97/+UU0NsvSne7s5g=");
    // OAuth Core 1.0, appendix A.5.
    check(
        Vector {
            timestamp: 1_191_242_096,
            nonce: "kllo9940pd9333jh",
            version: true,
            ..Vector::DEFAULT
        },
        "tR3+Ty81lMeYAr/Fid0kMTYa/WM=",
    );
    // X's documentation, "Creating a signature".
    check(
        Vector {
            method: "POST",
            origin: (true, "api.twitter.com", 443),
            target: "/1.1/statuses/update.json?include_entities=true",
            form: Some(
                "status=Hello%20Ladies%20%2B%20Gentlemen%2C%20a%20signed%20OAuth%20request%21",
            ),
            consumer: (
                "xvz1evFS4wEEPTGEFPHBog",
                "kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw",
            ),
            token: Some((
                "370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb",
                "LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE",
            )),
            timestamp: 1_318_622_958,
            nonce: "kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg",
            version: true,
            ..Vector::DEFAULT
        },
        "hCtSmYh+iHYCEqBWrE7C7hYmtUk=",
    );
}

#[test]
fn the_rsa_signature_of_the_oauth_wiki_comes_out() {
    let vector = Vector {
        target: "/photos?file=vacaction.jpg&size=original",
        token: None,
        timestamp: 1_196_666_512,
        nonce: "13917289812797014437",
        version: true,
        ..Vector::DEFAULT
    };
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{WIKI_KEY}\n-----END PRIVATE KEY-----\n");
    let options = SigningOptions {
        method: Method::Rsa(RsaKey::from_pem(RsaHash::Sha1, pem.as_bytes()).unwrap()),
        ..SigningOptions::default()
    };
    assert_eq!(
        vector
            .signer(&options)
            .signature_base_string(&vector.request(), vector.stamp()),
        "GET&http%3A%2F%2Fphotos.example.net%2Fphotos&file%3Dvacaction.jpg%26oauth_consumer_key%3Ddpf43f3p2l4k3l03\
         %26oauth_nonce%3D13917289812797014437%26oauth_signature_method%3DRSA-SHA1%26oauth_timestamp%3D1196666512\
         %26oauth_version%3D1.0%26size%3Doriginal"
    );
    let header = vector.header(&options);
    let authorization = Authorization::parse(header.as_bytes()).unwrap();
    assert_eq!(
        authorization.signature,
        "jvTp/wX1TYtByB1m+Pbyo0lnCOLIsyGCH7wke8AUs3BpnwZJtAuEJkvQL2/9n4s5wUmUl4aCI4BwpraNx4RtEXMe\
         5qg5T1LVTGliMRpKasKsW//e+RinhejgCuzoH26dyF8iY2ZZ/5D1ilgeijhV/vBka5twt399mXwaYdCwFYE="
    );
}

/// The private key that the wiki's test cases publish, in base64 as there (PKCS#8). Nothing is kept secret with it.
const WIKI_KEY: &str = "\
MIICdgIBADANBgkqhkiG9w0BAQEFAASCAmAwggJcAgEAAoGBALRiMLAh9iimur8V
A7qVvdqxevEuUkW4K+2KdMXmnQbG9Aa7k7eBjK1S+0LYmVjPKlJGNXHDGuy5Fw/d
7rjVJ0BLB+ubPK8iA/Tw3hLQgXMRRGRXXCn8ikfuQfjUS1uZSatdLB81mydBETlJ
hI6GH4twrbDJCR2Bwy/XWXgqgGRzAgMBAAECgYBYWVtleUzavkbrPjy0T5FMou8H
X9u2AC2ry8vD/l7cqedtwMPp9k7TubgNFo+NGvKsl2ynyprOZR1xjQ7WgrgVB+mm
uScOM/5HVceFuGRDhYTCObE+y1kxRloNYXnx3ei1zbeYLPCHdhxRYW7T0qcynNmw
rn05/KO2RLjgQNalsQJBANeA3Q4Nugqy4QBUCEC09SqylT2K9FrrItqL2QKc9v0Z
zO2uwllCbg0dwpVuYPYXYvikNHHg+aCWF+VXsb9rpPsCQQDWR9TT4ORdzoj+Nccn
qkMsDmzt0EfNaAOwHOmVJ2RVBspPcxt5iN4HI7HNeG6U5YsFBb+/GZbgfBT3kpNG
WPTpAkBI+gFhjfJvRw38n3g/+UeAkwMI2TJQS4n8+hid0uus3/zOjDySH3XHCUno
cn1xOJAyZODBo47E+67R4jV1/gzbAkEAklJaspRPXP877NssM5nAZMU0/O/NGCZ+
3jPgDUno6WbJn5cqm8MqWhW1xGkImgRk+fkDBquiq4gPiT898jusgQJAd5Zrr6Q8
AO/0isr/3aa6O6NLQxISLKcPDk2NOccAfS/xOtfOz4sJYM3+Bs4Io9+dZGSDCA54
Lw03eHTNQghS0A==";

const RFC_BASE_STRING: Vector = Vector {
    method: "POST",
    origin: (false, "EXAMPLE.COM", 80),
    target: "/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b",
    form: Some("c2&a3=2+q"),
    consumer: ("9djdj82h48djs9d2", "j49sk3j29djd"),
    token: Some(("kkk9d7dh3k39sjv7", "dh893hdasih9")),
    timestamp: 137_131_201,
    nonce: "7d8f3e4a",
    extra: &[],
    version: false,
};

#[test]
fn the_base_string_of_the_rfc_comes_out() {
    assert_eq!(
        RFC_BASE_STRING.base_string(),
        "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q\
         %26a3%3Da%26b5%3D%253D%25253D%26c%2540%3D%26c2%3D%26oauth_consumer_\
         key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26oauth_signature_m\
         ethod%3DHMAC-SHA1%26oauth_timestamp%3D137131201%26oauth_token%3Dkkk\
         9d7dh3k39sjv7"
    );
}

#[test]
fn the_header_holds_each_parameter_once_and_encoded() {
    assert_eq!(
        Vector::DEFAULT.header(&SigningOptions::default()),
        "OAuth oauth_consumer_key=\"dpf43f3p2l4k3l03\", oauth_token=\"nnch734d00sl2jdk\", \
         oauth_signature_method=\"HMAC-SHA1\", oauth_timestamp=\"137131202\", oauth_nonce=\"chapoH\", \
         oauth_signature=\"MdpQcU8iPSUjWoN%2FUDMsK2sui9I%3D\""
    );
}

#[test]
fn an_absent_token_is_left_out_and_an_empty_one_is_sent_empty() {
    let options = SigningOptions::default();
    let without = Vector {
        token: None,
        ..Vector::DEFAULT
    };
    let empty = Vector {
        token: Some(("", "")),
        ..Vector::DEFAULT
    };
    assert!(!without.header(&options).contains("oauth_token"));
    assert!(!without.base_string().contains("oauth_token"));
    assert!(empty.header(&options).contains(", oauth_token=\"\", "));
    assert!(
        empty
            .base_string()
            .ends_with("%26oauth_token%3D%26size%3Doriginal")
    );
}

#[test]
fn a_realm_comes_first_and_is_not_signed() {
    let plain = Vector::DEFAULT.header(&SigningOptions::default());
    let check = |realm, expected: &str| {
        let options = SigningOptions {
            realm,
            ..SigningOptions::default()
        };
        let header = Vector::DEFAULT.header(&options);
        assert_eq!(
            header,
            plain.replace("OAuth ", &format!("OAuth realm=\"{expected}\", "))
        );
    };
    check(Realm::Fixed("123_SB1".to_owned()), "123_SB1");
    check(Realm::Fixed(String::new()), "");
    check(Realm::Uri, "http://photos.example.net/photos");
}

#[test]
fn the_signature_method_names_itself_and_decides_the_signature() {
    let check = |method: Method, expected: &str| {
        let name = method.signature_method().name();
        let options = SigningOptions {
            method,
            ..SigningOptions::default()
        };
        let header = Vector::DEFAULT.header(&options);
        let authorization = Authorization::parse(header.as_bytes()).unwrap();
        assert_eq!(authorization.signature_method, name);
        assert_eq!(authorization.signature, expected);
    };
    // Computed with Python's oauthlib.
    check(
        Method::HmacSha256,
        "HtMwoX2zenlFjgGg/SNEoKEQmL7CzxYFEKzs7er044Y=",
    );
    check(
        Method::HmacSha512,
        "GnPni/I//SEqvsTDz9Hl/oqxAlzMUgeQVrspr+N1EWltelChqWWuhrgewHZy90k8K2weeJkkURa/W10NRXY7uQ==",
    );
    check(Method::Plaintext, "kd94hf93k423kf44&pfkkdhi9sl3r4s00");
}

#[test]
fn a_plus_in_a_query_is_read_as_the_server_does() {
    let vector = Vector {
        target: "/?sort(+name)",
        ..Vector::DEFAULT
    };
    let base_string = |query_plus| {
        let options = SigningOptions {
            query_plus,
            ..SigningOptions::default()
        };
        vector
            .signer(&options)
            .signature_base_string(&vector.request(), vector.stamp())
    };
    assert!(base_string(QueryPlus::Space).contains("sort%2528%2520name%2529"));
    assert!(base_string(QueryPlus::Literal).contains("sort%2528%252Bname%2529"));
}

#[test]
fn the_value_takes_a_kilobyte_where_that_is_enough() {
    let value = RFC_BASE_STRING
        .signer(&SigningOptions::default())
        .sign(&RFC_BASE_STRING.request(), RFC_BASE_STRING.stamp());
    assert_eq!(value.capacity(), 1024);
}

#[test]
fn debug_output_holds_no_secret() {
    let output = format!("{:?}", Vector::DEFAULT.signer(&SigningOptions::default()));
    assert!(!output.contains("kd94hf93k423kf44") && !output.contains("pfkkdhi9sl3r4s00"));
}
