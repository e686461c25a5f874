//! Reading the files that offline verbs are given.

use std::fs::File;
use std::io::{BufRead, Read};

use crate::error::Failure;

/// Most that is read of a file, in bytes: more than the scan accepts, so that it refuses the rest by name.
const FILE_BYTES_MAX: u64 = (4 << 20) + 1;

/// Reads a regular file, or standard input for `-`; never more than is needed to refuse it.
pub(super) fn read(file: &str, input: &mut dyn BufRead) -> Result<Vec<u8>, Failure> {
    let unreadable = |error| Failure::reject(format!("{file} cannot be read")).because(error);
    let mut bytes = Vec::new();
    if file == "-" {
        input.take(FILE_BYTES_MAX).read_to_end(&mut bytes).map_err(unreadable)?;
        return Ok(bytes);
    }
    // Asked before it is opened: opening a named pipe would wait for a writer.
    if !std::fs::metadata(file).map_err(unreadable)?.is_file() {
        return Err(Failure::reject(format!("{file} is no regular file")).hint("name a YAML or JSON file"));
    }
    let open = File::open(file).map_err(unreadable)?;
    open.take(FILE_BYTES_MAX).read_to_end(&mut bytes).map_err(unreadable)?;
    Ok(bytes)
}
