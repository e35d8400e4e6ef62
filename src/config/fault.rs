//! What is wrong with a configuration, told without showing any value of it.

use std::{cell::RefCell, collections::HashMap, fmt};

/// One thing that is wrong, and what to do about it.
///
/// A fault never holds the offending value: a user may have pasted a secret into the wrong key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// The full key, such as `proxy.aps.timeouts.connect`.
    pub key: String,
    /// Where the value came from: `undersign.toml:12`, a variable or a flag. `None` where there is nothing to point at.
    pub origin: Option<String>,
    /// What is wrong and what to do.
    pub problem: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Keys and file names are the user's text: what is not printable must not reach a terminal.
        write!(f, "{}", self.key.escape_debug())?;
        if let Some(origin) = &self.origin {
            write!(f, " ({})", origin.escape_debug())?;
        }
        write!(f, ": {}", self.problem)
    }
}

/// Everything that is wrong with a configuration, in the order of the keys.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// Sorts the faults, and drops those that say the same twice.
    pub(super) fn new(mut faults: Vec<Fault>) -> Self {
        faults.sort();
        faults.dedup();
        Self(faults)
    }

    /// Each fault in turn.
    pub fn iter(&self) -> std::slice::Iter<'_, Fault> {
        self.0.iter()
    }
}

impl<'a> IntoIterator for &'a Faults {
    type Item = &'a Fault;
    type IntoIter = std::slice::Iter<'a, Fault>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// A line for each fault.
impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{fault}")?;
        }
        Ok(())
    }
}

/// A full key and where its value came from.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) key: String,
    pub(super) origin: Option<String>,
}

/// A value with its place.
#[derive(Clone, Debug)]
pub(super) struct Located<T> {
    pub(super) value: T,
    pub(super) place: Place,
}

/// Where faults are collected.
#[derive(Debug)]
pub(super) struct Ledger {
    faults: RefCell<Vec<Fault>>,
    file: FilePlaces,
}

/// Where the file is, and its tables.
#[derive(Clone, Debug, Default)]
pub(super) struct FilePlaces {
    /// What the origin of each of its values begins with, if there is a file.
    pub(super) path: Option<String>,
    /// `undersign.toml:12` for each table, by its full key.
    pub(super) tables: HashMap<String, String>,
}

impl Ledger {
    /// Begins with the faults found so far.
    pub(super) fn new(faults: Vec<Fault>, file: FilePlaces) -> Self {
        Self {
            faults: RefCell::new(faults),
            file,
        }
    }

    /// Notes what is wrong at a place. The problem must not hold the value.
    pub(super) fn note(&self, place: &Place, problem: impl fmt::Display) {
        self.faults.borrow_mut().push(Fault {
            key: place.key.clone(),
            origin: place.origin.clone(),
            problem: problem.to_string(),
        });
    }

    /// How many faults there are so far; tells whether reading something noted any.
    pub(super) fn count(&self) -> usize {
        self.faults.borrow().len()
    }

    /// Where a table of the file is.
    pub(super) fn table_origin(&self, key: &str) -> Option<String> {
        self.file.tables.get(key).cloned()
    }

    /// Whether a value is one of the file's, which have types; variables and flags hold nothing but text.
    pub(super) fn is_of_file(&self, place: &Place) -> bool {
        let line = |path: &String| place.origin.as_deref()?.strip_prefix(path.as_str());
        let line = self.file.path.as_ref().and_then(line);
        line.is_some_and(|line| line.starts_with(':'))
    }

    /// All that was noted.
    pub(super) fn into_faults(self) -> Vec<Fault> {
        self.faults.into_inner()
    }
}
