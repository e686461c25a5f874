//! Properties of an edit over generated and mutilated manifests.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use proptest::prelude::*;
use serde_json::Value;

use super::{apply, replacements};
use crate::manifest::{FileScan, ImageField, objects, scan};
use crate::reference::{Tag, split_written};

/// A value in one of the styles that people write.
fn image() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec!["nginx", "ghcr.io/acme/web", "localhost:5000/a/b-c_d"]);
    let tag = prop::sample::select(vec!["", ":1.4.2", ":1.10", ":v1", ":latest"]);
    let shape = prop::sample::select(vec![
        "{}",
        "'{}'",
        "\"{}\"",
        "{} # was {}",
        "  \"{}\"  # ü",
        "&a {}",
        "!!str {}",
        ">-\n        {}",
        "|\n        {}\n",
        "\n        {}",
    ]);
    (name, tag, shape).prop_map(|(name, tag, shape)| shape.replace("{}", &format!("{name}{tag}")))
}

/// A document, most of them workloads.
fn document() -> impl Strategy<Value = String> {
    let pod = (prop::collection::vec(image(), 1..4), "p-[a-z]{1,3}").prop_map(|(images, name)| {
        let mut text =
            format!("apiVersion: v1\nkind: Pod\nmetadata:\n  name: {name}\nspec:\n  containers:\n");
        for (index, image) in images.iter().enumerate() {
            writeln!(text, "    - name: c{index}\n      image: {image}").expect("a String takes all");
        }
        text
    });
    let flow = (image(), "p-[a-z]{1,3}").prop_map(|(image, name)| {
        let image = image.split(['#', '\n', '|', '>', '&', '!']).next().unwrap_or_default().trim().to_owned();
        let image = if image.is_empty() { "x".to_owned() } else { image };
        format!("{{apiVersion: v1, kind: Pod, metadata: {{name: {name}}}, spec: {{containers: [{{name: c, \"image\": {image}}}]}}}}\n")
    });
    let shared = (image(), "p-[a-z]{1,3}").prop_map(|(image, name)| {
        let image = image.replace("&a ", "");
        format!("apiVersion: v1\nkind: Pod\nmetadata:\n  name: {name}\nx-base: &base\n      image: {image}\nspec:\n  containers:\n    - <<: *base\n      name: c0\n    - name: c1\n      image: x:1\n    - {{name: c2, <<: *base}}\n  volumes:\n    - name: v\n      image: {{reference: y:1}}\n")
    });
    let marked = ("[a-z]{1,3}", tag()).prop_map(|(key, tag)| {
        format!("{key}:\n  name: acme/web # tidegate: acme/web:name\n  tag: '{tag}' # tidegate: acme/web:tag policy=numeric\n")
    });
    prop_oneof![
        4 => pod,
        2 => flow,
        2 => shared,
        1 => marked,
        1 => Just("apiVersion: v1\nkind: Service\nmetadata: {name: s}\n".to_owned()),
        1 => Just("# only a comment\n".to_owned()),
        1 => Just("kind: [broken\n".to_owned()),
    ]
}

/// A file: documents, line ends, a byte-order mark or none, a final line feed or none.
fn file() -> impl Strategy<Value = String> {
    (prop::collection::vec(document(), 1..4), any::<bool>(), any::<bool>(), any::<bool>()).prop_map(
        |(documents, crlf, bom, trimmed)| {
            let mut text = documents.join("---\n");
            if trimmed {
                text.truncate(text.trim_end().len());
            }
            if crlf {
                text = text.replace('\n', "\r\n");
            }
            if bom { format!("\u{feff}{text}") } else { text }
        },
    )
}

fn tag() -> impl Strategy<Value = Tag> {
    let odd = prop::sample::select(vec!["1.10", "1e3", "0644", "yes", "null", "2026-01-05", "1_0", "0x1f"]);
    prop_oneof![odd.prop_map(str::to_owned), "[A-Za-z0-9_][A-Za-z0-9._-]{0,12}"]
        .prop_map(|text| Tag::parse(&text).expect("the pattern is that of a tag"))
}

/// What the file says, without places.
fn said(scan: &FileScan) -> Vec<(String, String)> {
    scan.fields.iter().map(|field| (field.id.0.clone(), field.image.clone())).collect()
}

/// The references of image volumes; they come with the last list.
fn volume_images<'v>(object: &'v Value, list: &str) -> impl Iterator<Item = &'v Value> {
    let volumes =
        object.pointer("/spec/volumes").and_then(Value::as_array).filter(|_| list == "ephemeralContainers");
    volumes.into_iter().flatten().filter_map(|volume| volume.pointer("/image/reference"))
}

/// The images of the containers in the pods of a file, by way of JSON.
fn images_in_pods(text: &[u8]) -> Vec<String> {
    let mut images = Vec::new();
    for object in objects("a.yaml", text).objects.iter().filter(|object| object.id.kind.kind == "Pod") {
        for list in ["initContainers", "containers", "ephemeralContainers"] {
            let containers = object.value.pointer("/spec").and_then(|spec| spec.get(list)?.as_array());
            let texts = containers.into_iter().flatten().filter_map(|container| container.get("image"));
            let texts = texts.chain(volume_images(&object.value, list));
            images.extend(
                texts
                    .filter_map(Value::as_str)
                    .map(str::trim)
                    .filter(|text| !text.is_empty())
                    .map(str::to_owned),
            );
        }
    }
    images.sort();
    images
}

/// Checks every field of a file: the edit changes the planned bytes, reads back as planned, and is idempotent.
fn check_edits(text: &[u8], tag: &Tag) -> Result<(), TestCaseError> {
    let before = scan("a.yaml", text);
    for (index, field) in before.fields.iter().enumerate() {
        let Ok(edits) = replacements(field, tag, None) else { continue };
        let Ok(after) = apply("a.yaml", text, &edits) else { continue };
        let mut expected = text.to_vec();
        for edit in edits.iter().rev() {
            expected.splice(edit.range.clone(), edit.new.bytes());
        }
        prop_assert_eq!(&after, &expected, "no other byte changes");
        let again = scan("a.yaml", &after);
        let name = split_written(&field.image).expect("it was planned").name;
        let mut planned = said(&before);
        let site = &field.sites[0];
        for (other, said) in before.fields.iter().zip(&mut planned) {
            if other.sites[0].range == site.range {
                said.1 = format!("{name}:{tag}");
            }
        }
        prop_assert_eq!(said(&again), planned);
        let twice = replacements(&again.fields[index], tag, None).expect("as before");
        prop_assert_eq!(twice, vec![], "the second edit has nothing to do");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_edit_changes_the_planned_bytes_alone(text in file(), tag in tag()) {
        for field in &scan("a.yaml", text.as_bytes()).fields {
            let edits = replacements(field, &tag, None).expect("every image is a reference");
            prop_assert!(apply("a.yaml", text.as_bytes(), &edits).is_ok());
        }
        check_edits(text.as_bytes(), &tag)?;
    }

    #[test]
    fn any_set_of_edits_changes_the_planned_bytes_alone(
        text in file(),
        picks in prop::collection::vec((any::<bool>(), tag()), 12),
    ) {
        let before = scan("a.yaml", text.as_bytes());
        // What shares bytes moves to one tag, by the first that is picked.
        let mut tags: BTreeMap<usize, &Tag> = BTreeMap::new();
        for (field, (is_picked, tag)) in before.fields.iter().zip(&picks) {
            if *is_picked {
                tags.entry(field.sites[0].range.start).or_insert(tag);
            }
        }
        let moved = |field: &ImageField| tags.get(&field.sites[0].range.start).copied();
        let mut edits = Vec::new();
        for field in &before.fields {
            if let Some(tag) = moved(field) {
                edits.extend(replacements(field, tag, None).expect("every image is a reference"));
            }
        }
        let after = apply("a.yaml", text.as_bytes(), &edits).expect("every edit is safe");
        edits.sort_by_key(|edit| edit.range.start);
        edits.dedup();
        let mut expected = text.clone().into_bytes();
        for edit in edits.iter().rev() {
            expected.splice(edit.range.clone(), edit.new.bytes());
        }
        prop_assert_eq!(&after, &expected);
        let planned: Vec<(String, String)> = before.fields.iter().map(|field| {
            let name = split_written(&field.image).expect("it was planned").name;
            let image = moved(field).map_or_else(|| field.image.clone(), |tag| format!("{name}:{tag}"));
            (field.id.0.clone(), image)
        }).collect();
        let again = scan("a.yaml", &after);
        prop_assert_eq!(said(&again), planned);
        for (field, before) in again.fields.iter().zip(&before.fields) {
            if let Some(tag) = moved(before) {
                prop_assert_eq!(replacements(field, tag, None).expect("as before"), vec![]);
            }
        }
    }

    #[test]
    fn every_image_that_kubectl_would_send_is_a_field(text in file()) {
        let said = said(&scan("a.yaml", text.as_bytes()));
        let mut images: Vec<String> =
            said.into_iter().filter(|(id, _)| id.contains("/Pod/")).map(|(_, image)| image).collect();
        images.sort();
        prop_assert_eq!(images, images_in_pods(text.as_bytes()));
    }

    #[test]
    fn mutilated_files_are_read_or_refused_and_edits_stay_exact(
        text in file(),
        tag in tag(),
        cuts in prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(
            vec!["", "\n", " ", ":", "- ", "\"", "'", "#", "{", "[", "}", "]", "&a ", "*a", "|", ">", "\t", "---\n", "\\", "<<: *a\n", "image: x\n", "? ", ",", "\u{2028}", "ü", "%", "!", "\0"]
        )), 1..4),
    ) {
        let mut text = text;
        for (at, new) in cuts {
            let chars: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
            if let Some(start) = (!chars.is_empty()).then(|| chars[at.index(chars.len())]) {
                let end = text[start..].chars().next().map_or(start, |c| start + c.len_utf8());
                text.replace_range(start..end, new);
            }
        }
        check_edits(text.as_bytes(), &tag)?;
        let found = scan("a.yaml", text.as_bytes());
        if found.findings.is_empty() && objects("a.yaml", text.as_bytes()).findings.is_empty() {
            let fields: Vec<String> = said(&found).into_iter().map(|(_, image)| image).collect();
            for image in images_in_pods(text.as_bytes()) {
                prop_assert!(fields.contains(&image), "{image} is not among {fields:?} in {text:?}");
            }
        }
    }
}
