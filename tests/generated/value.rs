//! Images and tags as people write them.

use fastrand::Rng;

const NAMES: &[&str] = &[
    "nginx",
    "acme/web",
    "ghcr.io/acme/web",
    "localhost:5000/a/b-c_d",
    "registry.example.com:443/x/y.z",
    "[::1]:5000/v6",
];

/// Tags, half of them something else when they are not quoted.
const TAGS: &[&str] = &[
    "1.4.2",
    "v1",
    "latest",
    "main-3f2a",
    "2026.01.05",
    "1.2.3-rc.1_x",
    "1.10",
    "1",
    "1e3",
    "0644",
    "0x10",
    "0o17",
    "0b1",
    "1_000",
    "yes",
    "No",
    "on",
    "null",
    "Null",
    "true",
    "2026-01-05",
    "12e4567",
    "_1",
    "1.",
    "0",
    "y",
    "N",
    "08",
    "1.2_3",
];

const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

pub(crate) fn pick<'a>(random: &mut Rng, of: &[&'a str]) -> &'a str {
    of[random.usize(..of.len())]
}

pub(crate) fn tag(random: &mut Rng) -> String {
    if random.u8(..4) > 0 {
        return pick(random, TAGS).to_owned();
    }
    let rest: String =
        (0..random.usize(..12)).map(|_| pick(random, &["a", "Z", "0", "9", ".", "-", "_", "e"])).collect();
    format!("{}{rest}", pick(random, &["a", "Z", "0", "9", "_"]))
}

/// A name without a `[` where it would have to be quoted.
pub(crate) fn name(random: &mut Rng) -> String {
    pick(random, &NAMES[..NAMES.len() - 1]).to_owned()
}

pub(crate) fn digest() -> String {
    DIGEST.to_owned()
}

pub(crate) fn image(random: &mut Rng) -> String {
    let name = pick(random, NAMES);
    match random.u8(..8) {
        0 => name.to_owned(),
        1 => format!("{name}:{}@{DIGEST}", tag(random)),
        2 => format!("{name}@{DIGEST}"),
        _ => format!("{name}:{}", tag(random)),
    }
}
