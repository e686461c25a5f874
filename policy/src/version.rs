//! A tag read as a version: total order and tie-break.
