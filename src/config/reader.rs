//! Typed reading of merged values. Faults are collected, so that all of them can be reported together.

mod lists;

use std::{fmt::Display, ops::RangeInclusive, path::PathBuf, time::Duration};

use ::config::{Map, Value, ValueKind};

use super::{
    fault::{Ledger, Located, Place},
    path::parse_path,
    scalar,
    spelling::nearest,
};
use crate::env::Environment;

/// A table of the configuration.
///
/// Reading a key takes it out; what is left when the section is finished are keys nobody knows. Values from
/// variables and flags are text, so each reading method accepts text from there beside TOML's own type.
#[derive(Debug)]
pub(super) struct Section<'a> {
    ledger: &'a Ledger,
    environment: &'a Environment,
    key: String,
    values: Map<String, Value>,
    known: Vec<&'static str>,
}

impl<'a> Section<'a> {
    /// The section that holds all others.
    pub(super) fn root(
        ledger: &'a Ledger,
        environment: &'a Environment,
        values: Map<String, Value>,
    ) -> Self {
        Self {
            ledger,
            environment,
            key: String::new(),
            values,
            known: Vec::new(),
        }
    }

    /// The ledger that this section's faults go to.
    pub(super) fn ledger(&self) -> &'a Ledger {
        self.ledger
    }

    /// The environment that the configuration is read in.
    pub(super) fn environment(&self) -> &'a Environment {
        self.environment
    }

    /// The place of this table.
    pub(super) fn place(&self) -> Place {
        Place {
            key: self.key.clone(),
            origin: self.ledger.table_origin(&self.key),
        }
    }

    /// The place of a key; of its table, if the key is not set.
    pub(super) fn place_of(&self, name: &str) -> Place {
        let value = self.values.get(name);
        Place {
            key: self.full_key(name),
            origin: value.map_or_else(|| self.place().origin, |value| self.origin_of(name, value)),
        }
    }

    /// A table within this one; an empty one if it is not there.
    pub(super) fn section(&mut self, name: &'static str) -> Section<'a> {
        let values = self
            .take(name)
            .and_then(|found| self.table(found))
            .unwrap_or_default();
        self.inner(self.full_key(name), values)
    }

    /// All tables within this one, whose names are free to choose, in the order of their names.
    pub(super) fn named_sections(&mut self) -> Vec<(String, Section<'a>)> {
        let mut named: Vec<_> = std::mem::take(&mut self.values).into_iter().collect();
        named.sort_by(|(a, _), (b, _)| a.cmp(b));
        named
            .into_iter()
            .filter_map(|(name, value)| {
                let key = self.full_key(&name);
                let values = self.table(located(key.clone(), value))?;
                Some((name, self.inner(key, values)))
            })
            .collect()
    }

    /// A list of tables.
    pub(super) fn sections(&mut self, name: &'static str) -> Option<Vec<Section<'a>>> {
        let found = self.take(name)?;
        let ValueKind::Array(items) = found.value else {
            self.ledger.note(
                &found.place,
                "must be a list of tables, which only the file can hold",
            );
            return None;
        };
        let sections = items.into_iter().enumerate().filter_map(|(index, item)| {
            let key = format!("{}[{index}]", found.place.key);
            let values = self.table(located(key.clone(), item))?;
            Some(self.inner(key, values))
        });
        Some(sections.collect())
    }

    /// A text, made into something else by `parse`.
    pub(super) fn read<T, E: Display>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<Located<T>> {
        self.get(name, |kind| {
            let text = scalar::text(kind).map_err(str::to_owned)?;
            parse(text).map_err(|error| error.to_string())
        })
    }

    /// Like [`read`](Self::read), for a key that must be set.
    pub(super) fn require<T, E: Display>(
        &mut self,
        name: &'static str,
        missing: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<Located<T>> {
        if !self.is_set(name) {
            self.ledger.note(&self.place_of(name), missing);
        }
        self.read(name, parse)
    }

    /// One of a closed set of words.
    pub(super) fn choice<T: Copy>(&mut self, name: &'static str, words: &[(&str, T)]) -> Option<T> {
        self.read(name, |text| {
            words
                .iter()
                .find_map(|(word, value)| (*word == text).then_some(*value))
                .ok_or_else(|| {
                    let words: Vec<_> = words.iter().map(|(word, _)| format!("{word:?}")).collect();
                    format!("must be {}", words.join(" or "))
                })
        })
        .map(|found| found.value)
    }

    /// A switch that is off unless it is set.
    pub(super) fn switch(&mut self, name: &'static str) -> Located<bool> {
        let off = Located {
            value: false,
            place: self.place_of(name),
        };
        let found = self.take(name);
        let found =
            found.and_then(|found| self.typed(found, "must be true or false, without quotes"));
        let switch = found.and_then(|found| self.convert(found, scalar::switch));
        switch.unwrap_or(off)
    }

    /// The path of a file; an empty one is none. A relative one begins at the working directory.
    pub(super) fn path(&mut self, name: &'static str) -> Option<Located<PathBuf>> {
        let environment = self.environment;
        let found = self.read(name, |text| parse_path(text, environment))?;
        (!found.value.as_os_str().is_empty()).then_some(found)
    }

    /// A duration.
    pub(super) fn duration(&mut self, name: &'static str, default: Duration) -> Duration {
        let found = self.get(name, scalar::duration);
        found.map_or(default, |found| found.value)
    }

    /// A size in bytes.
    pub(super) fn size(
        &mut self,
        name: &'static str,
        default: usize,
        range: RangeInclusive<usize>,
    ) -> usize {
        let found = self.get(name, |kind| scalar::size(kind, &range));
        found.map_or(default, |found| found.value)
    }

    /// A number.
    pub(super) fn count(
        &mut self,
        name: &'static str,
        default: usize,
        range: RangeInclusive<usize>,
    ) -> usize {
        let found = self.take(name);
        let found = found.and_then(|found| self.typed(found, "must be a number, without quotes"));
        let count = found.and_then(|found| self.convert(found, |kind| scalar::count(kind, &range)));
        count.map_or(default, |found| found.value)
    }

    /// Refuses a text in the file where another type is wanted, as `problem` says.
    fn typed(
        &self,
        found: Located<ValueKind>,
        problem: &'static str,
    ) -> Option<Located<ValueKind>> {
        let is_text = matches!(found.value, ValueKind::String(_));
        if is_text && self.ledger.is_of_file(&found.place) {
            self.ledger.note(&found.place, problem);
            return None;
        }
        Some(found)
    }

    /// Reports the keys that nobody has asked for.
    pub(super) fn finish(self) {
        for name in self.values.keys() {
            let advice = match name.as_str() {
                "consumer_secret" | "token_secret" => format!(
                    "secrets are not written into the configuration; \
                     use {name}_file, {name}_env or {name}_command"
                ),
                "client_token" => {
                    "secrets are not written into the configuration; use client_token_file"
                        .to_owned()
                }
                _ => match nearest(name, &self.known) {
                    Some(near) => format!("did you mean {near}?"),
                    None => format!("remove it; known here are {}", self.known.join(", ")),
                },
            };
            let place = self.place_of(name);
            self.ledger
                .note(&place, format_args!("is unknown: {advice}"));
        }
    }

    /// Takes a key out, and remembers it as known.
    fn take(&mut self, name: &'static str) -> Option<Located<ValueKind>> {
        self.known.push(name);
        let value = self.values.remove(name)?;
        let found = located(self.full_key(name), value);
        (found.value != ValueKind::Nil).then_some(found)
    }

    /// Whether a key is set, be it wrongly.
    pub(super) fn is_set(&self, name: &str) -> bool {
        self.values
            .get(name)
            .is_some_and(|value| value.kind != ValueKind::Nil)
    }

    /// Takes a key out and makes its value into what is wanted.
    fn get<T, E: Display>(
        &mut self,
        name: &'static str,
        convert: impl FnOnce(&ValueKind) -> Result<T, E>,
    ) -> Option<Located<T>> {
        let found = self.take(name)?;
        self.convert(found, convert)
    }

    /// Makes a value into what is wanted, or notes why it cannot be.
    fn convert<T, E: Display>(
        &self,
        found: Located<ValueKind>,
        convert: impl FnOnce(&ValueKind) -> Result<T, E>,
    ) -> Option<Located<T>> {
        let Located { value, place } = found;
        match convert(&value) {
            Ok(value) => Some(Located { value, place }),
            Err(problem) => {
                self.ledger.note(&place, problem);
                None
            }
        }
    }

    fn table(&self, found: Located<ValueKind>) -> Option<Map<String, Value>> {
        if let ValueKind::Table(values) = found.value {
            return Some(values);
        }
        self.ledger.note(&found.place, "must be a table of keys");
        None
    }

    fn inner(&self, key: String, values: Map<String, Value>) -> Section<'a> {
        Section {
            ledger: self.ledger,
            environment: self.environment,
            key,
            values,
            known: Vec::new(),
        }
    }

    /// Merged tables have no origin, but the file may know where one is, or else something in it does.
    fn origin_of(&self, name: &str, value: &Value) -> Option<String> {
        let own = value.origin().map(str::to_owned);
        own.or_else(|| self.ledger.table_origin(&self.full_key(name)))
            .or_else(|| match &value.kind {
                ValueKind::Table(values) => {
                    let origins = values
                        .iter()
                        .filter_map(|(name, value)| self.origin_of(name, value));
                    origins.min()
                }
                _ => None,
            })
    }

    fn full_key(&self, name: &str) -> String {
        let separator = if self.key.is_empty() { "" } else { "." };
        format!("{}{separator}{name}", self.key)
    }
}

fn located(key: String, value: Value) -> Located<ValueKind> {
    let place = Place {
        key,
        origin: value.origin().map(str::to_owned),
    };
    Located {
        value: value.kind,
        place,
    }
}
