//! What a signature costs: a fresh nonce and the finished `Authorization` value, made of the bytes of a request. Beside
//! it the crate `oauth1-request`, made to do the same, and what no signature can do without, the HMAC-SHA1 of its base
//! string with a key prepared before.
//!
//! That crate takes no request, but parameters that are parsed, encoded and in order. One column has it start from
//! the request's bytes like ours, another one from parameters prepared before, which it is not timed for.
//!
//! `cargo bench --bench signing` lets criterion time them one after the other. Then it prints a table of the least of
//! many short rounds in which they take turns, so that other load on the machine counts as little as it can.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark has no users, prints its figures, and stops at what it did not expect"
)]

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use criterion::{Criterion, Throughput};
use hmac::{Hmac, KeyInit, Mac};
use oauth1_request as other;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha1::Sha1;
use undersign::oauth::{BaseUri, Credentials, Nonce, RequestToSign, Signer, SigningOptions, Stamp};

const CONSUMER_KEY: &str = "ug7nnV3aq4VwGQQzyiFRDSGwa7QZY0YE";
const CONSUMER_SECRET: &str = "kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBwJx0SgVh2dM9cYtLq6RbXe";
const TIMESTAMP: u64 = 1_763_900_000;
const HOST: &str = "a.isv1.apsdemo.org";

const APS_TARGET: &str = "/aps/2/resources?implementing(http://aps-standard.org/types/core/resource/1.0),like(name,*abc*),sort(+name),limit(0,10)";

/// What percent-encoding leaves as it is, beside letters and digits (RFC 5849 §3.6).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

fn main() {
    let form = fields(20);
    let query = format!("/aps/2/resources?{}", fields(1_000));
    let cases = [
        Case::new("APS GET", "GET", APS_TARGET, None),
        Case::new("form of 20 fields", "POST", "/aps/2/orders", Some(&form)),
        Case::new("1,000 parameters", "GET", &query, None),
    ];
    for case in &cases {
        case.assert_that_all_sign_alike();
    }
    let mut criterion = Criterion::default()
        .without_plots()
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3))
        .configure_from_args();
    for case in &cases {
        case.run(&mut criterion);
    }
    criterion.final_summary();
    print_table(&cases);
}

/// A request, and all that is needed to sign it in each of the three ways.
struct Case<'a> {
    name: &'a str,
    request: RequestToSign<'a>,
    signer: Signer,
    /// The URI as the other crate wants it, without the query.
    uri: String,
    /// The query or the form.
    encoded: &'a str,
    /// The same as the other crate wants it.
    parameters: ParameterList,
    builder: other::Builder<'static, other::HmacSha1, &'static str>,
    key: Hmac<Sha1>,
    base_string: String,
}

impl<'a> Case<'a> {
    fn new(name: &'a str, method: &'a str, target: &'a str, form: Option<&'a str>) -> Self {
        let credentials = Credentials {
            consumer_key: CONSUMER_KEY.to_owned(),
            consumer_secret: CONSUMER_SECRET.into(),
            token: None,
            token_secret: "".into(),
        };
        let origin = BaseUri::new(true, HOST, 443);
        let signer = Signer::new(&credentials, &SigningOptions::default(), origin);
        let request = RequestToSign {
            method,
            target: target.as_bytes(),
            form: form.map(str::as_bytes),
        };
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let encoded = form.unwrap_or(query);
        let client = other::Credentials::new(CONSUMER_KEY, CONSUMER_SECRET);
        let mut builder = other::Builder::new(client, other::HMAC_SHA1);
        builder
            .timestamp(std::num::NonZeroU64::new(TIMESTAMP))
            .version(true);
        Self {
            name,
            request,
            base_string: signer.signature_base_string(&request, stamp(fresh_nonce())),
            signer,
            uri: format!("https://{HOST}{path}"),
            parameters: parse(encoded),
            encoded,
            builder,
            key: Hmac::new_from_slice(format!("{CONSUMER_SECRET}&").as_bytes()).unwrap(),
        }
    }

    fn ours(&self) -> Vec<u8> {
        let nonce = fresh_nonce();
        self.signer.sign(black_box(&self.request), stamp(nonce))
    }

    fn others(&self) -> String {
        self.authorize(&parse(black_box(self.encoded)))
    }

    fn others_with_prepared_parameters(&self) -> String {
        self.authorize(&self.parameters)
    }

    /// It makes a nonce of its own.
    fn authorize(&self, parameters: &ParameterList) -> String {
        let uri = black_box(self.uri.as_str());
        self.builder.authorize(self.request.method, uri, parameters)
    }

    fn bare_hmac(&self) -> [u8; 20] {
        let mut mac = self.key.clone();
        mac.update(black_box(self.base_string.as_bytes()));
        mac.finalize().into_bytes().into()
    }

    fn assert_that_all_sign_alike(&self) {
        let nonce = "5e4f0d8a0c1b4b7f9d3e2a6c8b1d07";
        let ours = self.signer.sign(&self.request, stamp(nonce.into()));
        let mut builder = self.builder.clone();
        builder.nonce(nonce);
        let others = builder.authorize(self.request.method, self.uri.as_str(), &self.parameters);
        let signature = |value: &str| value.split_once("oauth_signature=").unwrap().1.to_owned();
        assert_eq!(
            signature(&String::from_utf8(ours).unwrap()),
            signature(&others),
            "{}",
            self.name
        );
    }

    fn run(&self, criterion: &mut Criterion) {
        let mut group = criterion.benchmark_group(self.name);
        group.throughput(Throughput::Elements(1));
        group.bench_function("undersign", |bencher| bencher.iter(|| self.ours()));
        group.bench_function("oauth1-request", |bencher| bencher.iter(|| self.others()));
        group.bench_function("oauth1-request, prepared", |bencher| {
            bencher.iter(|| self.others_with_prepared_parameters());
        });
        group.bench_function("bare HMAC-SHA1", |bencher| {
            bencher.iter(|| self.bare_hmac());
        });
        group.finish();
    }
}

fn fresh_nonce() -> Nonce<'static> {
    Nonce::from_bits(rand::random())
}

fn stamp(nonce: Nonce<'_>) -> Stamp<'_> {
    Stamp {
        timestamp: TIMESTAMP,
        nonce,
        extra: &[],
    }
}

/// Fields in no order.
fn fields(count: usize) -> String {
    let numbers = (0..count).map(|index| index * 7919 % count);
    let fields = numbers.map(|n| format!("field{n}.name=Item+{n}%2C+caf%C3%A9+*"));
    fields.collect::<Vec<_>>().join("&")
}

type ParameterList = other::ParameterList<String, String>;

/// The parameters of a query or a form. The other crate encodes values itself, but wants names as they stand in a base
/// string, that is encoded twice.
fn parse(encoded: &str) -> ParameterList {
    let encode = |text: &str| utf8_percent_encode(text, ENCODED).to_string();
    let pairs = form_urlencoded::parse(encoded.as_bytes())
        .map(|(name, value)| (encode(&encode(&name)), value.into_owned()));
    ParameterList::new(pairs.collect::<Vec<_>>())
}

/// Prints, for each case, the costs side by side.
fn print_table(cases: &[Case<'_>]) {
    println!(
        "| case | undersign | bare HMAC-SHA1 | ratio | oauth1-request | ratio | oauth1-request, prepared | ratio | allocations |"
    );
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    for case in cases {
        let rounds: Vec<Round> = (0..ROUNDS).map(|_| Round::time(case)).collect();
        let least = |figure: fn(&Round) -> f64| rounds.iter().map(figure).fold(f64::MAX, f64::min);
        let ours = least(|round| round.ours);
        let bare = least(|round| round.bare);
        let others = least(|round| round.others);
        let prepared = least(|round| round.prepared);
        let allocations = allocation_counter::measure(|| drop(case.ours())).count_total;
        println!(
            "| {} | {ours:.0} ns | {bare:.0} ns | {:.2} | {others:.0} ns | {:.2} | {prepared:.0} ns | {:.2} | {allocations} |",
            case.name,
            ours / bare,
            others / ours,
            prepared / ours,
        );
    }
    println!("The first ratio is ours to the bare HMAC, the others are oauth1-request's to ours.");
}

const ROUNDS: usize = 301;

/// Nanoseconds per call, each measured for about a millisecond, one right after the other.
struct Round {
    ours: f64,
    others: f64,
    prepared: f64,
    bare: f64,
}

impl Round {
    fn time(case: &Case<'_>) -> Self {
        Self {
            ours: time(|| case.ours()),
            others: time(|| case.others()),
            prepared: time(|| case.others_with_prepared_parameters()),
            bare: time(|| case.bare_hmac()),
        }
    }
}

fn time<T>(call: impl Fn() -> T) -> f64 {
    let started = Instant::now();
    let mut calls = 0;
    while started.elapsed() < Duration::from_millis(1) {
        for _ in 0..32 {
            black_box(call());
        }
        calls += 32;
    }
    started.elapsed().as_nanos() as f64 / f64::from(calls)
}
