//! What `kubectl` makes of a file against what the composer makes of the same bytes.
//!
//! No value may differ. Tidegate refuses some of what kubectl takes, and reads a little of what it refuses:
//! [`REFUSED`] and [`READ`] are the whole lists.

mod cases;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Deserializer, Value};
use tidegate_policy::manifest::objects;
use tidegate_tests::harness::control_plane::ControlPlane;
use tidegate_tests::harness::requirement;

use cases::{Case, cases};

/// What is refused although kubectl takes it: how the finding begins, and why.
///
/// `docs/testing.md` lists the same.
const REFUSED: &[(&str, &str)] = &[
    (
        "the key `",
        "a key that stands twice, or is null or a number that kubectl rounds, or is merged with one of another type",
    ),
    ("a mapping key must be", "a key with a tag, or one that is a list or a mapping"),
    ("`<<` stands twice", "two merge keys in one mapping"),
    ("`x` stands before `<<`", "a key before `<<` that the merge brings too"),
    ("a value holds a NUL", "`\\0` in a value"),
    ("the `!!binary` value is no UTF-8", "binary data that is no text"),
    ("the tag `", "tags other than str, int, float, bool, null, binary, map and seq; `!` before nothing"),
    ("the tag does not fit", "a tag of another type than its value"),
    ("the document holds a character that ends the line", "U+0085, U+2028 and U+2029, unless escaped"),
    ("`?` and `:` begin", "`?` before a word in flow style"),
    ("not YAML: comments must be separated", "a comment right behind a value"),
    ("not YAML: plain scalar cannot start with '-'", "`-` alone in flow style"),
];

/// What is read although kubectl refuses it: how its error goes, what of the text is meant, and what that is. All
/// of it has one meaning to every reader that takes it.
const READ: &[(&str, &str, &str)] = &[
    ("found incompatible YAML document", "%YAML", "the directive `%YAML`"),
    ("did not find expected <document start>", "%YAML", "the directive `%YAML`"),
    ("found unknown escape character", "\\/", "the escapes of JSON in YAML"),
    ("found invalid Unicode character escape code", "\\ud83d\\ude00", "the escapes of JSON in YAML"),
    ("found character that cannot start any token", "\t", "tabs between tokens"),
    ("found a tab character where an indentation space is expected", "    \t", "tabs in block scalars"),
    ("mapping values are not allowed in this context", "&a: ", "names of anchors with a colon"),
    ("did not find expected alphabetic or numeric character", "&: ", "names of anchors with a colon"),
];

/// What a reader says: the `data` of the object, or why there is none.
type Reading = Result<Value, String>;

#[test]
fn kubectl_reads_every_file_as_the_composer_does() {
    let plane = match ControlPlane::start() {
        Ok(plane) => plane,
        Err(error) => return requirement::missing("a control plane with kubectl", &format!("{error:#}")),
    };
    let cases = cases();
    let theirs = ask(&plane, &cases);
    let mut refused: BTreeMap<&str, usize> = BTreeMap::new();
    let mut read_alone: BTreeMap<&str, usize> = BTreeMap::new();
    let mut differences = Vec::new();
    for case in &cases {
        let ours = read(case);
        let theirs = theirs.get(&case.name).cloned().unwrap_or_else(|| Err("no object".to_owned()));
        match (&ours, &theirs) {
            (Ok(ours), Ok(theirs)) if is_same(ours, theirs) => {}
            (Err(_), Err(_)) => {}
            (Err(why), Ok(_))
                if let Some((class, _)) = REFUSED.iter().find(|(class, _)| why.starts_with(class)) =>
            {
                *refused.entry(class).or_default() += 1;
            }
            (Ok(_), Err(why))
                if let Some((_, _, class)) =
                    READ.iter().find(|(error, text, _)| why.contains(error) && case.text.contains(text)) =>
            {
                *read_alone.entry(class).or_default() += 1;
            }
            _ => differences.push(format!(
                "{:?}\n  kubectl:  {}\n  tidegate: {}",
                case.text,
                show(&theirs),
                show(&ours)
            )),
        }
    }
    println!(
        "{} files; refused by Tidegate alone: {refused:?}; read by it alone: {read_alone:?}",
        cases.len()
    );
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
    let listed: BTreeSet<&str> = REFUSED.iter().map(|(class, _)| *class).collect();
    assert_eq!(refused.keys().copied().collect::<BTreeSet<_>>(), listed, "every listed class is met");
    let listed: BTreeSet<&str> = READ.iter().map(|(_, _, class)| *class).collect();
    assert_eq!(read_alone.keys().copied().collect::<BTreeSet<_>>(), listed, "every listed class is met");
}

fn show(reading: &Reading) -> String {
    match reading {
        Ok(value) => value.to_string(),
        Err(why) => format!("refused: {why}"),
    }
}

/// Has kubectl read all files at once; each is read on its own.
fn ask(plane: &ControlPlane, cases: &[Case]) -> BTreeMap<String, Reading> {
    let directory = tempfile::tempdir().expect("a directory");
    for case in cases {
        std::fs::write(directory.path().join(format!("{}.yaml", case.name)), &case.text).expect("a file");
    }
    let path = directory.path().to_str().expect("a path");
    let arguments = ["create", "--dry-run=client", "--validate=false", "-o", "json", "-f", path];
    let output = plane.run_kubectl(&arguments).expect("kubectl runs");
    let mut readings = BTreeMap::new();
    for object in Deserializer::from_slice(&output.stdout).into_iter::<Value>() {
        let object = object.expect("kubectl prints JSON");
        let objects = object["items"].as_array().cloned().unwrap_or_else(|| vec![object]);
        for mut object in objects {
            let name = object["metadata"]["name"].as_str().expect("a name").to_owned();
            assert!(readings.insert(name, Ok(object["data"].take())).is_none(), "kubectl read a file twice");
        }
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    for case in cases {
        let Some(line) = errors.lines().find(|line| line.contains(&format!("{}.yaml", case.name))) else {
            continue;
        };
        readings.entry(case.name.clone()).or_insert_with(|| Err(line.to_owned()));
    }
    assert!(readings.len() > cases.len() / 2, "kubectl read {} of {}: {errors}", readings.len(), cases.len());
    readings
}

fn read(case: &Case) -> Reading {
    let mut found = objects(&format!("{}.yaml", case.name), case.text.as_bytes());
    match (found.objects.pop(), found.findings.first()) {
        (Some(mut object), None) => Ok(object.value["data"].take()),
        (_, Some(problem)) => Err(problem.message.clone()),
        (None, None) => Err("no object".to_owned()),
    }
}

/// JSON has one kind of number: `1e3` and `1000` are equal. This reader of JSON may err in the last bit.
fn is_same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => {
            let bits = |number: &serde_json::Number| number.as_f64().unwrap_or_default().to_bits();
            a == b || !(a.is_i64() && b.is_i64()) && bits(a).abs_diff(bits(b)) <= 1
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| is_same(a, b)))
        }
        _ => a == b,
    }
}
