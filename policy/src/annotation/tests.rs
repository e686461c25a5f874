//! Keys and values as people write them.
