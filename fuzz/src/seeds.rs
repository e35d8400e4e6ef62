//! Where a run starts: requests as platforms see them and the edges of the RFC's text, so that a fuzzer need not
//! discover what they look like.
//!
//! `cargo run --example write_seeds` writes them to `seeds/`, as the bytes that mean them.

use arbitrary::{Arbitrary, Unstructured};

use crate::input::Input;

mod authorization;
mod listener;
mod sign;

pub use self::authorization::authorization;
pub use self::listener::listener;
pub use self::sign::sign;

/// The bytes that `Arbitrary` makes this input of. Values of a fixed size come from the front of the bytes, and so do
/// texts, but their lengths come from the back.
pub fn encode(input: &Input<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for field in fields(input).iter().rev() {
        bytes = match field {
            Field::Fixed(value) => [value, &bytes[..]].concat(),
            Field::Text(text) => {
                let length = text.len() + bytes.len();
                // A length takes as many bytes as are needed for the longest that could be.
                let size = if length < 256 { 1 } else { 2 };
                let text_length = &text.len().to_be_bytes()[size_of::<usize>() - size..];
                [*text, &bytes, text_length].concat()
            }
        };
    }
    bytes
}

/// The input that these bytes mean, if they are enough for one.
pub fn decode(bytes: &[u8]) -> Option<Input<'_>> {
    Input::arbitrary_take_rest(Unstructured::new(bytes)).ok()
}

enum Field<'a> {
    Fixed(Vec<u8>),
    Text(&'a [u8]),
}

fn fields<'a>(input: &Input<'a>) -> Vec<Field<'a>> {
    let flag = |flag: bool| Field::Fixed(vec![u8::from(flag)]);
    let text = |text: &'a str| Field::Text(text.as_bytes());
    let mut fields = vec![
        variant(input.signature_method as u64, 4),
        variant(input.realm as u64, 3),
        flag(input.literal_plus),
        flag(input.sends_version),
        flag(input.https),
        Field::Fixed(input.port.to_le_bytes().to_vec()),
        Field::Fixed(input.timestamp.to_le_bytes().to_vec()),
        Field::Fixed(input.shuffle.to_le_bytes().to_vec()),
        Field::Fixed(input.tampered_at.to_le_bytes().to_vec()),
        Field::Fixed(vec![input.tampered_with]),
        text(input.method),
        text(input.host),
        Field::Text(input.target),
        flag(input.form.is_some()),
    ];
    fields.extend(input.form.map(Field::Text));
    fields.extend([
        text(input.consumer_key),
        text(input.consumer_secret),
        flag(input.token.is_some()),
    ]);
    fields.extend(input.token.map(text));
    fields.extend([
        text(input.token_secret),
        text(input.realm_text),
        text(input.nonce),
    ]);
    for (name, value) in &input.extra {
        fields.extend([flag(true), text(name), text(value)]);
    }
    fields.push(flag(false));
    fields
}

/// One variant out of so many: a 32-bit number, of which each variant has an equal share.
fn variant(index: u64, count: u64) -> Field<'static> {
    let least = (index << 32).div_ceil(count) as u32;
    Field::Fixed(least.to_le_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, fs, path::Path};

    use super::*;

    /// The committed seeds of a target, by their names.
    fn committed(target: &str) -> BTreeMap<String, Vec<u8>> {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("seeds")
            .join(target);
        fs::read_dir(directory)
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                let name = entry.file_name().into_string().unwrap();
                (name, fs::read(entry.path()).unwrap())
            })
            .collect()
    }

    #[test]
    fn the_committed_seeds_are_those_of_the_tables() {
        let written = sign()
            .into_iter()
            .map(|(name, input)| (name.to_owned(), encode(&input)));
        assert_eq!(committed("sign"), written.collect());
        let written = authorization()
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
        assert_eq!(committed("authorization"), written.collect());
        let written = listener()
            .into_iter()
            .map(|(name, input, _)| (name.to_owned(), input.encode()));
        assert_eq!(committed("listener"), written.collect());
    }

    #[test]
    fn a_seed_is_read_as_it_was_meant() {
        for (name, input) in sign() {
            assert_eq!(decode(&encode(&input)), Some(input), "{name}");
        }
        for (name, input, _) in listener() {
            assert_eq!(
                crate::listener::Input::decode(&input.encode()),
                Some(input),
                "{name}"
            );
        }
    }

    #[test]
    fn every_seed_passes_its_check() {
        for (_, input) in sign() {
            crate::sign::check(&input);
        }
        for (_, value) in authorization() {
            crate::authorization::check(value.as_bytes());
        }
        for (name, input, forwarded) in listener() {
            assert_eq!(crate::listener::play(&input), forwarded, "{name}");
        }
    }
}
