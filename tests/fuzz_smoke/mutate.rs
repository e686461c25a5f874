//! New inputs from old ones: bytes changed, cut, repeated, moved between inputs, and words of the formats put in.

use fastrand::Rng;

const LONGEST: usize = 16 << 10;

/// Texts that parsers look for.
const WORDS: &[&str] = &[
    "\n",
    "\r\n",
    "\t",
    "\u{feff}",
    "---\n",
    "...\n",
    "#",
    "# tidegate: ",
    "&a ",
    "*a",
    "<<: ",
    "{",
    "}",
    "[",
    "]",
    ": ",
    "- ",
    "|",
    ">-",
    "'",
    "\"",
    "\\",
    "\0",
    "@",
    ":",
    "/",
    ",",
    "||",
    " - ",
    ">=",
    "<",
    "~",
    "^",
    "=",
    "!=",
    "*",
    "x",
    "-0",
    "-rc.1",
    "+build",
    "v",
    "0",
    "09",
    "18446744073709551615",
    "18446744073709551616",
    "é",
    "policy=",
    "tags=",
    "window=",
    "hold=",
    "semver:",
    "regex:",
    "glob:",
    "(?P<version>",
    "image: ",
    "images:",
    "newTag: ",
    "sha256:",
    "%",
    "yes",
    "1e3",
    "0x1f",
    "!!str ",
    "{{ ",
    "metadata:",
    "name: web",
];

/// Makes one input.
pub(crate) fn input(corpus: &[Vec<u8>], random: &mut Rng) -> Vec<u8> {
    let mut input = random.choice(corpus).cloned().unwrap_or_default();
    for _ in 0..random.usize(1..8) {
        change(&mut input, corpus, random);
    }
    input.truncate(LONGEST);
    input
}

fn change(input: &mut Vec<u8>, corpus: &[Vec<u8>], random: &mut Rng) {
    let at = random.usize(0..=input.len());
    let end = random.usize(at..=input.len().min(at + 64));
    match random.u8(0..7) {
        0 => input.splice(at..at, random.choice(WORDS).unwrap_or(&"").bytes()).for_each(drop),
        1 => input.splice(at..end, random.choice(WORDS).unwrap_or(&"").bytes()).for_each(drop),
        2 => input.drain(at..end).for_each(drop),
        3 => {
            let slice = input[at..end].to_vec();
            let times = random.usize(1..4);
            input.splice(at..at, slice.repeat(times)).for_each(drop);
        }
        4 => {
            let other = random.choice(corpus).cloned().unwrap_or_default();
            let from = random.usize(0..=other.len());
            let to = random.usize(from..=other.len());
            input.splice(at..at, other[from..to].iter().copied()).for_each(drop);
        }
        5 => input.iter_mut().skip(at).take(1).for_each(|byte| *byte = random.u8(..)),
        _ => input.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << random.u8(0..8)),
    }
}
