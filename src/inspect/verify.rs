//! `undersign verify`.

use std::fmt::Write as _;

use super::{
    Error, Report, VerifyWords,
    described::Described,
    fault::printable,
    header,
    received::{self, Place, Received},
};
use crate::{
    config::ProxyConfig,
    env::Environment,
    oauth::{
        Diagnosis, Difference, Divergence, Finding, Mistake, RequestToSign, Sent, SignatureMethod,
        break_down, compare_base_strings, diagnose, signs,
    },
};

/// What most platforms allow a timestamp to be off, in seconds.
const WINDOW: u64 = 300;

/// Who has made more is helped by the first ones.
const MAX_SLIPS: usize = 12;

/// Judges another client's signature. `now` is the time, in seconds since 1970.
///
/// # Errors
///
/// The words or the configuration are wrong, the header can't be understood, or a file can't be read.
pub fn verify(words: &VerifyWords, environment: &Environment, now: u64) -> Result<Report, Error> {
    let headers = header::parse_all(&words.request)?;
    let described = Described::read(&words.request, &headers, environment)?;
    let sent = described.sent();
    let received = received::find(words, &headers, &sent)?;
    let sent = without_protocol_parameters(sent, &received.from);

    let credentials = &described.proxy.credentials;
    let options = &described.proxy.signing;
    let diagnosis = diagnose(credentials, options, &sent, &received.authorization);
    let mut text = String::new();
    write_place(&mut text, &received);
    write_diagnosis(
        &mut text,
        &diagnosis,
        received.slips.is_empty(),
        options.method.signature_method(),
    );
    if let Some(theirs) = &words.base_string {
        write_comparison(&mut text, &described.proxy, &sent, &received, theirs);
    }
    let mut notes = described.notes;
    let is_in_seconds =
        |difference: &Difference| !matches!(difference, Difference::Milliseconds(_));
    if diagnosis.differences.iter().all(is_in_seconds) {
        notes.extend(clock_note(&received, now));
    }
    Ok(Report {
        text,
        notes,
        is_right: diagnosis.is_right() && received.slips.is_empty(),
    })
}

/// The request as it would be with its protocol parameters in a header.
fn without_protocol_parameters<'a>(sent: Sent<'a>, place: &'a Place) -> Sent<'a> {
    let request = match place {
        Place::Header => sent.request,
        Place::Query(target) => RequestToSign {
            target,
            ..sent.request
        },
        Place::Form(form) => RequestToSign {
            form: Some(form),
            ..sent.request
        },
    };
    Sent { request, ..sent }
}

/// Where the protocol parameters are (RFC 5849 §3.5), and what is wrong about how they are written.
fn write_place(text: &mut String, received: &Received) {
    let place = match received.from {
        Place::Header => None,
        Place::Query(_) => Some(("the query", "§3.5.3")),
        Place::Form(_) => Some(("the form", "§3.5.2")),
    };
    // Writing to a String can't fail.
    if let Some((place, section)) = place {
        let _ = writeln!(
            text,
            "there is no Authorization header: the protocol parameters are in {place}, which RFC 5849 {section} allows, \
             but not every platform takes"
        );
    }
    for slip in received.slips.iter().take(MAX_SLIPS) {
        let _ = writeln!(
            text,
            "the header is not well-formed: at byte {}, {}",
            slip.at,
            printable(slip.kind.to_string().as_bytes())
        );
    }
    let more = received.slips.len().saturating_sub(MAX_SLIPS);
    if more > 0 {
        let _ = writeln!(text, "the header is not well-formed in {more} more places");
    }
}

fn write_diagnosis(
    text: &mut String,
    diagnosis: &Diagnosis,
    is_well_formed: bool,
    method: SignatureMethod,
) {
    for difference in &diagnosis.differences {
        let _ = writeln!(text, "{}", printable(difference.to_string().as_bytes()));
    }
    if diagnosis.finding == Finding::Unverifiable {
        let _ = writeln!(
            text,
            "of the signature itself nothing can be said: there is no key here for the header's method, but for {}",
            method.name()
        );
        return;
    }
    if !diagnosis.differences.is_empty() || !is_well_formed {
        text.push_str("apart from that, ");
    }
    text.push_str("the signature is ");
    // A base string has the consumer key in it.
    let may_show = !diagnosis.differences.contains(&Difference::SecretAsKey);
    match &diagnosis.finding {
        Finding::Right => text.push_str("right\n"),
        Finding::Mistaken {
            mistakes,
            alternatives,
            divergence,
        } => {
            text.push_str("not right:\n");
            write_mistakes(text, mistakes);
            if !alternatives.is_empty() {
                text.push_str("the same signature would come out of:\n");
            }
            for others in alternatives {
                let did: Vec<_> = others.iter().map(ToString::to_string).collect();
                let remedy = others.first().map(Mistake::remedy).unwrap_or_default();
                let _ = writeln!(text, "  {}\n    to do: {remedy}", did.join("; "));
            }
            if let Some(divergence) = divergence.as_ref().filter(|_| may_show) {
                write_divergence(text, divergence);
            }
        }
        Finding::NoSignature { length } => {
            let _ = writeln!(
                text,
                "not right: oauth_signature is not {length} bytes in base64, but cut off, or something else"
            );
        }
        Finding::OtherKey => text.push_str(
            "not right: it was made with another private key than that of private_key_file\n",
        ),
        Finding::OtherSecrets => text.push_str(
            "not right: a PLAINTEXT signature is made of the two secrets, and these are others\n",
        ),
        Finding::Unexplained {
            base_string,
            is_of_this_key,
            is_complete,
        } => {
            text.push_str("not right, and no known mistake explains it");
            if !is_complete {
                text.push_str(" (not all were tried, as the request is so long)");
            }
            text.push_str(if *is_of_this_key {
                ": the private key is the right one, but the request is not the one that was signed\n"
            } else {
                ": a secret differs, or the request is not the one that was signed\n"
            });
            if may_show {
                write_base_string(text, base_string, *is_of_this_key);
            }
        }
        Finding::Unverifiable => {}
    }
}

fn write_mistakes(text: &mut String, mistakes: &[Mistake]) {
    for mistake in mistakes {
        let _ = writeln!(
            text,
            "  {mistake}\n    {}\n    to do: {}",
            mistake.rule(),
            mistake.remedy()
        );
    }
}

fn write_divergence(text: &mut String, divergence: &Divergence) {
    let _ = writeln!(
        text,
        "the base strings differ from byte {} on, in {}:\n  right   {}\n  client  {}",
        divergence.at,
        divergence.part,
        printable(divergence.expected.as_bytes()),
        printable(divergence.received.as_bytes())
    );
}

/// More of a base string than anybody reads.
const MAX_SHOWN: usize = 64 * 1024;

/// What is left to do where no mistake explains a signature.
fn write_base_string(text: &mut String, base_string: &str, is_of_this_key: bool) {
    let mut parts = base_string.splitn(3, '&').map(str::len);
    let mut next = || parts.next().unwrap_or_default();
    let (method, uri, parameters) = (next(), next(), next());
    // It is ASCII.
    let (shown, cut) = match base_string.get(..MAX_SHOWN) {
        Some(start) => (start, "…"),
        None => (base_string, ""),
    };
    let _ = writeln!(
        text,
        "This should have been signed, {} bytes ({method} of the method, {uri} of the URI, {parameters} of the parameters):\n\
         \x20 {shown}{cut}\n\
         Compare it with the client's own base string, for instance with --base-string.{}",
        base_string.len(),
        if is_of_this_key {
            ""
        } else {
            " If they are the same, a secret differs."
        }
    );
}

/// What the client's own base string tells.
fn write_comparison(
    text: &mut String,
    proxy: &ProxyConfig,
    sent: &Sent<'_>,
    received: &Received,
    theirs: &str,
) {
    if received.authorization.signature_method == SignatureMethod::Plaintext.name() {
        text.push_str(
            "a PLAINTEXT signature is made of the secrets alone, whatever the base string\n",
        );
        return;
    }
    let theirs = theirs.trim_end_matches(['\r', '\n']);
    let expected = break_down(sent, &received.authorization).base_string;
    match compare_base_strings(&expected, theirs) {
        Some(divergence) => write_divergence(text, &divergence),
        None => text.push_str("the base string given is right\n"),
    }
    text.push_str(
        match signs(&proxy.credentials, &proxy.signing, &received.authorization, theirs) {
            Some(true) => "the signature is made of the base string given, with the right secrets\n",
            Some(false) => {
                "the signature is not made of the base string given and these secrets: a secret differs, \
                 or the client signed another text\n"
            }
            None => "nothing can be said of the signature itself\n",
        },
    );
}

fn clock_note(received: &Received, now: u64) -> Option<String> {
    let (timestamp, _) = received.authorization.stamp.as_ref()?;
    let off = timestamp.abs_diff(now);
    let direction = if *timestamp < now { "old" } else { "ahead" };
    (off > WINDOW).then(|| {
        format!(
            "oauth_timestamp is {off} s {direction} by this machine's clock, and most platforms take {WINDOW} s at most"
        )
    })
}
