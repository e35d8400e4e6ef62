//! Lists: in the file they are TOML's, in variables and flags a text with commas.

use std::{fmt::Display, str::FromStr};

use ::config::ValueKind;

use super::{Section, located};
use crate::config::{fault::Located, scalar};

impl Section<'_> {
    /// A list of texts, or outside of the file a text with commas between the items. `None` if it is not set; what cannot
    /// be parsed is left out.
    pub(in crate::config) fn list<T, E: Display>(
        &mut self,
        name: &'static str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<Vec<Located<T>>> {
        let found = self.take(name)?;
        let problem = "must be a list of texts, such as [\"one\", \"another\"]";
        let items = self.typed_items(found, problem);
        Some(self.parsed(items, "must be a text in quotes", parse))
    }

    /// Likewise, where one text will do in the file, too, with commas or without; `problem` says what is wanted.
    pub(in crate::config) fn text_or_list<T, E: Display>(
        &mut self,
        name: &'static str,
        problem: &'static str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<Vec<Located<T>>> {
        let found = self.take(name)?;
        let items = self.items(found, problem).into_iter();
        Some(self.parsed(items, problem, parse))
    }

    /// A list of numbers; otherwise as [`list`](Self::list).
    pub(in crate::config) fn numbers<T: FromStr>(
        &mut self,
        name: &'static str,
    ) -> Option<Vec<Located<T>>> {
        let found = self.take(name)?;
        let problem = "must be a list of numbers, such as [1000, 1001]";
        let items = self.typed_items(found, problem);
        let typed = items.filter_map(|item| self.typed(item, "must be a number, without quotes"));
        let numbers = typed.filter_map(|item| {
            self.convert(item, |kind| {
                let problem = "must be a number that is neither negative nor too large";
                let number = scalar::number_or_text(kind, problem)?;
                number.parse().map_err(|_| problem)
            })
        });
        Some(numbers.collect())
    }

    /// What is in a list, or outside of the file in a text with commas; `problem` says what is wanted instead of anything
    /// else.
    fn typed_items(
        &self,
        found: Located<ValueKind>,
        problem: &'static str,
    ) -> impl Iterator<Item = Located<ValueKind>> {
        let found = self.typed(found, problem);
        let items = found.map(|found| self.items(found, problem));
        items.into_iter().flatten()
    }

    /// What is in a list, or in a text with commas; `problem` says what is wanted instead of anything else.
    fn items(&self, found: Located<ValueKind>, problem: &'static str) -> Vec<Located<ValueKind>> {
        let Located { value, place } = found;
        match value {
            ValueKind::Array(items) => items
                .into_iter()
                .enumerate()
                .map(|(index, item)| located(format!("{}[{index}]", place.key), item))
                .collect(),
            ValueKind::String(text) => text
                .split(',')
                .map(str::trim)
                .filter(|item| !item.is_empty())
                .map(|item| Located {
                    value: ValueKind::from(item),
                    place: place.clone(),
                })
                .collect(),
            _ => {
                self.ledger.note(&place, problem);
                Vec::new()
            }
        }
    }

    /// Items that are texts, made into something else; `problem` says what is wanted instead of another type.
    fn parsed<T, E: Display>(
        &self,
        items: impl Iterator<Item = Located<ValueKind>>,
        problem: &'static str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Vec<Located<T>> {
        let parsed = items.filter_map(|item| {
            self.convert(item, |kind| {
                let text = scalar::text(kind).map_err(|_| problem.to_owned())?;
                parse(text).map_err(|error| error.to_string())
            })
        });
        parsed.collect()
    }
}
