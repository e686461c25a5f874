//! Versions and ranges.

use std::cmp::Ordering;

use tidegate_policy::range::{Admission, Range};
use tidegate_policy::version::{Version, compare_spellings};

/// The order of any three lines is an order, and `newer` is strict.
pub fn version(data: &[u8]) {
    let text = super::text(data);
    let mut lines = text.splitn(3, '\n');
    let mut next = || lines.next().unwrap_or_default();
    let (a, b, c) = (next(), next(), next());
    check_order([a, b, c], compare_spellings);
    let versions = [a, b, c].map(Version::parse);
    for (version, text) in versions.iter().zip([a, b, c]) {
        let Some(version) = version else { continue };
        assert!((1..=3).contains(&version.parts()), "{text:?}");
        assert_eq!(version.is_pre_release(), !version.pre().is_empty());
        assert!(!version.is_newer_than(version));
    }
    if let [Some(a), Some(b), Some(c)] = versions {
        check_order([&a, &b, &c], Ord::cmp);
        assert_eq!(a.is_newer_than(&b), a > b);
    }
}

fn check_order<T: Copy + std::fmt::Debug>([a, b, c]: [T; 3], compare: impl Fn(T, T) -> Ordering) {
    assert_eq!(compare(a, b), compare(b, a).reverse(), "{a:?} {b:?}");
    if compare(a, b) != Ordering::Greater && compare(b, c) != Ordering::Greater {
        assert_ne!(compare(a, c), Ordering::Greater, "{a:?} {b:?} {c:?}");
    }
}

/// The first line is a range, the others are versions: what a range admits does not change when it is read
/// again or written twice, and a pre-release is admitted only where one is named.
pub fn range(data: &[u8]) {
    let text = super::text(data);
    let (first, rest) = text.split_once('\n').unwrap_or((&text, ""));
    let range = match Range::parse(first) {
        Ok(range) => range,
        Err(error) => {
            assert!(!error.to_string().is_empty() && !error.hint().is_empty());
            return;
        }
    };
    assert_eq!(Range::parse(range.as_str()).as_ref(), Ok(&range));
    let either = Range::parse(&format!("{first} || {first}")).ok();
    for version in rest.lines().filter_map(Version::parse).take(64) {
        let admission = range.admission(&version);
        assert_eq!(range.admits(&version), admission == Admission::Admitted);
        if !version.is_pre_release() {
            assert_ne!(admission, Admission::PreRelease);
        } else if !first.contains('-') {
            assert_ne!(admission, Admission::Admitted, "{first:?} names no pre-release");
        }
        if let Some(either) = &either {
            assert_eq!(either.admission(&version), admission, "{first:?} written twice");
        }
    }
}
