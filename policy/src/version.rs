//! A tag read as a version: total order and tie-break.
//!
//! The reading is that of `Masterminds/semver` v3 `NewVersion`, the one that Flux, Helm and Argo CD use:
//! an optional leading `v`, one to three numeric parts, leading zeros allowed, then pre-release and build.
//! Not here: ranges (see [`crate::range`]) and which tags are candidates (see [`crate::select`]).

use std::cmp::Ordering;

use semver::{BuildMetadata, Prerelease};

/// Longest text that is read as a version, in bytes.
const VERSION_BYTES_MAX: usize = 256;

/// A version, and how many numeric parts it was written with.
#[derive(Clone, Debug)]
pub struct Version {
    number: semver::Version,
    parts: u8,
}

impl Version {
    /// Reads a version; `None` if the text is none, or a part does not fit 64 bits.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > VERSION_BYTES_MAX {
            return None;
        }
        let rest = text.strip_prefix('v').unwrap_or(text);
        // Neither numbers nor the pre-release hold a `+`; a build may hold a `-`.
        let (rest, build) = match rest.split_once('+') {
            Some((rest, build)) => (rest, Some(build)),
            None => (rest, None),
        };
        let (numbers, pre) = match rest.split_once('-') {
            Some((numbers, pre)) => (numbers, Some(pre)),
            None => (rest, None),
        };
        let mut number = semver::Version::new(0, 0, 0);
        let mut parts = 0;
        for text in numbers.split('.') {
            let slot = match parts {
                0 => &mut number.major,
                1 => &mut number.minor,
                2 => &mut number.patch,
                _ => return None,
            };
            *slot = part(text)?;
            parts += 1;
        }
        if let Some(pre) = pre {
            number.pre = Prerelease::new(pre).ok().filter(|pre| !pre.is_empty())?;
        }
        // The build takes no part in the order: it is checked and forgotten.
        if let Some(build) = build {
            let valid = !build.is_empty() && BuildMetadata::new(build).is_ok();
            valid.then_some(())?;
        }
        Some(Self { number, parts })
    }

    /// The first number.
    pub fn major(&self) -> u64 {
        self.number.major
    }

    /// The second number; 0 if it was not written.
    pub fn minor(&self) -> u64 {
        self.number.minor
    }

    /// The third number; 0 if it was not written.
    pub fn patch(&self) -> u64 {
        self.number.patch
    }

    /// The pre-release without its dash; empty for a release.
    pub fn pre(&self) -> &str {
        self.number.pre.as_str()
    }

    /// Whether it is a pre-release.
    pub fn is_pre_release(&self) -> bool {
        !self.number.pre.is_empty()
    }

    /// How many numeric parts were written: 1 to 3.
    pub fn parts(&self) -> u8 {
        self.parts
    }

    /// Whether it is strictly newer than `other`; a build alone makes nothing newer.
    pub fn is_newer_than(&self, other: &Self) -> bool {
        self > other
    }
}

/// Reads one numeric part.
fn part(text: &str) -> Option<u64> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// Semantic precedence: the build and the number of parts written take no part.
impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.number.cmp_precedence(&other.number)
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Version {}

/// Orders two spellings of an equal value: the longer is preferred, then the greater text.
///
/// Together with the order of the values this is total over distinct texts, so no result depends on input order.
pub fn compare_spellings(a: &str, b: &str) -> Ordering {
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, expect: Option<(u64, u64, u64, &str, u8)>) {
        let version = Version::parse(text);
        let found = version.as_ref().map(|v| (v.major(), v.minor(), v.patch(), v.pre(), v.parts()));
        assert_eq!(found, expect, "{text}");
    }

    #[track_caller]
    fn check_order(ascending: &[&str]) {
        for pair in ascending.windows(2) {
            let [older, newer] = [pair[0], pair[1]].map(|text| Version::parse(text).expect(text));
            assert!(newer.is_newer_than(&older), "{} > {}", pair[1], pair[0]);
            assert!(!older.is_newer_than(&newer));
        }
    }

    #[test]
    fn one_to_three_parts_a_leading_v_and_leading_zeros_are_read() {
        check("1.4.2", Some((1, 4, 2, "", 3)));
        check("v1.4.2", Some((1, 4, 2, "", 3)));
        check("1.4", Some((1, 4, 0, "", 2)));
        check("v3", Some((3, 0, 0, "", 1)));
        check("2026.01.05", Some((2026, 1, 5, "", 3)));
        check("12345678", Some((12_345_678, 0, 0, "", 1)));
        check("1.2.3-rc.1", Some((1, 2, 3, "rc.1", 3)));
        check("1.2-rc1", Some((1, 2, 0, "rc1", 2)));
        check("1-alpine", Some((1, 0, 0, "alpine", 1)));
        check("1.2.3+build.7", Some((1, 2, 3, "", 3)));
        check("1.2.3-rc.1+build-7", Some((1, 2, 3, "rc.1", 3)));
        check("1.2.3--", Some((1, 2, 3, "-", 3)));
        check("1.2.3+001", Some((1, 2, 3, "", 3)));
        check("18446744073709551615", Some((u64::MAX, 0, 0, "", 1)));
    }

    #[test]
    fn everything_else_is_no_version() {
        for text in [
            "",
            "v",
            "V1.2.3",
            "vv1",
            "latest",
            "1.2.3.4",
            "1..2",
            ".1",
            "1.",
            "1.2.3-",
            "1.2.3+",
            "1.2.3-+b",
            "1.2.3-01",
            "1.2.3-a..b",
            "1.2.3-a_b",
            "1.2.3_1",
            " 1.2.3",
            "1.2.3 ",
            "1.2.3\n",
            "-1",
            "+1",
            "1.+2",
            "18446744073709551616",
            "1.18446744073709551616",
            "1.2.3+a+b",
            "0x10",
            "1.x",
            "١.٢",
        ] {
            check(text, None);
        }
        check(&format!("1.2.3-{}", "a".repeat(251)), None);
    }

    #[test]
    fn precedence_is_that_of_semantic_versions() {
        check_order(&["1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2"]);
        check_order(&["1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "v1.0.1", "1.2", "1.10", "2"]);
        check_order(&["2025.12.31", "2026.01.05", "2026.1.6"]);
    }

    #[test]
    fn a_build_or_another_spelling_is_not_newer() {
        for (a, b) in
            [("1.4.2", "1.4.2+b"), ("1.4", "1.4.0"), ("v1.4.0", "1.4.0"), ("2026.1.5", "2026.01.05")]
        {
            let [a, b] = [a, b].map(|text| Version::parse(text).unwrap());
            assert!(!a.is_newer_than(&b) && !b.is_newer_than(&a) && a == b);
        }
    }

    #[test]
    fn the_longer_then_the_greater_spelling_is_preferred() {
        assert_eq!(compare_spellings("1.4.0", "1.4"), Ordering::Greater);
        assert_eq!(compare_spellings("v1.4.0", "1.4.0"), Ordering::Greater);
        assert_eq!(compare_spellings("1.4.00", "01.4.0"), Ordering::Greater);
        assert_eq!(compare_spellings("1.4.0", "1.4.0"), Ordering::Equal);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn the_order_is_total(texts in prop::collection::vec("v?[0-3](\\.[0-2]){0,2}(-[a1-2]{1,2})?", 3)) {
            let mut versions: Vec<_> = texts.iter().filter_map(|text| Version::parse(text)).collect();
            versions.sort();
            for pair in versions.windows(2) {
                prop_assert!(pair[0] <= pair[1]);
            }
            let reversed: Vec<_> = versions.iter().rev().cloned().collect();
            let mut again = reversed;
            again.sort();
            prop_assert_eq!(again, versions);
        }
    }
}
