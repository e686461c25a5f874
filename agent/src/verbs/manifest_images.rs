//! `tidegate manifest images`: the image fields of files, with their places and policies.
//!
//! Offline. Findings go to standard error and make the exit code 1; fields are answered all the same.

use std::io::{BufRead, Write};

use serde::Serialize;
use tidegate_policy::manifest::{FieldPolicy, ImageField, Part, scan_with};

use super::file::read;
use super::image_path::ImagePathArgs;
use super::write_json;
use crate::error::Failure;

/// Arguments of `manifest images`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Files to read; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<String>,
    /// Paths of custom kinds
    #[command(flatten)]
    pub paths: ImagePathArgs,
}

/// The answer for one field; a stable shape.
#[derive(Serialize)]
struct Answer<'a> {
    file: &'a str,
    document: usize,
    object: &'a str,
    field: &'a str,
    container: &'a str,
    image: &'a str,
    /// Of the tag where the reference is written in parts.
    start: usize,
    end: usize,
    policy: Option<&'a str>,
}

/// Writes one JSON object a line; a file that cannot be read does not stop the others.
pub fn run(args: &Args, input: &mut dyn BufRead, output: &mut dyn Write) -> Result<u8, Failure> {
    let paths = args.paths.read()?;
    let mut code = 0;
    let mut unread = None;
    for file in &args.files {
        let bytes = match read(file, input) {
            Ok(bytes) => bytes,
            Err(failure) => {
                unread.get_or_insert(failure);
                continue;
            }
        };
        let found = scan_with(file, &bytes, &paths);
        for field in &found.fields {
            write_json(output, &answer(file, field))?;
        }
        for finding in &found.findings {
            eprintln!("{finding}");
            code = 1;
        }
    }
    unread.map_or(Ok(code), Err)
}

fn answer<'a>(file: &'a str, field: &'a ImageField) -> Answer<'a> {
    let main = |part| field.sites.iter().find(|site| site.part == part);
    let site = main(Part::Whole).or(main(Part::Tag)).or(field.sites.first());
    let range = site.map(|site| site.range.clone()).unwrap_or_default();
    Answer {
        file,
        document: field.document,
        object: &field.object,
        field: &field.id.0,
        container: &field.container,
        image: &field.image,
        start: range.start,
        end: range.end,
        policy: match &field.policy {
            FieldPolicy::Policy(policy) => Some(&policy.text.policy),
            FieldPolicy::None | FieldPolicy::Invalid(_) => None,
        },
    }
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
    fn check(text: &str, code: u8, expect: &str) {
        check_with(&[], text, code, expect);
    }

    #[track_caller]
    fn check_with(arguments: &[&str], text: &str, code: u8, expect: &str) {
        let cli = Cli::try_parse_from(["images", "-"].iter().chain(arguments)).unwrap();
        let mut output = Vec::new();
        assert_eq!(run(&cli.args, &mut text.as_bytes(), &mut output).unwrap(), code);
        assert_eq!(String::from_utf8(output).unwrap(), expect);
    }

    #[test]
    fn each_field_is_a_line_with_its_bytes() {
        check(
            "\u{feff}kind: Pod\nmetadata: {name: web, annotations: {tidegate.io/policy: \"semver:~1.4\"}}\nspec: {containers: [{name: web, image: \"nginx:1.4.2\"}]}\n",
            0,
            "{\"file\":\"-\",\"document\":0,\"object\":\"Pod//web\",\"field\":\"-#/Pod//web#web\",\"container\":\"web\",\"image\":\"nginx:1.4.2\",\"start\":125,\"end\":136,\"policy\":\"semver:~1.4\"}\n",
        );
    }

    #[test]
    fn a_finding_makes_the_exit_code_one_and_hides_no_field() {
        check(
            "kind: [\n---\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: c, image: x}]}\n# image\n",
            0,
            "{\"file\":\"-\",\"document\":1,\"object\":\"Pod//a\",\"field\":\"-#/Pod//a#c\",\"container\":\"c\",\"image\":\"x\",\"start\":79,\"end\":80,\"policy\":null}\n",
        );
        check(
            "image: [\n---\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: c, image: x}]}\n",
            1,
            "{\"file\":\"-\",\"document\":1,\"object\":\"Pod//a\",\"field\":\"-#/Pod//a#c\",\"container\":\"c\",\"image\":\"x\",\"start\":80,\"end\":81,\"policy\":null}\n",
        );
    }

    #[test]
    fn a_path_of_a_custom_kind_is_named_on_the_command_line() {
        let text = "apiVersion: a.io/v1\nkind: Set\nmetadata: {name: s}\nspec: {image: x:1}\n";
        check_with(
            &["--image-path", "Set.a.io=/spec/image"],
            text,
            0,
            "{\"file\":\"-\",\"document\":0,\"object\":\"Set//s\",\"field\":\"-#a.io/Set//s#/spec/image\",\"container\":\"/spec/image\",\"image\":\"x:1\",\"start\":64,\"end\":67,\"policy\":null}\n",
        );
        check_with(&["--image-path", "Set.b.io=/spec/image"], text, 0, "");
        let cli = Cli::try_parse_from(["images", "-", "--image-path", "Set.a.io=spec/image"]).unwrap();
        let failure = run(&cli.args, &mut text.as_bytes(), &mut Vec::new()).unwrap_err();
        assert_eq!(
            failure.chain(),
            "--image-path `Set.a.io=spec/image`: the path `spec/image` does not begin with `/` (hint: write a JSON pointer, such as `/spec/templates/*/container/image`)"
        );
    }

    #[test]
    fn what_is_no_file_is_refused_and_the_others_are_answered() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().to_str().unwrap();
        let cli = Cli::try_parse_from(["images", path, "-"]).unwrap();
        let mut output = Vec::new();
        let text = "kind: Pod\nspec: {containers: [{name: c, image: x}]}\n";
        let failure = run(&cli.args, &mut text.as_bytes(), &mut output).unwrap_err();
        assert_eq!(failure.chain(), format!("{path} is no regular file (hint: name a YAML or JSON file)"));
        assert!(!output.is_empty());
    }
}
