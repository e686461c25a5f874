//! `tidegate reference parse`: image references as a container runtime reads them.

use std::io::{BufRead, Write};

use serde::Serialize;
use tidegate_policy::reference::{Digest, ImageReference, Tag};

use super::write_json;
use crate::error::Failure;

/// Arguments of `reference parse`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Image references, e.g. `nginx:1.27` or `ghcr.io/acme/web@sha256:…`
    #[arg(required = true, value_name = "REF")]
    pub references: Vec<String>,
}

/// The answer for one reference; a stable shape.
#[derive(Serialize)]
struct Answer<'a> {
    input: &'a str,
    valid: bool,
    registry: Option<&'a str>,
    repository: Option<&'a str>,
    tag: Option<&'a str>,
    digest: Option<&'a str>,
    canonical: Option<String>,
    error: Option<String>,
}

/// Writes one JSON object a line; an invalid reference is an answer, not a failure.
pub fn run(args: &Args, _input: &mut dyn BufRead, output: &mut dyn Write) -> Result<u8, Failure> {
    for input in &args.references {
        let parsed = ImageReference::parse(input);
        let reference = parsed.as_ref().ok();
        let answer = Answer {
            input,
            valid: reference.is_some(),
            registry: reference.map(|reference| reference.repository.registry.as_str()),
            repository: reference.map(|reference| reference.repository.path.as_str()),
            tag: reference.and_then(|reference| reference.tag.as_ref()).map(Tag::as_str),
            digest: reference.and_then(|reference| reference.digest.as_ref()).map(Digest::as_str),
            canonical: reference.map(ToString::to_string),
            error: parsed.as_ref().err().map(ToString::to_string),
        };
        write_json(output, &answer)?;
    }
    Ok(0)
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
    fn check(args: &[&str], expect: &[&str]) {
        let cli = Cli::try_parse_from(std::iter::once(&"parse").chain(args)).expect("arguments");
        let mut output = Vec::new();
        assert_eq!(run(&cli.args, &mut std::io::empty(), &mut output).expect("an answer"), 0);
        let output = String::from_utf8(output).unwrap();
        assert_eq!(output.lines().collect::<Vec<_>>(), expect);
    }

    #[test]
    fn references_are_normalized_one_a_line() {
        check(
            &["nginx:1.27", "[::1]:5000/web"],
            &[
                r#"{"input":"nginx:1.27","valid":true,"registry":"docker.io","repository":"library/nginx","tag":"1.27","digest":null,"canonical":"docker.io/library/nginx:1.27","error":null}"#,
                r#"{"input":"[::1]:5000/web","valid":true,"registry":"[::1]:5000","repository":"web","tag":null,"digest":null,"canonical":"[::1]:5000/web","error":null}"#,
            ],
        );
    }

    #[test]
    fn an_invalid_reference_is_an_answer() {
        check(
            &["--", "-x", "A"],
            &[
                r#"{"input":"-x","valid":false,"registry":null,"repository":null,"tag":null,"digest":null,"canonical":null,"error":"`-x` is no repository name: the component `-x` must start and end with a letter or digit"}"#,
                r#"{"input":"A","valid":false,"registry":null,"repository":null,"tag":null,"digest":null,"canonical":null,"error":"`A` is no repository name: it must be lower case, but holds `A`"}"#,
            ],
        );
    }

    #[test]
    fn no_reference_is_a_usage_error() {
        assert!(Cli::try_parse_from(["parse"]).is_err());
    }
}
