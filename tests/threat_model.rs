//! The threat model names tests, and each of them has to be there.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "what a test needs fails by panicking, outside of its function too"
)]

use std::{fs, path::Path};

/// The text of every test, whatever its language.
fn read_all(directory: &Path, text: &mut String) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.extension().and_then(|name| name.to_str());
        if path.is_dir() {
            read_all(&path, text);
        } else if matches!(name, Some("rs" | "py")) {
            text.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn each_test_that_the_threat_model_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let document = fs::read_to_string(root.join("SECURITY.md")).unwrap();
    let mut tests = String::new();
    read_all(&root.join("tests"), &mut tests);
    let rows = document.lines().filter(|line| line.starts_with('|'));
    let last_cells = rows.filter_map(|row| row.trim_end_matches([' ', '|']).rsplit('|').next());
    let mut count = 0;
    for cell in last_cells {
        // What stands between backticks is every other part.
        for name in cell.split('`').skip(1).step_by(2) {
            if name.contains(' ') || !name.contains('_') {
                continue;
            }
            let is_there = ["fn ", "def "].iter().any(|word| {
                let definition = format!("{word}{name}(");
                tests.contains(&definition)
            });
            assert!(is_there, "{name}");
            count += 1;
        }
    }
    assert!(count > 40, "only {count} tests are named");
}
