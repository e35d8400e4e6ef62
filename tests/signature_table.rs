//! Our signatures against a table of those that other implementations of OAuth 1.0a give.
//!
//! `tests/interop/signatures/make` makes the table, without asking us.

#![expect(
    clippy::unwrap_used,
    reason = "clippy allows it in functions marked as tests alone"
)]

use std::collections::BTreeSet;
use std::fmt::Write as _;

use toml::de::{DeTable, DeValue};
use undersign::oauth::{
    BaseUri, Credentials, Method, RequestToSign, SignatureMethod, Signer, SigningOptions, Stamp,
};

const TABLE: &str = include_str!("signatures.toml");

#[test]
fn every_base_string_and_signature_is_the_one_that_the_others_agree_on() {
    let mut wrong = String::new();
    for row in rows() {
        let (base_string, signature) = ours(&row);
        let expected = (row.text("base_string"), row.text("signature"));
        if (base_string.as_str(), signature.as_str()) != expected {
            write!(
                wrong,
                "\n{}\n  ours:   {signature} of {base_string}\n  theirs: {} of {}",
                row.text("id"),
                expected.1,
                expected.0,
            )
            .unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn the_table_has_at_least_150_requests_and_no_two_of_one_name() {
    let names: BTreeSet<String> = rows().iter().map(|row| row.text("id").into()).collect();
    assert_eq!(names.len(), rows().len());
    assert!(names.len() >= 150);
}

#[test]
fn every_request_is_agreed_on_by_an_implementation_and_all_of_them_by_four_or_more() {
    let mut voices = BTreeSet::new();
    for row in rows() {
        let agree = row.list("agree");
        assert!(!agree.is_empty(), "{}", row.text("id"));
        voices.extend(agree);
    }
    assert!(voices.len() >= 4, "{voices:?}");
}

#[test]
fn where_implementations_differ_the_table_says_what_decides() {
    for row in rows() {
        let differ = row.field("differ").is_some();
        assert_eq!(differ, !row.list("why").is_empty(), "{}", row.text("id"));
    }
}

/// A request of the table, with what is to come out.
struct Row {
    fields: DeTable<'static>,
    /// What holds for fields that the request does not name.
    plain: DeTable<'static>,
}

impl Row {
    fn field(&self, name: &str) -> Option<&DeValue<'static>> {
        let field = self.fields.get(name).or_else(|| self.plain.get(name));
        field.map(toml::Spanned::get_ref)
    }

    fn optional_text(&self, name: &str) -> Option<&str> {
        self.field(name).map(|value| value.as_str().unwrap())
    }

    fn text(&self, name: &str) -> &str {
        self.optional_text(name).unwrap()
    }

    fn list(&self, name: &str) -> Vec<String> {
        let items = self.field(name).and_then(DeValue::as_array);
        let items = items.into_iter().flat_map(|array| array.iter());
        items
            .map(|item| item.get_ref().as_str().unwrap().into())
            .collect()
    }
}

fn rows() -> Vec<Row> {
    let table = DeTable::parse(TABLE).unwrap().into_inner();
    let part = |name| table.get(name).unwrap().get_ref();
    let requests = part("requests").as_array().unwrap();
    let rows = requests.iter().map(|fields| Row {
        fields: fields.get_ref().as_table().unwrap().clone(),
        plain: part("plain").as_table().unwrap().clone(),
    });
    rows.collect()
}

/// The base string and the signature that we give for a request.
fn ours(row: &Row) -> (String, String) {
    let (origin, target) = split_url(row.text("url"));
    let request = RequestToSign {
        method: row.text("method"),
        target: target.as_bytes(),
        form: row.optional_text("form").map(str::as_bytes),
    };
    let extra = row.field("extra").unwrap().as_table().unwrap();
    let extra: Vec<(&str, &str)> = extra
        .iter()
        .map(|(name, value)| (name.get_ref().as_ref(), value.get_ref().as_str().unwrap()))
        .collect();
    let stamp = Stamp {
        timestamp: row.text("timestamp").parse().unwrap(),
        nonce: row.text("nonce").into(),
        extra: &extra,
    };
    let mut signer = Signer::new(&credentials(row), &options(row), origin);
    if row.field("version").and_then(DeValue::as_bool) == Some(false) {
        signer = signer.without_version();
    }
    let header = String::from_utf8(signer.sign(&request, stamp)).unwrap();
    let (_, signature) = header.split_once("oauth_signature=\"").unwrap();
    (
        signer.signature_base_string(&request, stamp),
        decode(signature.strip_suffix('"').unwrap()),
    )
}

fn credentials(row: &Row) -> Credentials {
    Credentials {
        consumer_key: row.text("consumer_key").into(),
        consumer_secret: row.text("consumer_secret").into(),
        token: row.optional_text("token").map(Into::into),
        token_secret: row.optional_text("token_secret").unwrap_or_default().into(),
    }
}

fn options(row: &Row) -> SigningOptions {
    let method = SignatureMethod::from_name(row.text("signature_method")).unwrap();
    SigningOptions {
        // None of the table's needs a key of its own.
        method: Method::try_from(method).unwrap(),
        ..SigningOptions::default()
    }
}

/// The origin and the target of a URL, the latter as a client sends it.
fn split_url(url: &str) -> (BaseUri, &str) {
    let (scheme, rest) = url.split_once("://").unwrap();
    let https = scheme.eq_ignore_ascii_case("https");
    let (authority, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port.parse().unwrap()),
        _ => (authority, if https { 443 } else { 80 }),
    };
    (BaseUri::new(https, host, port), target)
}

fn decode(text: &str) -> String {
    let mut pieces = text.split('%');
    let mut decoded = pieces.next().unwrap().as_bytes().to_vec();
    for piece in pieces {
        decoded.push(u8::from_str_radix(&piece[..2], 16).unwrap());
        decoded.extend_from_slice(&piece.as_bytes()[2..]);
    }
    String::from_utf8(decoded).unwrap()
}
