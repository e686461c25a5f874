//! What sources look like.

use crate::rust_files;

/// Longest file that is allowed; raise it for nobody, lower it when all files allow.
const LINES_MAX: usize = 500;

const ROOMS: &[&str] = &["policy/src", "agent/src", "tests"];

/// Lines of code outside comments and outside `#[cfg(test)]` modules at the end of a file.
fn product_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .take_while(|(_, line)| !line.starts_with("#[cfg(test)]\nmod") && *line != "mod tests {")
        .map(|(number, line)| (number + 1, line.split("//").next().unwrap_or_default()))
}

#[test]
fn policy_has_no_async_no_clock_no_io_and_no_randomness() {
    let banned = [
        "async ",
        ".await",
        "std::fs",
        "std::env",
        "std::net",
        "std::process",
        "std::thread",
        "SystemTime",
        "Instant",
        "Timestamp::now",
        "Zoned::now",
        "RandomState",
        "println!",
        "eprintln!",
        "include_str!(env",
    ];
    for (file, text) in rust_files("policy/src") {
        for (number, line) in product_lines(&text) {
            for word in banned {
                assert!(!line.contains(word), "{file}:{number}: `{word}` does not belong in policy: {line}");
            }
        }
    }
}

#[test]
fn every_module_says_what_it_is_for() {
    for room in ROOMS {
        for (file, text) in rust_files(room) {
            let exempt =
                file.ends_with("/tests.rs") || file.contains("/tests/") && !file.starts_with("tests/");
            assert!(exempt || text.starts_with("//!"), "{file} does not start with `//!`");
        }
    }
}

#[test]
fn no_file_is_longer_than_the_ratchet() {
    for room in ROOMS {
        for (file, text) in rust_files(room) {
            let lines = text.lines().count();
            assert!(lines <= LINES_MAX, "{file} has {lines} lines, over {LINES_MAX}: split it");
        }
    }
}

#[test]
fn no_module_is_named_after_nothing() {
    for room in ROOMS {
        for (file, _) in rust_files(room) {
            let stem = file.rsplit('/').next().unwrap_or_default().trim_end_matches(".rs");
            assert!(!["utils", "util", "common", "helpers", "misc", "mod"].contains(&stem), "{file}");
        }
    }
}

#[test]
fn nothing_is_left_over() {
    // Written in two parts so that this file does not find itself.
    let banned = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("todo", "!("), concat!("dbg", "!(")];
    for room in ROOMS {
        for (file, text) in rust_files(room) {
            for (number, line) in text.lines().enumerate() {
                for word in banned {
                    assert!(!line.contains(word), "{file}:{}: `{word}`: {line}", number + 1);
                }
            }
        }
    }
}
