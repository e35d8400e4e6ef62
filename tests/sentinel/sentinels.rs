//! What is planted, and how it is looked for.

use std::collections::{BTreeMap, HashMap};

use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD},
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::support::setup::random_text;

/// So many bytes of a secret in a row are more than chance.
const WINDOW: usize = 10;

/// Secrets, and all that would give them away.
#[derive(Debug, Default)]
pub(crate) struct Sentinels {
    /// By their length: texts in small letters, and what each is a trace of.
    traces: BTreeMap<usize, HashMap<Vec<u8>, String>>,
}

/// A secret with all characters that are encoded somewhere, between two parts that are found wherever they are.
pub(crate) fn secret() -> String {
    format!("{}+/=&%\"\\é {}", random_text(24), random_text(24))
}

/// A secret that a command line or a URL can hold as well.
pub(crate) fn plain_secret() -> String {
    random_text(48)
}

impl Sentinels {
    /// Looks for this as well.
    pub(crate) fn plant(&mut self, name: &str, secret: &str) {
        let encoded = utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string();
        let twice = utf8_percent_encode(&encoded, NON_ALPHANUMERIC).to_string();
        let reversed: String = secret.chars().rev().collect();
        for text in [secret, &encoded, &twice, &reversed] {
            for part in text.as_bytes().windows(WINDOW) {
                self.add(name, part);
            }
        }
        let bytes = secret.as_bytes();
        for part in bytes.windows(WINDOW) {
            self.add(name, hex(part).as_bytes());
        }
        self.add(
            name,
            format!("{:?}", &bytes[..WINDOW])
                .trim_matches(['[', ']'])
                .as_bytes(),
        );
        // Base64 of a longer text holds that of its parts, in one of three shapes.
        for start in 0..3 {
            let part = &bytes[start..];
            let whole = &part[..part.len() / 3 * 3];
            for encoded in [
                BASE64_STANDARD_NO_PAD.encode(whole),
                BASE64_URL_SAFE_NO_PAD.encode(whole),
            ] {
                for part in encoded.as_bytes().windows(12) {
                    self.add(name, part);
                }
            }
        }
    }

    /// Looks for a private key's content as well, by its PEM.
    pub(crate) fn plant_pem(&mut self, name: &str, pem: &str) {
        // The beginning is alike in all keys of a kind.
        let lines: Vec<_> = pem.lines().filter(|line| !line.starts_with('-')).collect();
        for line in &lines[1..] {
            self.plant(name, line);
        }
    }

    /// Fails if any of it is in this output.
    #[track_caller]
    pub(crate) fn check(&self, place: &str, output: impl AsRef<[u8]>) {
        let output = output.as_ref().to_ascii_lowercase();
        for (length, traces) in &self.traces {
            for part in output.windows(*length) {
                if let Some(name) = traces.get(part) {
                    let (part, output) = (part.escape_ascii(), output.escape_ascii());
                    panic!("{place} shows {name} as {part}: {output}");
                }
            }
        }
    }

    fn add(&mut self, name: &str, trace: &[u8]) {
        let traces = self.traces.entry(trace.len()).or_default();
        traces.insert(trace.to_ascii_lowercase(), name.to_owned());
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_secret_is_found_in_each_disguise() {
    let secret = secret();
    let mut sentinels = Sentinels::default();
    sentinels.plant("it", &secret);
    let is_found = |text: String| {
        let check = || sentinels.check("here", &text);
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(check)).is_err()
    };
    let base64 = |text: &str| BASE64_STANDARD_NO_PAD.encode(text);
    for text in [
        secret.clone(),
        format!("x{secret}y"),
        secret.to_ascii_uppercase(),
        secret[3..15].to_owned(),
        format!("{secret:?}"),
        serde_json::json!(secret).to_string(),
        utf8_percent_encode(&secret, NON_ALPHANUMERIC).to_string(),
        secret.chars().rev().collect(),
        hex(secret.as_bytes()),
        format!("{:?}", secret.as_bytes()),
        base64(&secret),
        base64(&format!("key&{secret}")),
        base64(&format!("a{secret}&")),
    ] {
        assert!(is_found(text.clone()), "{text}");
    }
    assert!(!is_found("nothing of it".to_owned()));
}
