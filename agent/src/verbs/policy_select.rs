//! `tidegate policy select`: which of the tags on standard input a policy selects, and why not the others.
//!
//! Offline: the tags are judged as given, without a registry and without history.

use std::io::{BufRead, Read, Write};

use serde::Serialize;
use tidegate_policy::annotation::{ImagePolicy, Setting};
use tidegate_policy::quote::quoted;
use tidegate_policy::select::{SelectInput, Verdict, select};

use super::write_json;
use crate::error::Failure;

/// Most that is read from standard input, in bytes: ten times what a registry is allowed to list.
const INPUT_BYTES_MAX: u64 = 640 * 1024 * 1024;

/// Arguments of `policy select`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// What `tidegate.io/policy` says, e.g. `semver:~1.4`
    #[arg(long, value_name = "POLICY", allow_hyphen_values = true)]
    pub policy: String,
    /// An item of `tidegate.io/tags`, e.g. `regex:^v(?P<version>[0-9.]+)$`; may be repeated
    #[arg(long, value_name = "PATTERN", allow_hyphen_values = true)]
    pub tags: Vec<String>,
    /// An item of `tidegate.io/ignore-tags`, e.g. `glob:*-rc*`; may be repeated
    #[arg(long, value_name = "PATTERN", allow_hyphen_values = true)]
    pub ignore_tags: Vec<String>,
    /// The tag now running; without it the plain best is selected
    #[arg(long, value_name = "TAG", allow_hyphen_values = true)]
    pub current: Option<String>,
}

/// The answer; a stable shape.
#[derive(Serialize)]
struct Answer<'a> {
    selected: Option<&'a str>,
    error: Option<String>,
    tags: Vec<Verdict<'a>>,
}

/// Reads tags, one a line, and writes one JSON object; exit code 2 if the policy cannot be read.
pub fn run(args: &Args, input: &mut dyn BufRead, output: &mut dyn Write) -> Result<u8, Failure> {
    let policy = match policy(args) {
        Ok(policy) => policy,
        Err(error) => {
            write_json(output, &Answer { selected: None, error: Some(error), tags: Vec::new() })?;
            return Ok(2);
        }
    };
    let tags = read_tags(input)?;
    let facts = SelectInput { current: args.current.as_deref(), ..SelectInput::default() };
    let selection = select(&policy, &tags, &facts);
    write_json(output, &Answer { selected: selection.selected, error: None, tags: selection.verdicts })?;
    Ok(0)
}

/// Resolves the arguments as if they were annotations.
fn policy(args: &Args) -> Result<ImagePolicy, String> {
    let setting = |key: &str, value: &String| Setting { key: key.to_owned(), value: value.clone(), line: 0 };
    let mut settings = vec![setting("policy", &args.policy)];
    settings.extend(args.tags.iter().map(|value| setting("tags", value)));
    settings.extend(args.ignore_tags.iter().map(|value| setting("ignore-tags", value)));
    match ImagePolicy::resolve(&settings, "") {
        Ok(Some(policy)) => Ok(policy),
        Ok(None) => Err(format!("--policy {}: it selects nothing", quoted(&args.policy))),
        Err(error) => {
            let hint = error.hint.map(|hint| format!(" (hint: {hint})")).unwrap_or_default();
            Err(format!("--{} {}: {}{hint}", error.key, quoted(&error.value), error.message))
        }
    }
}

/// Reads the lines of the input; empty ones name no tag.
fn read_tags(input: &mut dyn BufRead) -> Result<Vec<String>, Failure> {
    let mut bytes = Vec::new();
    input
        .take(INPUT_BYTES_MAX)
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::reject("the tags on standard input could not be read").because(error))?;
    if bytes.len() as u64 == INPUT_BYTES_MAX {
        return Err(
            Failure::reject("the tags on standard input are too many").hint("send one repository's tags")
        );
    }
    let lines = bytes.split(|b| *b == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    Ok(lines.filter(|line| !line.is_empty()).map(|line| String::from_utf8_lossy(line).into_owned()).collect())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        args: Args,
    }

    #[track_caller]
    fn check(args: &[&str], input: &str, code: u8, expect: &str) {
        let cli = Cli::try_parse_from(std::iter::once(&"select").chain(args)).expect("arguments");
        let mut output = Vec::new();
        let found = run(&cli.args, &mut input.as_bytes(), &mut output).expect("an answer");
        assert_eq!(String::from_utf8(output).unwrap().trim_end(), expect);
        assert_eq!(found, code);
    }

    #[test]
    fn tags_are_answered_in_input_order() {
        check(
            &["--policy", "semver:~1.4"],
            "1.4.6\n1.5.0\r\n\n1.4.7\nlatest",
            0,
            r#"{"selected":"1.4.7","error":null,"tags":[{"tag":"1.4.6","outcome":"eligible","reason":null},{"tag":"1.5.0","outcome":"rejected","reason":"out-of-range"},{"tag":"1.4.7","outcome":"selected","reason":null},{"tag":"latest","outcome":"rejected","reason":"not-a-version"}]}"#,
        );
    }

    #[test]
    fn with_a_current_tag_only_something_newer_is_selected() {
        check(
            &["--policy=semver:~1.4", "--current", "1.4.7"],
            "1.4.7\n",
            0,
            r#"{"selected":null,"error":null,"tags":[{"tag":"1.4.7","outcome":"rejected","reason":"not-newer"}]}"#,
        );
    }

    #[test]
    fn lists_may_be_repeated() {
        check(
            &["--policy=alphabetical", "--tags=glob:a*", "--tags=glob:b*", "--ignore-tags=glob:*x"],
            "b\nbx\nc\n",
            0,
            r#"{"selected":"b","error":null,"tags":[{"tag":"b","outcome":"selected","reason":null},{"tag":"bx","outcome":"rejected","reason":"ignored"},{"tag":"c","outcome":"rejected","reason":"not-in-tags"}]}"#,
        );
    }

    #[test]
    fn an_empty_list_selects_nothing() {
        check(&["--policy=numeric"], "", 0, r#"{"selected":null,"error":null,"tags":[]}"#);
    }

    #[test]
    fn an_unreadable_policy_is_exit_2_with_the_error_in_the_answer() {
        check(
            &["--policy", "~1.4"],
            "1.4.0\n",
            2,
            r#"{"selected":null,"error":"--policy `~1.4`: `~1.4` is no kind of policy (hint: the prefix is mandatory: write `semver:~1.4`)","tags":[]}"#,
        );
        check(
            &["--policy=numeric", "--tags", "1.*"],
            "",
            2,
            r#"{"selected":null,"error":"--tags `1.*`: an item needs the prefix `glob:` or `regex:` (hint: write `glob:…`, one item a line)","tags":[]}"#,
        );
        check(
            &["--policy", "none"],
            "",
            2,
            r#"{"selected":null,"error":"--policy `none`: it selects nothing","tags":[]}"#,
        );
    }
}
