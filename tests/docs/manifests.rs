//! Every example of a manifest is read as the daemon reads files from git.

use tidegate_policy::manifest::{FieldPolicy, objects, scan};

use crate::page::{Block, page, pages};

fn examples() -> Vec<Block> {
    let blocks = pages().into_iter().flat_map(|page| page.yaml());
    blocks.filter(|block| block.text.contains("kind:") || block.text.contains("# tidegate:")).collect()
}

#[test]
fn every_example_of_a_manifest_is_read_without_a_finding() {
    for block in examples() {
        let scanned = scan("example.yaml", block.text.as_bytes());
        assert!(scanned.findings.is_empty(), "{}: {:?}", block.place, scanned.findings);
        let read = objects("example.yaml", block.text.as_bytes());
        assert!(read.findings.is_empty(), "{}: {:?}", block.place, read.findings);
    }
}

#[test]
fn every_policy_that_an_example_shows_governs_an_image() {
    let mut shown = 0;
    for block in examples() {
        let governed = scan("example.yaml", block.text.as_bytes())
            .fields
            .iter()
            .filter(|field| matches!(field.policy, FieldPolicy::Policy(_)))
            .count();
        let annotated = block.text.contains("tidegate.io/policy:");
        let marked = block.text.matches("policy=").count();
        assert!(governed >= marked.max(usize::from(annotated)), "{}: {governed} policies", block.place);
        shown += governed;
    }
    assert!(shown >= 8, "only {shown} policies are shown on all pages");
}

#[test]
fn every_range_and_value_of_the_policy_table_is_read() {
    let text = page("docs/annotations.md").text;
    for word in text.split('`').filter(|word| word.starts_with("semver:") && !word.ends_with("RANGE")) {
        let example = format!(
            "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  annotations:\n    tidegate.io/policy: '{word}'\n\
             spec:\n  containers:\n  - name: a\n    image: a:1.0.0\n"
        );
        assert!(scan("example.yaml", example.as_bytes()).findings.is_empty(), "{word}");
    }
}
