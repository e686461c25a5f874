//! A table of the dialect's cases, and properties against brute force.
//!
//! Each row was compared with `Masterminds/semver` v3.5.0, as were some hundred thousand generated ones;
//! the rows under `deliberately_refused` are the only known differences.

use proptest::prelude::*;

use super::*;

fn version(text: &str) -> Version {
    Version::parse(text).unwrap_or_else(|| panic!("{text}"))
}

#[track_caller]
fn check(range: &str, inside: &[&str], outside: &[&str]) {
    let range = Range::parse(range).unwrap_or_else(|error| panic!("{range}: {error}"));
    for text in inside {
        assert!(range.admits(&version(text)), "{range} must admit {text}");
    }
    for text in outside {
        assert!(!range.admits(&version(text)), "{range} must not admit {text}");
    }
}

#[track_caller]
fn check_error(range: &str, expect: &str) {
    let error = Range::parse(range).expect_err(range);
    assert_eq!(error.to_string(), expect, "{range}");
    assert!(!error.hint().is_empty());
}

#[test]
fn tilde_holds_all_but_the_last_part_written() {
    check("~1.4", &["1.4.0", "1.4.99", "v1.4.2", "1.4"], &["1.3.9", "1.5.0", "2.4.0", "0.4.0"]);
    check("~1.4.2", &["1.4.2", "1.4.3"], &["1.4.1", "1.5.0"]);
    check("~1", &["1.0.0", "1.99.0"], &["0.9.0", "2.0.0"]);
    check("~>1.4", &["1.4.5"], &["1.5.0"]);
    check("~1.x", &["1.9.9"], &["2.0.0"]);
    check("~0.0.0", &["0.0.0", "7.1.2"], &[]);
    check("~0.0", &["0.0.7"], &["0.1.0", "1.0.0"]);
    check("~*", &["0.0.0", "12.0.1"], &["1.0.0-rc.1"]);
}

#[test]
fn caret_holds_up_to_the_first_number_that_is_not_zero() {
    check("^1.2.3", &["1.2.3", "1.99.0"], &["1.2.2", "2.0.0", "0.2.3"]);
    check("^1.2", &["1.2.0", "1.9.0"], &["1.1.9", "2.0.0"]);
    check("^1", &["1.0.0"], &["2.0.0", "0.9.0"]);
    check("^0.2.3", &["0.2.3", "0.2.9"], &["0.3.0", "0.2.2", "1.2.3"]);
    check("^0.2", &["0.2.0", "0.2.9"], &["0.3.0"]);
    check("^0.0.3", &["0.0.3"], &["0.0.4", "0.1.0"]);
    check("^0.0", &["0.0.0", "0.0.9"], &["0.1.0"]);
    check("^0", &["0.0.0", "0.9.9"], &["1.0.0"]);
    check("^*", &["0.0.0"], &["0.0.1", "1.0.0"]);
}

#[test]
fn a_bare_version_is_exact_and_a_bare_part_is_any() {
    check("1.2.3", &["1.2.3", "v1.2.3", "1.2.3+build"], &["1.2.4", "1.2.2", "1.2.3-rc.1"]);
    check("=1.2.3", &["1.2.3"], &["1.2.4"]);
    check("1.2", &["1.2.0", "1.2.9"], &["1.3.0", "1.1.0"]);
    check("= 1.2", &["1.2.9"], &["1.3.0"]);
    check("v1", &["1.0.0", "1.9.0"], &["2.0.0"]);
    for any in ["*", "x", "X", "v*", "=*", "*.*", "x.1.2"] {
        check(any, &["0.0.0", "1.2.3", "20.1.0"], &["1.0.0-0"]);
    }
    check("1.x", &["1.0.0", "1.9.9"], &["2.0.0"]);
    check("1.*.7", &["1.0.0", "1.9.9"], &["2.0.0"]);
    check("1.2.X", &["1.2.0", "1.2.9"], &["1.3.0"]);
}

#[test]
fn comparators_know_missing_parts() {
    check(">1.2.3", &["1.2.4", "2.0.0"], &["1.2.3", "1.2.2"]);
    check(">1.2", &["1.3.0", "2.0.0"], &["1.2.9", "1.2.0", "0.9.0"]);
    check(">1", &["2.0.0"], &["1.9.9", "0.9.0"]);
    check(">=1.2", &["1.2.0", "2.0.0"], &["1.1.9"]);
    check("=>1.2", &["1.2.0"], &["1.1.9"]);
    check("<1.2", &["1.1.9"], &["1.2.0", "1.2.5"]);
    check("<=1.2", &["1.2.9", "1.2.0", "0.1.0"], &["1.3.0", "2.0.0"]);
    check("=<1", &["1.9.9"], &["2.0.0"]);
    check("<=1.2.3", &["1.2.3"], &["1.2.4"]);
    check("<=*", &["0.0.9"], &["0.1.0", "1.0.0"]);
    check(">*", &["0.0.1", "3.0.0"], &["0.0.0"]);
    check("!=1.2.3", &["1.2.4", "1.2.2"], &["1.2.3"]);
    check("!=1.2", &["1.3.0", "2.2.0"], &["1.2.0", "1.2.9"]);
    check("!=1", &["2.0.0", "0.1.0"], &["1.0.0", "1.9.0"]);
    check("!=*", &["0.0.1", "1.0.0"], &["0.0.0"]);
}

#[test]
fn space_and_comma_are_and_bars_are_or() {
    for range in [">=1.2 <2", ">=1.2, <2", ">=1.2,<2", ">= 1.2 , < 2", "  >=1.2\t<2  "] {
        check(range, &["1.2.0", "1.9.9"], &["1.1.9", "2.0.0"]);
    }
    check(">=1.2 <2 !=1.3.1", &["1.3.0"], &["1.3.1"]);
    check("~1.2 || ~2.0", &["1.2.5", "2.0.1"], &["1.3.0", "2.1.0"]);
    check("1.2||2||4.0.1", &["1.2.0", "2.9.0", "4.0.1"], &["1.3.0", "4.0.2"]);
    check("<1 || >=2 <3", &["0.9.0", "2.5.0"], &["1.5.0", "3.0.0"]);
}

#[test]
fn a_hyphen_range_includes_both_ends() {
    check("1.2 - 1.4", &["1.2.0", "1.4.0", "1.4.9"], &["1.1.9", "1.5.0"]);
    check("1.2.3 - 1.4.5", &["1.2.3", "1.4.5"], &["1.2.2", "1.4.6"]);
    check("v1  -  v2", &["1.0.0", "2.9.9"], &["0.9.0", "3.0.0"]);
    check("1 - 2 || 4 - 5", &["1.5.0", "4.5.0"], &["3.0.0"]);
    check("1 - 3, !=2.0.0", &["1.0.0", "2.0.1"], &["2.0.0"]);
    check("!=2.0.0, 1 - 3", &["1.0.0"], &["2.0.0"]);
    check("1 - 3 <3", &["2.9.0"], &["3.0.0"]);
    check("1.0.0-rc.1 - 1.1", &["1.0.0-rc.1", "1.0.0", "1.1.5"], &["1.0.0-alpha", "1.2.0"]);
}

#[test]
fn pre_releases_are_admitted_only_where_the_and_group_names_one() {
    check("~1.4", &[], &["1.4.0-rc.1", "1.4.5-rc.1"]);
    check(">=1.4", &[], &["2.0.0-rc.1"]);
    check("!=1.0.0", &[], &["2.0.0-rc.1"]);
    check(">=1.4-0", &["1.4.0-0", "1.4.0-rc.1", "2.0.0-alpha", "2.0.0"], &["1.3.0"]);
    check("~1.4.0-0", &["1.4.0-rc.1", "1.4.7-rc.1"], &["1.5.0-rc.1"]);
    check(
        "^1.2.3-beta.2",
        &["1.2.3-beta.10", "1.2.3-rc", "1.2.4-alpha", "1.9.0"],
        &["1.2.3-beta.1", "2.0.0"],
    );
    check(">=1.0.0-0 <2", &["1.5.0-rc.1", "2.0.0-rc.1"], &["2.0.0"]);
    check("*-0", &["1.0.0-rc.1", "0.0.0-0"], &[]);
    check("1.x-0", &["1.0.0-0", "1.2.0-rc.1"], &["2.0.0-rc.1"]);
    check("!=1.2-rc.1", &["1.2.0-rc.2", "1.2.0"], &["1.2.3-rc.1"]);
    check("~1.4 || ~2.0-0", &["1.4.2", "2.0.0-rc.1"], &["1.4.2-rc.1", "3.0.0-rc.1"]);
}

#[test]
fn a_pre_release_that_was_not_asked_for_is_told_apart() {
    for (range, text, expect) in [
        ("~1.4", "1.4.3-rc.1", Admission::PreRelease),
        ("~1.4", "2.0.0-rc.1", Admission::PreRelease),
        ("~1.4", "2.0.0", Admission::Outside),
        ("~1.4 || ~2.0-0", "1.4.3-rc.1", Admission::PreRelease),
        ("~1.4 || ~2.0-0", "3.0.0-rc.1", Admission::Outside),
        (">=1.4-0", "1.3.0-rc.1", Admission::Outside),
        (">=1.4-0", "1.5.0-rc.1", Admission::Admitted),
    ] {
        assert_eq!(Range::parse(range).unwrap().admission(&version(text)), expect, "{range} {text}");
    }
}

#[test]
fn leading_zeros_and_calendar_versions_are_read() {
    check(">=2026.01", &["2026.01.05", "2026.1.0", "2027.1.1"], &["2025.12.31"]);
    check("~2026.01.05", &["2026.01.31"], &["2026.02.01", "2026.01.04"]);
}

#[test]
fn the_oddities_of_the_dialect_are_kept() {
    // A part behind one that stands for any number is read and means nothing.
    check("1.x.3", &["1.0.0", "1.9.9"], &["2.0.0", "0.9.0"]);
    check("*.1.2", &["0.0.0", "7.8.9"], &["1.0.0-rc.1"]);
    // A pre-release on what stands for any number asks for pre-releases.
    check("*-0", &["1.0.0-alpha", "1.0.0"], &[]);
    check("^1-0", &["1.0.0-alpha", "1.9.9-rc.1", "1.2.3"], &["0.9.9", "2.0.1"]);
    // A tilde on three zeros admits everything.
    check("~0.0.0", &["0.0.0", "0.0.1", "9.9.9"], &["1.0.0-rc.1"]);
    // Leading zeros are numbers.
    check(">=09090", &["9090.0.0", "9091"], &["9089.9.9"]);
    check("=2026.01.05", &["2026.1.5", "2026.01.05"], &["2026.1.50"]);
    // Spaces and a `v` stand nearly everywhere.
    check("  >= v1.2 ,  <v2 ", &["1.2.0", "1.9.9"], &["2.0.0"]);
    check("=> 1.2 =< 1.4", &["1.2.0", "1.4.9"], &["1.1.9", "1.5.0"]);
}

#[test]
fn errors_name_the_part_and_its_place() {
    check_error("", "the range is empty");
    check_error(" \t", "the range is empty");
    check_error("nonsense", "at byte 0 of the range, `nonsense`: a version is missing");
    check_error(">=1.2 <", "after byte 7 of the range: a version is missing");
    check_error(">=1.2 <two", "at byte 7 of the range, `two`: a version is missing");
    check_error("~1.4 ||", "after byte 7 of the range: an alternative is empty");
    check_error("|| ~1.4", "after byte 0 of the range: an alternative is empty");
    check_error("1.2.3.4", "at byte 5 of the range, `.4`: unexpected text after a version");
    check_error(">=1.2,", "after byte 6 of the range: a comparator is missing after the comma");
    check_error(">=1.2,,<2", "at byte 6 of the range, `,<2`: a version is missing");
    check_error(",1", "at byte 0 of the range, `,1`: a version is missing");
    check_error(">=1.2<2", "at byte 5 of the range, `<2`: unexpected text after a version");
    check_error("==1.2", "at byte 1 of the range, `=1.2`: a version is missing");
    check_error("1.2.3-01", "at byte 0 of the range, `1.2.3-01`: this is no version");
    check_error("1x", "at byte 0 of the range, `1x`: this is no version");
    check_error("1|2", "at byte 0 of the range, `1|2`: this is no version");
    check_error("~1.4 | ~1.5", "at byte 5 of the range, `|`: this is no version");
    check_error("V1.2", "at byte 0 of the range, `V1.2`: a version is missing");
    check_error("18446744073709551616", "at byte 0 of the range, `18446744073709551616`: this is no version");
    check_error(">=1 - 2", "at byte 0 of the range, `>=1`: a hyphen range cannot stand here");
    check_error(">0 1 - 2", "at byte 3 of the range, `1`: a hyphen range cannot stand here");
    check_error("1 - 2 - 3", "at byte 6 of the range, `-`: a version is missing");
    check_error("~1.4\u{a0}", "at byte 4 of the range, `\\u{a0}`: unexpected text after a version");
}

#[test]
fn sizes_are_bounded() {
    check_error(&format!("~1.4{}", " ".repeat(512)), "the range has 516 bytes, at most 512 are allowed");
    check_error(&["1"; 33].join("||"), "the range has 33 alternatives, at most 32 are allowed");
    check(&["1"; 32].join("||"), &["1.5.0"], &["2.0.0"]);
}

#[test]
fn deliberately_refused() {
    // In the dialect's source this is `>=1 || 2, <=3`, which nobody means.
    check_error("1||2 - 3", "at byte 3 of the range, `2`: a hyphen range cannot stand here");
    check("1 || 2 - 3", &["1.5.0", "3.1.0"], &["4.0.0"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_text_is_read_or_refused(text in "[0-3xv*.~^=<>!|, -]{0,24}") {
        if let Ok(range) = Range::parse(&text) {
            range.admits(&version("1.2.3"));
        }
    }

    #[test]
    fn shorthand_is_its_written_out_form(major in 0u64..3, minor in 0u64..3, patch in 0u64..3,
                                         v in (0u64..4, 0u64..4, 0u64..4)) {
        let v = version(&format!("{}.{}.{}", v.0, v.1, v.2));
        let admits = |text: String| Range::parse(&text).unwrap().admits(&v);
        prop_assert_eq!(
            admits(format!("~{major}.{minor}")),
            admits(format!(">={major}.{minor}.0 <{major}.{}.0", minor + 1))
        );
        prop_assert_eq!(
            admits(format!("{major}.x")),
            admits(format!(">={major}.0.0, <{}.0.0", major + 1))
        );
        prop_assert_eq!(
            admits(format!("{major}.{minor}.{patch} - 3.1")),
            admits(format!(">={major}.{minor}.{patch} <3.2.0"))
        );
        prop_assert_ne!(
            admits(format!("<{major}.{minor}.{patch}")),
            admits(format!(">={major}.{minor}.{patch}"))
        );
    }
}
