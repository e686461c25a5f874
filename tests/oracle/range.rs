//! What Masterminds/semver makes of a range and a version against what `policy::range` makes of them.
//!
//! The library itself answers, built from `masterminds/`. Where Go is missing, a part of its answers that was
//! recorded is compared instead (`TIDEGATE_RECORD=1` writes it anew). [`KNOWN`] is the whole list of differences.

mod draw;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tidegate_policy::range::Range;
use tidegate_policy::version::Version;
use tidegate_tests::harness::requirement;

/// Ranges that are drawn, and versions for each.
const RANGES: usize = 4_000;
const VERSIONS: usize = 12;
/// Pairs that are kept for machines without Go.
const RECORDED: usize = 4_000;

/// A difference that is meant: its name, and whether a range is one of these.
type Difference = (&'static str, fn(&str) -> bool);

/// Ranges that one of the two takes and the other refuses. `docs/testing.md` lists the same.
const KNOWN: &[Difference] = &[("`||` glued to a hyphen range", is_glued_hyphen)];

/// `1.2 - 1.4||2.0.0` is refused by the library, whose pattern for numbers takes in the `|`, and `3||1.2 - 1.4` is
/// given a meaning that nobody wants. Tidegate reads the first as it stands and refuses the second.
fn is_glued_hyphen(range: &str) -> bool {
    let glued = |(at, _): (usize, &str)| {
        let before = range[..at].chars().next_back();
        let after = range[at + 2..].chars().next();
        [before, after].into_iter().flatten().any(|c| !c.is_whitespace())
    };
    range.contains(" - ") && range.match_indices("||").any(glued)
}

/// Builds the oracle, once for each state of its sources; `None` if the test is skipped.
fn oracle() -> Option<PathBuf> {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("oracle/masterminds");
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("masterminds");
    let go = requirement::program("go", "https://go.dev/dl")?;
    let built = Command::new(go)
        .args(["build", "-trimpath", "-buildvcs=false", "-o"])
        .arg(&target)
        .arg(".")
        .current_dir(&sources)
        .output()
        .expect("go runs");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    Some(target)
}

/// Cells with tabs between them, a line each.
fn lines<'a, const CELLS: usize>(rows: impl Iterator<Item = [&'a str; CELLS]>) -> String {
    let mut text = String::new();
    for row in rows {
        text.push_str(&row.join("\t"));
        text.push('\n');
    }
    text
}

/// What the library says of each pair.
fn ask(oracle: &Path, pairs: &[(String, String)]) -> Vec<String> {
    let mut child =
        Command::new(oracle).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the oracle runs");
    let text = lines(pairs.iter().map(|(range, version)| [range.as_str(), version]));
    let mut input = child.stdin.take().expect("a pipe");
    let writer = std::thread::spawn(move || input.write_all(text.as_bytes()));
    let output = child.wait_with_output().expect("the oracle answers");
    writer.join().expect("the writer ends").expect("the oracle reads");
    assert!(output.status.success(), "the oracle fails");
    let answers: Vec<String> =
        String::from_utf8(output.stdout).expect("ASCII").lines().map(str::to_owned).collect();
    assert_eq!(answers.len(), pairs.len(), "one answer a pair");
    answers
}

/// What Tidegate says, in the words of the oracle.
fn ours(range: &str, version: &str) -> &'static str {
    let Ok(range) = Range::parse(range) else { return "invalid-range" };
    let Some(version) = Version::parse(version) else { return "invalid-version" };
    if range.admits(&version) { "yes" } else { "no" }
}

/// Fails if a pair differs that is not on the list; prints how many there are of each sort.
fn compare<'a>(pairs: impl Iterator<Item = (&'a str, &'a str, &'a str)>) {
    let (mut answers, mut known) = (BTreeMap::<&str, usize>::new(), BTreeMap::<&str, usize>::new());
    let mut differences = Vec::new();
    for (range, version, theirs) in pairs {
        let ours = ours(range, version);
        *answers.entry(ours).or_default() += 1;
        if ours == theirs {
            continue;
        }
        let refused = [ours, theirs].contains(&"invalid-range");
        match KNOWN.iter().find(|(_, is)| refused && is(range)) {
            Some((name, _)) => *known.entry(name).or_default() += 1,
            None => differences.push(format!("{range:?} and {version:?}: {ours}, not {theirs}")),
        }
    }
    println!("answers: {answers:?}; known differences: {known:?}");
    let count = differences.len();
    assert!(differences.is_empty(), "{count} differences\n{}", differences[..count.min(40)].join("\n"));
    let pairs: usize = answers.values().sum();
    for answer in ["invalid-range", "invalid-version", "yes", "no"] {
        let count = answers.get(answer).copied().unwrap_or_default();
        assert!(count > pairs / 100, "too few of {answer}: {answers:?}");
    }
}

fn recorded() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("oracle/masterminds/recorded.tsv")
}

#[test]
fn ranges_admit_what_the_library_admits() {
    let Some(oracle) = oracle() else { return };
    let seed = crate::seed();
    let pairs = draw::pairs(seed, RANGES, VERSIONS);
    println!("seed {seed}: {} pairs", pairs.len());
    let answers = ask(&oracle, &pairs);
    if std::env::var_os("TIDEGATE_RECORD").is_some() {
        let kept = pairs.iter().zip(&answers).step_by(pairs.len() / RECORDED);
        let text = lines(kept.map(|((range, version), answer)| [range.as_str(), version, answer]));
        std::fs::write(recorded(), text).expect("the table is written");
    }
    compare(
        pairs
            .iter()
            .zip(&answers)
            .map(|((range, version), answer)| (range.as_str(), version.as_str(), answer.as_str())),
    );
}

#[test]
fn ranges_admit_what_the_library_was_seen_to_admit() {
    let text = std::fs::read_to_string(recorded()).expect("the recorded answers");
    compare(text.lines().map(|line| {
        let mut cells = line.split('\t');
        let mut next = || cells.next().expect("range, version and answer");
        (next(), next(), next())
    }));
}
