//! The verbs of the command line: each reads its own arguments, answers on `output` and returns the exit code.
//!
//! Exit codes of all verbs: 0 fine or nothing to do · 1 findings or changes · 2 could not answer · 3 not found.
//! Not here: which verbs there are and how a failure is printed (the binary's business).

pub mod explain;
mod file;
pub mod health;
mod image_path;
mod look;
pub mod manifest_images;
pub mod manifest_set_image;
pub mod plan;
pub mod policy_select;
pub mod reference_parse;
pub mod run;
pub mod version;

use std::io::Write;

use serde::Serialize;

use crate::error::Failure;

/// How an answer is written (`-o`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For scripts.
    Json,
}

/// Writes one JSON value on one line.
pub fn write_json(output: &mut dyn Write, value: &impl Serialize) -> Result<(), Failure> {
    serde_json::to_writer(&mut *output, value).map_err(|error| unwritten(error.into()))?;
    output.write_all(b"\n").map_err(unwritten)
}

/// Wraps a failure to write the answer.
pub fn unwritten(error: std::io::Error) -> Failure {
    Failure::reject("the answer could not be written").because(error)
}
