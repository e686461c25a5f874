//! `tidegate health`: whether live objects work, as the sync loop judges them.
//!
//! Offline: the objects are read from a file, as `kubectl get -o yaml` or `-o json` prints them.

use std::io::{BufRead, Write};

use serde::Serialize;
use tidegate_policy::manifest::objects;
use tidegate_policy::sync::health::{Health, status};

use super::file::read;
use super::write_json;
use crate::clock::{Clock, SystemClock};
use crate::error::Failure;

/// Arguments of `health`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// File to read; `-` is standard input
    #[arg(value_name = "FILE")]
    pub file: String,
}

/// The answer for one object; a stable shape.
#[derive(Serialize)]
struct Answer {
    object: String,
    health: Health,
    message: String,
}

/// Writes one JSON object a line; what cannot be read goes to standard error and makes the exit code 1.
pub fn run(args: &Args, input: &mut dyn BufRead, output: &mut dyn Write) -> Result<u8, Failure> {
    let found = objects(&args.file, &read(&args.file, input)?);
    let now = SystemClock.now();
    for object in &found.objects {
        let judged = status(&object.value, now);
        let answer = Answer { object: object.id.to_string(), health: judged.health, message: judged.message };
        write_json(output, &answer)?;
    }
    for finding in &found.findings {
        eprintln!("{finding}");
    }
    Ok(u8::from(!found.findings.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, code: u8, expect: &str) {
        let mut output = Vec::new();
        let args = Args { file: "-".to_owned() };
        assert_eq!(run(&args, &mut text.as_bytes(), &mut output).unwrap(), code);
        assert_eq!(String::from_utf8(output).unwrap(), expect);
    }

    #[test]
    fn each_object_of_a_list_is_judged() {
        check(
            r#"{"apiVersion": "v1", "kind": "List", "items": [
                {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "a", "namespace": "n"},
                 "status": {"phase": "Bound"}},
                {"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "b", "generation": 2},
                 "status": {"observedGeneration": 1}}]}"#,
            0,
            "{\"object\":\"PersistentVolumeClaim/n/a\",\"health\":\"Current\",\"message\":\"bound\"}\n\
             {\"object\":\"Thing/b\",\"health\":\"InProgress\",\
             \"message\":\"generation 2 is not observed yet (1 is)\"}\n",
        );
    }

    #[test]
    fn what_cannot_be_read_is_a_finding() {
        check("kind: Pod\nmetadata: {name: a}\n", 1, "");
    }
}
