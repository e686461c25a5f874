//! `tidegate version`: the name and version of this build.

use std::io::{BufRead, Write};

use serde::Serialize;

use super::{Format, unwritten, write_json};
use crate::error::Failure;

/// The name of the product's binary.
const NAME: &str = "tidegate";

/// The version of this build.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Arguments of `version`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// How the answer is written
    #[arg(short = 'o', long, value_enum, default_value_t)]
    pub output: Format,
}

#[derive(Serialize)]
struct Answer {
    name: &'static str,
    version: &'static str,
}

/// Writes name and version.
pub fn run(args: &Args, _input: &mut dyn BufRead, output: &mut dyn Write) -> Result<u8, Failure> {
    match args.output {
        Format::Text => writeln!(output, "{NAME} {VERSION}").map_err(unwritten)?,
        Format::Json => write_json(output, &Answer { name: NAME, version: VERSION })?,
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_and_version_are_printed_for_people_and_scripts() {
        for (format, expect) in [
            (Format::Text, format!("tidegate {VERSION}\n")),
            (Format::Json, format!("{{\"name\":\"tidegate\",\"version\":\"{VERSION}\"}}\n")),
        ] {
            let mut output = Vec::new();
            run(&Args { output: format }, &mut std::io::empty(), &mut output).unwrap();
            assert_eq!(String::from_utf8(output).unwrap(), expect);
        }
    }
}
