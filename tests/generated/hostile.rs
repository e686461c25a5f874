//! Input that means harm: each is refused by name, in time and memory, and what stands beside it is read all the same.

use std::fmt::Write as _;
use std::time::Duration;

use tidegate_policy::manifest::{FieldPolicy, objects, scan};
use tidegate_policy::reference::Tag;

/// Both readings of one file together.
const TIME_MAX: Duration = Duration::from_secs(2);

/// The whole test program, in KiB.
const MEMORY_MAX: u64 = 256 << 10;

fn pod(name: &str, image: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, annotations: {{tidegate.io/policy: numeric}}}}\nspec: {{containers: [{{name: c, image: {image}}}]}}\n"
    )
}

/// The images and objects of a file, and its first finding without the path.
fn read(bytes: &[u8]) -> (usize, usize, String) {
    let begun = on_processor();
    let (fields, objects) = (scan("a.yaml", bytes), objects("a.yaml", bytes));
    let taken = on_processor().saturating_sub(begun);
    assert!(taken < TIME_MAX, "it takes {taken:?}");
    let memory = peak();
    assert!(memory < MEMORY_MAX, "it takes {memory} KiB");
    let finding = fields.findings.first().or(objects.findings.first());
    let finding = finding.map(|problem| problem.message.clone()).unwrap_or_default();
    (fields.fields.len(), objects.objects.len(), finding)
}

/// How long this thread has run; neighbours on a busy machine do not count.
fn on_processor() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("the kernel tells");
    let nanoseconds = text.split_whitespace().next().and_then(|first| first.parse().ok());
    Duration::from_nanos(nanoseconds.expect("a number"))
}

/// The most memory that this program has held.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("the kernel tells");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// A document between two Pods is refused, and the Pods are read.
#[track_caller]
fn check_document(document: &str, message: &str) {
    let file = format!("{}---\n# image\n{document}\n---\n{}", pod("a", "x:1"), pod("b", "y:1"));
    assert_eq!(read(file.as_bytes()), (2, 2, message.to_owned()));
}

/// A file is refused as a whole.
#[track_caller]
fn check_file(bytes: &[u8], message: &str) {
    assert_eq!(read(bytes), (0, 0, message.to_owned()));
}

/// A document between two Pods is read, as `fields` more images and an object.
#[track_caller]
fn check_read(document: &str, fields: usize) {
    let file = format!("{}---\n{document}\n---\n{}", pod("a", "x:1"), pod("b", "y:1"));
    assert_eq!(read(file.as_bytes()), (2 + fields, 3, String::new()));
}

#[test]
fn an_alias_bomb_is_refused() {
    let mut text = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned();
    for level in 1..10 {
        let alias = format!("*a{}", level - 1);
        writeln!(text, "a{level}: &a{level} [{}]", [alias.as_str(); 9].join(",")).unwrap();
    }
    check_document(&text, "the file is too large once its aliases are expanded");
}

#[test]
fn many_small_bombs_are_refused_together() {
    let bomb = format!("image: &a [{}]\nb: [{}]\n", "x,".repeat(1_000), "*a,".repeat(300));
    let file = format!("{bomb}---\n").repeat(20) + &pod("a", "x:1");
    let (fields, _, message) = read(file.as_bytes());
    assert_eq!((fields, message.as_str()), (1, "the file is too large once its aliases are expanded"));
}

#[test]
fn a_cyclic_anchor_is_refused() {
    check_document("a: &a [*a]", "the alias stands inside the value that it names");
}

#[test]
fn a_hundred_thousand_nested_lists_are_refused() {
    check_document(&"[".repeat(100_000), "not YAML: recursion limit exceeded");
}

#[test]
fn five_thousand_nested_mappings_are_refused() {
    let mut text = String::new();
    for depth in 0..1_800 {
        writeln!(text, "{}a:", " ".repeat(depth)).unwrap();
    }
    check_document(&text, "nested more than 128 levels deep");
    check_document(&"{a: ".repeat(5_000), "not YAML: recursion limit exceeded");
    check_document(&"- ".repeat(5_000), "not YAML: recursion limit exceeded");
}

#[test]
fn duplicate_keys_are_refused() {
    check_document("a: 1\na: 2", "the key `a` stands twice in one mapping");
    let many: String = (0..50_000).fold(String::new(), |text, n| text + "k" + &n.to_string() + ": 1\n");
    check_document(&format!("{many}k7: 2"), "the key `k7` stands twice in one mapping");
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    check_file(b"image: a\0b\n", "the file holds a control character");
    check_file(b"image: \x1b[31m\n", "the file holds a control character");
    check_file(b"image: \xff\xfe\n", "the file is not UTF-8 text");
    check_file(b"\x7fELF\x02\x01\x01image", "the file holds a control character");
}

#[test]
fn tabs_do_not_indent() {
    check_document("a:\n\tb: 1", "not YAML: tabs disallowed within this context (block indentation)");
}

#[test]
fn an_escaped_nul_is_refused() {
    check_document("a: \"\\0\"", "a value holds a NUL character");
    check_document("\"\\x00\": a", "a value holds a NUL character");
}

#[test]
fn files_over_four_mebibytes_are_refused_before_they_are_read() {
    let message = "the file is larger than 4 MiB and is not read";
    let filled = |length: usize| {
        let mut file = pod("a", "x:1").into_bytes();
        file.push(b'#');
        file.resize(length, b'x');
        file
    };
    check_file(&filled((4 << 20) + 1), message);
    assert_eq!(read(&filled(4 << 20)), (1, 1, String::new()));
    check_file(format!("image: {}", "x".repeat(64 << 20)).as_bytes(), message);
}

#[test]
fn more_than_five_thousand_documents_are_refused() {
    let message = "the file has more than 5,000 documents and is not read";
    check_file("a: image\n---\n".repeat(200_000).as_bytes(), message);
    check_file(format!("{}a: image\n", "a: 1\n---\n".repeat(5_000)).as_bytes(), message);
    assert_eq!(read(format!("{}{}", "a: 1\n---\n".repeat(4_999), pod("a", "x:1")).as_bytes()).0, 1);
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_first_key() {
    assert_eq!(read(format!("\u{feff}{}", pod("a", "x:1")).as_bytes()), (1, 1, String::new()));
}

#[test]
fn unknown_tags_are_refused() {
    check_document(
        "a: !!python/object/apply:os.system [id]",
        "the tag `!!python/object/apply:os.system` is not known",
    );
}

#[test]
fn a_mebibyte_of_comment_is_passed_over() {
    check_read(&format!("# {}\n{}", "image ".repeat(170_000), pod("c", "z:1")), 1);
    check_read(&format!("{}# tidegate\n{}", "# x\n".repeat(100_000), pod("c", "z:1")), 1);
}

#[test]
fn a_tag_that_is_too_long_or_holds_control_characters_is_held_by_name() {
    let long = "a".repeat(129);
    assert!(Tag::parse(&long).is_err() && Tag::parse("1\u{7}").is_err());
    for image in [format!("x:{long}"), "\"x:1\\u0007\"".to_owned(), "\"x:1\\n2\"".to_owned()] {
        let file = format!("{}---\n{}", pod("a", &image), pod("b", "y:1"));
        let found = scan("a.yaml", file.as_bytes());
        assert!(matches!(found.fields[0].policy, FieldPolicy::Invalid(_)), "{image}");
        assert!(matches!(found.fields[1].policy, FieldPolicy::Policy(_)), "{image}");
        assert_eq!((found.findings.len(), found.findings[0].line), (1, 4));
        assert!(!found.findings[0].to_string().contains('\u{7}'), "nothing reaches a terminal unescaped");
    }
}

#[test]
fn chart_templates_and_what_is_no_manifest_are_passed_over() {
    let template =
        "{{- range .Values.apps }}\nkind: Pod\nspec:\n  containers:\n  - image: {{ .image }}\n{{- end }}\n";
    let file = format!("{}---\n{template}---\n# a: image\n---\njust words, image\n", pod("a", "x:1"));
    let (fields, found) = (scan("a.yaml", file.as_bytes()), objects("a.yaml", file.as_bytes()));
    assert_eq!((fields.fields.len(), fields.findings.len()), (1, 0));
    assert_eq!((found.objects.len(), found.skipped, found.findings.len()), (1, 2, 0));
}
