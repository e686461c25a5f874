//! Ranges as people write and miswrite them, and versions near their bounds.

use fastrand::Rng;

const OPERATORS: &[&str] = &["", "", "=", "!=", ">", "<", ">=", "=>", "<=", "=<", "~", "~>", "^"];
const ODD_OPERATORS: &[&str] = &["==", "~=", "<>", "><", ">>", "!"];
/// Numbers at which something changes.
const NUMBERS: &[&str] = &["0", "0", "1", "1", "2", "3", "4", "9", "10", "01", "09090", "2026"];
const WILD: &[&str] = &["x", "X", "*"];
const ODD_NUMBERS: &[&str] = &["18446744073709551615", "18446744073709551616", "", "a", "-1", "1e3"];
const PRE_RELEASES: &[&str] =
    &["-0", "-alpha", "-alpha.1", "-beta.2", "-rc.1", "-rc.10", "-rc1", "-1", "-a-b", "-x.7.z"];
const ODD_PRE_RELEASES: &[&str] = &["-", "-01", "-a..b", "-\u{e9}", "-a_b"];
const SPACES: &[&str] = &["", "", "", " ", " ", "  "];
const ODD: &[&str] = &[
    "",
    " ",
    "||",
    "*",
    "x",
    "*-0",
    "^1-0",
    "~0.0.0",
    "1.x.3",
    ">=09090",
    "latest",
    "v",
    "1.",
    ".1",
    "1..2",
    ",",
    "1,",
    "|| 1",
    "1 ||",
    "1 | 2",
    ">",
    "> =1",
    "^ 1.2",
    "^v1.2",
    ">=v1.2.3,<v2",
    "1.2 - 1.4",
    "1.2 -1.4",
    "1.2- 1.4",
    "1.2 - 1.4 || 2",
    "1.2 - 1.4||2",
    "1.2 - 1.4, !=1.3.0",
    "- 1",
    "~1.2.3-beta.2",
    "!=1.x",
    "!=x",
    ">x",
    "<*",
    ">=*",
    "<=x",
    "~x",
    "^x",
    "~*",
    "^*",
    "^0",
    "^0.0",
    "^0.0.3",
    "~0",
    "1.2.3+build",
    ">=1.2.3+build",
    "=1.2.3+a",
    "1.2.3 2.0.0",
    ">=1 <2 || >=3 <4",
    ">=1,<2||>=3,<4",
    ">1.2.3 <1.2.5-0",
    ">= 1.0.0-0",
    "1.1.*",
    "1.*.*",
    "1.*",
    "*.1",
    "*.*.*",
    "x.x",
];

fn pick<'a>(random: &mut Rng, from: &[&'a str]) -> &'a str {
    random.choice(from).copied().unwrap_or_default()
}

/// Whether this one of `of` is to be odd.
fn odd(random: &mut Rng, of: u8) -> bool {
    random.u8(0..of) == 0
}

fn version(random: &mut Rng, wild: bool) -> String {
    let mut text = pick(random, &["", "", "", "v"]).to_owned();
    let parts = random.choice([1, 2, 3, 3, 3]).unwrap_or(3) + usize::from(odd(random, 40));
    for part in 0..parts {
        if part > 0 {
            text.push('.');
        }
        let numbers = match () {
            () if odd(random, 60) => ODD_NUMBERS,
            () if wild && odd(random, 6) => WILD,
            () => NUMBERS,
        };
        text.push_str(pick(random, numbers));
    }
    if odd(random, 4) {
        let pre = if odd(random, 12) { ODD_PRE_RELEASES } else { PRE_RELEASES };
        text.push_str(pick(random, pre));
    }
    if odd(random, 16) {
        text.push_str(pick(random, &["+build", "+b.1", "+b.1", "+", "+a_b"]));
    }
    text
}

fn alternative(random: &mut Rng) -> String {
    if odd(random, 6) {
        let hyphen = pick(random, &[" - ", " - ", " - ", " -", "- ", "  -  "]);
        return format!("{}{hyphen}{}", version(random, true), version(random, true));
    }
    let mut text = String::new();
    for index in 0..random.choice([1, 1, 2, 2, 3]).unwrap_or(1) {
        if index > 0 {
            text.push_str(pick(random, &[" ", ",", ", ", " , ", "  "]));
        }
        let operators = if odd(random, 60) { ODD_OPERATORS } else { OPERATORS };
        text.push_str(pick(random, operators));
        text.push_str(pick(random, SPACES));
        text.push_str(&version(random, true));
    }
    text
}

fn range(random: &mut Rng) -> String {
    if odd(random, 8) {
        return pick(random, ODD).to_owned();
    }
    let alternatives = random.choice([1, 1, 1, 2, 2, 3]).unwrap_or(1);
    let mut text = pick(random, SPACES).to_owned();
    for index in 0..alternatives {
        if index > 0 {
            text.push_str(pick(random, &[" || ", " || ", "||", " ||", "|| "]));
        }
        text.push_str(&alternative(random));
    }
    text.push_str(pick(random, SPACES));
    if odd(random, 10) {
        mutate(random, &mut text);
    }
    text
}

const CHARACTERS: &[char] = &[
    '0', '1', '2', '9', '.', 'x', 'X', '*', '-', '+', '~', '^', '<', '>', '=', '!', '|', ',', ' ', 'v', 'a',
    'b', '\u{e9}',
];

/// Changes, takes out or puts in one character.
fn mutate(random: &mut Rng, text: &mut String) {
    let mut chars: Vec<char> = text.chars().collect();
    let at = random.usize(0..=chars.len());
    let new = random.choice(CHARACTERS).copied().unwrap_or('0');
    match random.u8(0..3) {
        0 => chars.insert(at, new),
        1 if at < chars.len() => drop(chars.remove(at)),
        _ => chars.iter_mut().skip(at).take(1).for_each(|c| *c = new),
    }
    *text = chars.into_iter().collect();
}

/// The versions that stand in a range, and their neighbours.
fn near(random: &mut Rng, range: &str) -> String {
    let words: Vec<&str> =
        range.split(|c: char| " ,|<>=!~^".contains(c)).filter(|word| !word.is_empty()).collect();
    let Some(word) = random.choice(words) else { return version(random, false) };
    let numbers = word.trim_start_matches('v').split(['-', '+']).next().unwrap_or_default();
    let mut parts: Vec<u64> = numbers.split('.').map(|part| part.parse().unwrap_or(0)).take(3).collect();
    let at = random.usize(0..parts.len().max(1));
    for part in parts.iter_mut().skip(at).take(1) {
        *part = random.choice([part.wrapping_sub(1), *part, part.wrapping_add(1)]).unwrap_or(0);
    }
    let parts: Vec<String> = parts.iter().map(u64::to_string).collect();
    let pre = if odd(random, 3) { pick(random, PRE_RELEASES) } else { "" };
    format!("{}{pre}", parts.join("."))
}

/// Draws ranges, and versions for each.
pub(super) fn pairs(seed: u64, ranges: usize, versions: usize) -> Vec<(String, String)> {
    let mut random = Rng::with_seed(seed);
    let mut pairs = Vec::with_capacity(ranges * versions);
    for _ in 0..ranges {
        let range = range(&mut random);
        for _ in 0..versions {
            let version =
                if odd(&mut random, 3) { version(&mut random, false) } else { near(&mut random, &range) };
            pairs.push((range.clone(), version));
        }
    }
    pairs
}
