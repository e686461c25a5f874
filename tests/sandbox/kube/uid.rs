//! Unique ids in the form of a UUID.

use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use sha2::{Digest, Sha256};

/// A UUID that no other call in this process returns.
pub fn fresh() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let seed = format!("{} {} {count}", std::process::id(), Timestamp::now().as_nanosecond());
    let digest = Sha256::digest(seed.as_bytes());
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..32])
}

/// Five letters and digits as controllers append them to names.
pub fn suffix() -> String {
    fresh().chars().filter(char::is_ascii_alphanumeric).take(5).collect()
}
