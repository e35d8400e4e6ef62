//! Properties of the OAuth core that hold for every request, looked at from outside.

#![expect(
    clippy::unwrap_used,
    reason = "clippy allows it in functions marked as tests alone"
)]

use proptest::{collection::vec, option, prelude::*};
use undersign::oauth::{
    Authorization, BaseUri, Credentials, Finding, Method, Mismatch, Nonce, QueryPlus, Realm,
    RequestToSign, Sent, Signer, SigningOptions, Stamp, Verifier, break_down, diagnose,
};

/// A decoded parameter.
type Parameter = (Vec<u8>, Vec<u8>);

proptest! {
    #[test]
    fn the_base_string_decodes_to_exactly_the_parameters_sent(
        case in case(),
        query in parameters(),
        form in parameters(),
    ) {
        let (target, body) = (target(&query), encode_form(&form));
        let sent = [query, form, case.protocol_parameters()].concat();
        check_decodes(&case.base_string(&request(&target, Some(&body))), sent)?;
    }

    #[test]
    fn parameters_of_any_length_take_part_in_the_base_string(
        case in case(),
        // As long as all the memory that there is at first, and longer, and each of them five times as long once it is
        // encoded.
        lengths in vec(0_usize..9_000, 1..4),
        byte in proptest::sample::select(b"a(%~".to_vec()),
    ) {
        let long = |length| (vec![b'n'], vec![byte; length]);
        let query: Vec<Parameter> = lengths.into_iter().map(long).collect();
        let target = [b"/p?", as_they_are(&query).as_slice()].concat();
        let sent = [query, case.protocol_parameters()].concat();
        check_decodes(&case.base_string(&request(&target, None)), sent)?;
    }
    #[test]
    fn the_order_of_the_parameters_does_not_matter(
        case in case(),
        (sent, shuffled) in parameters().prop_flat_map(|sent| (Just(sent.clone()), Just(sent).prop_shuffle())),
    ) {
        let (sent, shuffled) = (target(&sent), target(&shuffled));
        prop_assert_eq!(
            case.sign(&request(&sent, None)),
            case.sign(&request(&shuffled, None))
        );
    }

    #[test]
    fn it_does_not_matter_whether_a_parameter_is_in_the_query_or_the_form(
        case in case(),
        sent in parameters(),
    ) {
        prop_assert_eq!(
            case.sign(&request(&target(&sent), None)),
            case.sign(&request(b"/p", Some(&encode_form(&sent))))
        );
    }

    #[test]
    fn signing_is_determined_by_its_inputs(case in case(), target in bytes(), form in bytes()) {
        let request = request(&target, Some(&form));
        prop_assert_eq!(case.sign(&request), case.clone().sign(&request));
    }

    #[test]
    fn a_header_is_read_as_it_was_written(case in case()) {
        let value = case.sign(&request(b"/p?q", None));
        let read = Authorization::parse(&value).unwrap();
        prop_assert!(value.iter().all(|byte| matches!(byte, b' '..=b'~')));
        prop_assert_eq!(&read.consumer_key, &case.credentials.consumer_key);
        prop_assert_eq!(&read.token, &case.credentials.token);
        prop_assert_eq!(&read.signature_method, case.name());
        prop_assert_eq!(read.stamp, Some((case.timestamp, case.nonce.text())));
        match &case.options.realm {
            Realm::None => prop_assert_eq!(read.realm, None),
            Realm::Fixed(realm) => prop_assert_eq!(read.realm.as_ref(), Some(realm)),
            Realm::Uri => prop_assert_eq!(read.realm.as_deref(), Some("https://example.com/p")),
        }
    }

    #[test]
    fn what_is_signed_is_verified(case in case(), target in bytes(), form in option::of(bytes())) {
        let request = request(&target, form.as_deref());
        prop_assume!(request.protocol_parameter().is_none());
        let authorization = Authorization::parse(&case.sign(&request)).unwrap();
        prop_assert_eq!(case.verifier().verify(&request, &authorization), Ok(()));
    }

    #[test]
    fn what_is_signed_is_diagnosed_as_right_and_taken_apart_into_the_same_base_string(
        case in case(),
        target in bytes(),
        form in option::of(bytes()),
    ) {
        let request = request(&target, form.as_deref());
        prop_assume!(request.protocol_parameter().is_none());
        let authorization = Authorization::parse(&case.sign(&request)).unwrap();
        let sent = case.sent(request);
        let diagnosis = diagnose(&case.credentials, &case.options, &sent, &authorization);
        prop_assert_eq!(diagnosis.finding, Finding::Right);
        let base_string = break_down(&sent, &authorization).base_string;
        prop_assert_eq!(base_string, case.base_string(&request));
    }

    #[test]
    fn a_request_that_was_changed_is_not_verified(case in case(), sent in parameters(), other in parameters()) {
        prop_assume!(case.name() != "PLAINTEXT");
        let (mut a, mut b) = (sent.clone(), other.clone());
        a.sort();
        b.sort();
        prop_assume!(a != b);
        let authorization = Authorization::parse(&case.sign(&request(&target(&sent), None))).unwrap();
        let other = target(&other);
        let changed = request(&other, None);
        prop_assume!(changed.protocol_parameter().is_none());
        let base_string = case.base_string(&changed);
        prop_assert_eq!(
            case.verifier().verify(&changed, &authorization),
            Err(Mismatch::Signature { base_string })
        );
    }

    #[test]
    fn a_header_that_is_read_leniently_means_what_it_says(case in case()) {
        let value = case.sign(&request(b"/p?q", None));
        let read = Authorization::parse(&value).unwrap();
        let careless = String::from_utf8(value).unwrap().replace(", ", " ,");
        let (lenient, _) = Authorization::parse_leniently(careless.as_bytes()).unwrap();
        prop_assert_eq!(lenient.signature, read.signature);
    }

    #[test]
    fn no_header_makes_the_parser_panic(value in bytes(), tail in "[a-z=\"\\\\, %0-9]*") {
        let careless = format!("OAuth {tail}");
        let _ = Authorization::parse(&value);
        let _ = Authorization::parse(careless.as_bytes());
        for value in [&value, careless.as_bytes()] {
            if let Err(fault) = Authorization::parse_leniently(value) {
                prop_assert!(fault.at <= value.len());
            }
            let _ = Authorization::take_from(value);
        }
    }
}

/// The base string holds exactly these parameters.
fn check_decodes(base_string: &str, mut sent: Vec<Parameter>) -> Result<(), TestCaseError> {
    let parts: Vec<&str> = base_string.split('&').collect();
    prop_assert_eq!(parts.len(), 3);
    prop_assert_eq!(parts[0], "GET");
    prop_assert_eq!(decode(parts[1]), b"https://example.com/p".to_vec());
    let normalised = String::from_utf8(decode(parts[2])).unwrap();
    let mut decoded: Vec<Parameter> = normalised.split('&').map(decode_pair).collect();
    decoded.sort();
    sent.sort();
    prop_assert_eq!(decoded, sent);
    Ok(())
}

const BODY_HASH: (&str, &str) = ("oauth_body_hash", "2jmj7l5rSw0yVb/vlWAYkK/YBwk=");

/// All that is given when a signer exists and a request arrives, but the request.
#[derive(Clone, Debug)]
struct Case {
    credentials: Credentials,
    options: SigningOptions,
    timestamp: u64,
    nonce: NonceOf,
    has_body_hash: bool,
}

/// What a nonce is made of.
#[derive(Clone, Debug)]
enum NonceOf {
    Bits(u128),
    Text(String),
}

impl NonceOf {
    fn text(&self) -> String {
        match self {
            Self::Bits(bits) => format!("{:030x}", bits & (u128::MAX >> 8)),
            Self::Text(text) => text.clone(),
        }
    }
}

impl Case {
    /// `oauth_signature_method`.
    fn name(&self) -> &'static str {
        self.options.method.signature_method().name()
    }

    fn stamp(&self) -> Stamp<'_> {
        Stamp {
            timestamp: self.timestamp,
            nonce: match &self.nonce {
                NonceOf::Bits(bits) => Nonce::from_bits(*bits),
                NonceOf::Text(text) => text.as_str().into(),
            },
            extra: if self.has_body_hash {
                &[BODY_HASH]
            } else {
                &[]
            },
        }
    }

    fn signer(&self) -> Signer {
        Signer::new(&self.credentials, &self.options, origin())
    }

    fn verifier(&self) -> Verifier {
        Verifier::new(&self.credentials, &self.options, origin())
    }

    fn sent<'a>(&self, request: RequestToSign<'a>) -> Sent<'a> {
        Sent {
            request,
            https: true,
            host: "Example.com",
            port: Some(443),
            body: None,
            query_plus: self.options.query_plus,
            elsewhere: &[],
        }
    }

    fn sign(&self, request: &RequestToSign<'_>) -> Vec<u8> {
        self.signer().sign(request, self.stamp())
    }

    fn base_string(&self, request: &RequestToSign<'_>) -> String {
        self.signer().signature_base_string(request, self.stamp())
    }

    fn protocol_parameters(&self) -> Vec<Parameter> {
        let token = self.credentials.token.as_deref();
        let (timestamp, nonce) = (self.timestamp.to_string(), self.nonce.text());
        [
            self.has_body_hash.then_some(BODY_HASH),
            Some(("oauth_consumer_key", self.credentials.consumer_key.as_str())),
            Some(("oauth_nonce", nonce.as_str())),
            Some(("oauth_signature_method", self.name())),
            Some(("oauth_timestamp", timestamp.as_str())),
            token.map(|token| ("oauth_token", token)),
            Some(("oauth_version", "1.0")),
        ]
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.into(), value.into()))
        .collect()
    }
}

fn case() -> impl Strategy<Value = Case> {
    let credentials = (
        any::<String>(),
        any::<String>(),
        option::of(any::<String>()),
        any::<String>(),
    );
    let method = proptest::sample::select(vec![
        Method::HmacSha1,
        Method::HmacSha256,
        Method::HmacSha512,
        Method::Plaintext,
    ]);
    let realm = prop_oneof![
        Just(Realm::None),
        // What else there may be in a realm is escaped, and does not come back.
        "[ -~]*".prop_map(Realm::Fixed),
        Just(Realm::Uri),
    ];
    let plus = prop_oneof![Just(QueryPlus::Space), Just(QueryPlus::Literal)];
    (
        credentials,
        method,
        realm,
        plus,
        // Of ten digits, as they all are until 2286, and of any number.
        prop_oneof![1_000_000_000_u64..10_000_000_000, any::<u64>()],
        prop_oneof![
            any::<u128>().prop_map(NonceOf::Bits),
            any::<String>().prop_map(NonceOf::Text),
        ],
        any::<bool>(),
    )
        .prop_map(
            |(
                (consumer_key, consumer_secret, token, token_secret),
                method,
                realm,
                query_plus,
                timestamp,
                nonce,
                has_body_hash,
            )| Case {
                credentials: Credentials {
                    consumer_key,
                    consumer_secret: consumer_secret.into(),
                    token,
                    token_secret: token_secret.into(),
                },
                options: SigningOptions {
                    method,
                    realm,
                    query_plus,
                    body_hash: false,
                },
                timestamp,
                nonce,
                has_body_hash,
            },
        )
}

/// Any bytes, though those that mean something to the core more often than others.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let telling = proptest::sample::select(b"aZ09-._~%+&=?;/ ()*!'\"\\\xff".to_vec());
    vec(prop_oneof![telling, any::<u8>()], 0..40)
}

/// Names and values; the few different ones among them make duplicates likely.
fn parameters() -> impl Strategy<Value = Vec<Parameter>> {
    // Protocol names, too, and their neighbours: what is sorted between the header's own.
    let text = || {
        prop_oneof![
            4 => bytes(),
            4 => "[ab]?".prop_map(String::into_bytes),
            1 => "oauth(_|~|_[a-z]{0,2})".prop_map(String::into_bytes),
        ]
    };
    vec((text(), text()), 0..12)
}

fn origin() -> BaseUri {
    BaseUri::new(true, "example.com", 443)
}

fn request<'a>(target: &'a [u8], form: Option<&'a [u8]>) -> RequestToSign<'a> {
    RequestToSign {
        method: "GET",
        target,
        form,
    }
}

fn target(query: &[Parameter]) -> Vec<u8> {
    [b"/p?", encode_form(query).as_slice()].concat()
}

/// Escapes every byte, so that the property does not depend on the core's own idea of what to escape.
fn encode_form(parameters: &[Parameter]) -> Vec<u8> {
    let escape =
        |bytes: &[u8]| -> String { bytes.iter().map(|byte| format!("%{byte:02x}")).collect() };
    let pairs = parameters
        .iter()
        .map(|(name, value)| format!("{}={}", escape(name), escape(value)));
    pairs.collect::<Vec<_>>().join("&").into_bytes()
}

/// Parameters that need no escape to be read as they are.
fn as_they_are(parameters: &[Parameter]) -> Vec<u8> {
    let pairs = parameters
        .iter()
        .map(|(name, value)| [&name[..], b"=", &value[..]].concat());
    pairs.collect::<Vec<_>>().join(&b'&')
}

fn decode_pair(pair: &str) -> Parameter {
    let (name, value) = pair.split_once('=').unwrap();
    (decode(name), decode(value))
}

fn decode(text: &str) -> Vec<u8> {
    let mut pieces = text.split('%');
    let mut decoded = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        decoded.push(u8::from_str_radix(&piece[..2], 16).unwrap());
        decoded.extend_from_slice(&piece.as_bytes()[2..]);
    }
    decoded
}
