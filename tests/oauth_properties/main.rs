//! Properties of the OAuth core that hold for every request, looked at from outside.

#![expect(
    clippy::unwrap_used,
    reason = "clippy allows it in functions marked as tests alone"
)]

mod case;
mod parameters;

use proptest::{collection::vec, option, prelude::*};
use undersign::oauth::{
    Authorization, Finding, Mismatch, Realm, RequestToSign, break_down, diagnose,
};

use case::case;
use parameters::{Parameter, as_they_are, bytes, decoded, form, parameters, target};

proptest! {
    #[test]
    fn the_base_string_decodes_to_exactly_the_parameters_sent(
        case in case(),
        in_query in parameters(),
        in_form in parameters(),
    ) {
        let target = target(&in_query, case.options.query_plus);
        let sent = [decoded(&in_query), decoded(&in_form), case.protocol_parameters()].concat();
        check_decodes(&case.base_string(&request(&target, Some(&form(&in_form)))), sent)?;
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
        let [sent, shuffled] = [sent, shuffled].map(|query| target(&query, case.options.query_plus));
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
            case.sign(&request(&target(&sent, case.options.query_plus), None)),
            case.sign(&request(b"/p", Some(&form(&sent))))
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
        let (mut a, mut b) = (decoded(&sent), decoded(&other));
        a.sort();
        b.sort();
        prop_assume!(a != b);
        let [sent, other] = [sent, other].map(|query| target(&query, case.options.query_plus));
        let authorization = Authorization::parse(&case.sign(&request(&sent, None))).unwrap();
        let changed = request(&other, None);
        prop_assume!(changed.protocol_parameter().is_none());
        let base_string = case.base_string(&changed);
        prop_assert_eq!(
            case.verifier().verify(&changed, &authorization),
            Err(Mismatch::Signature { base_string })
        );
    }

    #[test]
    fn a_header_that_is_read_leniently_means_what_it_says(
        case in case(),
        (written, slipped) in proptest::sample::select(SLIPS.to_vec()),
        has_comma_at_end in any::<bool>(),
    ) {
        let value = String::from_utf8(case.sign(&request(b"/p?q", None))).unwrap();
        let read = Authorization::parse(value.as_bytes()).unwrap();
        // In a realm each of them could be meant. Behind it all values are percent-encoded.
        let (before, parameters) = value.split_at(value.rfind("oauth_consumer_key=\"").unwrap());
        let comma = if has_comma_at_end { "," } else { "" };
        let careless = [before, &parameters.replace(written, slipped), comma].concat();
        let (lenient, slips) = Authorization::parse_leniently(careless.as_bytes()).unwrap();
        prop_assert_eq!(lenient, read);
        prop_assert_eq!(slips.is_empty(), careless == value);
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

/// How something in a header is written, and how clients miswrite it although what they mean is clear.
const SLIPS: [(&str, &str); 11] = [
    (", ", ",, "),
    (", ", "; "),
    (", ", " "),
    (", ", ",\r\n "),
    ("=", " ="),
    ("=", "= "),
    ("\"", "'"),
    ("\"", ""),
    // Escapes of which most signatures have one.
    ("%3D", "="),
    ("%2B", "+"),
    ("%26", "&"),
];

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

fn request<'a>(target: &'a [u8], form: Option<&'a [u8]>) -> RequestToSign<'a> {
    RequestToSign {
        method: "GET",
        target,
        form,
    }
}

fn decode_pair(pair: &str) -> Parameter {
    let (name, value) = pair.split_once('=').unwrap();
    (decode(name), decode(value))
}

/// Decodes what is encoded as it must be (RFC 5849 §3.6).
fn decode(text: &str) -> Vec<u8> {
    let mut pieces = text.split('%');
    let mut decoded = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        let (digits, behind) = piece.split_at(2);
        assert_eq!(digits, digits.to_ascii_uppercase());
        decoded.push(u8::from_str_radix(digits, 16).unwrap());
        decoded.extend_from_slice(behind.as_bytes());
    }
    let is_unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte);
    assert!(text.bytes().all(is_unreserved), "{text}");
    decoded
}
