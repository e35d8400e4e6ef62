//! The TOML file: where it is, and its values, each with its line.

use std::{
    collections::HashMap,
    fs::{self, File},
    io::{self, Read as _},
    ops::Range,
    path::PathBuf,
};

use ::config::{Map, Value, ValueKind};
use toml::de::{DeTable, DeValue};

use super::{
    fault::{Fault, FilePlaces},
    flags::{CONFIG_VARIABLE, Flags},
};
use crate::env::Environment;

/// Where a file is looked for when none is named, in this order.
const DEFAULT_FILES: [&str; 2] = ["undersign.toml", "/etc/undersign/undersign.toml"];

/// More than anybody writes; a device or a log file given by mistake is not read to its end.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// The values of a file, and the places of its tables, which the values alone do not tell.
#[derive(Debug, Default)]
pub(super) struct FileValues {
    pub(super) values: Map<String, Value>,
    pub(super) places: FilePlaces,
}

/// Reads the configuration file, if there is one.
pub(super) fn read_file(flags: &Flags, environment: &Environment) -> Result<FileValues, Fault> {
    let Some(Found {
        path,
        named_by,
        file,
    }) = open(flags, environment)?
    else {
        return Ok(FileValues::default());
    };
    let path = path.display().to_string();
    let text = read_text(file).map_err(|error| unreadable(named_by, &path, &error))?;

    let mut reading = Reading {
        lines: Lines::new(&text),
        path: &path,
        tables: HashMap::new(),
    };
    // The message of a syntax error quotes the text around it, so only its place is told.
    let document = DeTable::parse(&text).map_err(|error| {
        let (line, column) = reading
            .lines
            .locate(error.span().map_or(0, |span| span.start));
        fault(
            format!("{path}:{line}:{column}"),
            "is not valid TOML here: look for a missing quote or bracket, or a key given twice"
                .to_owned(),
        )
    })?;
    let values = reading.table("", document.into_inner());
    let tables = reading.tables;
    let places = FilePlaces {
        path: Some(path),
        tables,
    };
    Ok(FileValues { values, places })
}

/// A file that was found.
struct Found {
    path: PathBuf,
    /// The flag or variable that named it.
    named_by: Option<&'static str>,
    file: File,
}

/// Finds and opens the file. One that is named must be there.
fn open(flags: &Flags, environment: &Environment) -> Result<Option<Found>, Fault> {
    // A value that is no text is reported with the other variables.
    let variable = environment.get(CONFIG_VARIABLE).ok().flatten();
    let named = match (flags.config.as_deref(), variable) {
        (Some(path), _) => Some((path, "--config")),
        (None, Some(path)) if !path.is_empty() => Some((path, CONFIG_VARIABLE)),
        _ => None,
    };
    let candidates = match named {
        Some((path, by)) => vec![(path, Some(by))],
        None => DEFAULT_FILES.map(|path| (path, None)).to_vec(),
    };
    for (path, named_by) in candidates {
        match File::open(path) {
            Ok(file) => {
                let path = PathBuf::from(path);
                return Ok(Some(Found {
                    path,
                    named_by,
                    file,
                }));
            }
            Err(error) if named_by.is_none() && error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                return Err(unreadable(named_by, path, &error));
            }
        }
    }
    Ok(None)
}

fn fault(origin: String, problem: String) -> Fault {
    Fault {
        key: "config".to_owned(),
        origin: Some(origin),
        problem,
    }
}

fn read_text(file: File) -> io::Result<String> {
    let mut text = String::new();
    file.take(MAX_FILE_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MAX_FILE_BYTES {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            "larger than 1 MiB",
        ));
    }
    Ok(text)
}

fn unreadable(named_by: Option<&str>, path: &str, error: &io::Error) -> Fault {
    // What neither has the name of such a file nor is there may be a secret, given by mistake.
    let is_path = path.ends_with(".toml") || fs::metadata(path).is_ok();
    let is_told = named_by.is_some() && is_path;
    let path_told = if is_told {
        format!(" {}", path.escape_debug())
    } else {
        String::new()
    };
    fault(
        named_by.unwrap_or(path).to_owned(),
        format!("the file{path_told} cannot be read ({error}): name one that this user can read"),
    )
}

/// One pass over a parsed file.
struct Reading<'a> {
    lines: Lines,
    path: &'a str,
    tables: HashMap<String, String>,
}

impl Reading<'_> {
    fn table(&mut self, key: &str, table: DeTable<'_>) -> Map<String, Value> {
        let separator = if key.is_empty() { "" } else { "." };
        table
            .into_iter()
            .map(|(name, value)| {
                let key = format!("{key}{separator}{}", name.get_ref());
                let origin = self.origin(name.span());
                let value = self.value(&key, &origin, value.into_inner());
                (name.into_inner().into_owned(), value)
            })
            .collect()
    }

    fn value(&mut self, key: &str, origin: &str, value: DeValue<'_>) -> Value {
        let kind = match value {
            DeValue::String(text) => ValueKind::String(text.into_owned()),
            DeValue::Boolean(value) => ValueKind::Boolean(value),
            // No key takes a number that is too large for us, or one of the other two, and the reader tells so whatever
            // they are.
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
                .map_or(ValueKind::Float(0.0), ValueKind::I64),
            DeValue::Float(_) | DeValue::Datetime(_) => ValueKind::Float(0.0),
            DeValue::Array(items) => ValueKind::Array(
                items
                    .into_iter()
                    .enumerate()
                    .map(|(index, item)| {
                        let origin = self.origin(item.span());
                        self.value(&format!("{key}[{index}]"), &origin, item.into_inner())
                    })
                    .collect(),
            ),
            DeValue::Table(table) => {
                self.tables.insert(key.to_owned(), origin.to_owned());
                ValueKind::Table(self.table(key, table))
            }
        };
        Value::new(Some(&origin.to_owned()), kind)
    }

    fn origin(&self, span: Range<usize>) -> String {
        format!("{}:{}", self.path, self.lines.locate(span.start).0)
    }
}

/// Where each line of a text begins.
struct Lines(Vec<usize>);

impl Lines {
    fn new(text: &str) -> Self {
        let after_breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self(
            [0].into_iter()
                .chain(after_breaks.map(|(at, _)| at + 1))
                .collect(),
        )
    }

    /// The line and, in bytes, the column of an offset; both from 1.
    fn locate(&self, offset: usize) -> (usize, usize) {
        let line = self.0.partition_point(|start| *start <= offset);
        (line, offset - self.0[line - 1] + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_from_one() {
        let lines = Lines::new("a\nbc\n");
        for (offset, expected) in [
            (0, (1, 1)),
            (1, (1, 2)),
            (2, (2, 1)),
            (3, (2, 2)),
            (5, (3, 1)),
        ] {
            assert_eq!(lines.locate(offset), expected);
        }
    }

    #[test]
    fn each_value_and_table_knows_its_line() {
        let text = "[proxy.a]\nlisten = [\n  \"x\",\n  \"y\"]\n";
        let mut reading = Reading {
            lines: Lines::new(text),
            path: "f.toml",
            tables: HashMap::new(),
        };
        let values = reading.table("", DeTable::parse(text).unwrap().into_inner());
        assert_eq!(reading.tables["proxy.a"], "f.toml:1");
        let proxy = values["proxy"].clone().into_table().unwrap()["a"].clone();
        let listen = proxy.into_table().unwrap()["listen"].clone();
        assert_eq!(listen.origin(), Some("f.toml:2"));
        assert_eq!(listen.into_array().unwrap()[1].origin(), Some("f.toml:4"));
    }
}
