//! Thousands of files that use every feature of reading and editing: what is found is what the generator wrote, and
//! each edit of one field changes its bytes and nothing else.
//!
//! The seed is printed; `TIDEGATE_SEED` sets another.

mod document;
mod emit;
mod file;
mod hostile;
mod value;

use std::collections::BTreeMap;

use fastrand::Rng;
use tidegate_policy::manifest::edit::{apply, replacements};
use tidegate_policy::manifest::{FileScan, ImageField, ImagePaths, Part, scan_with};
use tidegate_policy::reference::{Tag, split_written};

use file::File;

const FILES: usize = 3_200;

/// Files are checked side by side; each has a seed of its own.
const SHARDS: usize = 4;

/// What one shard met.
#[derive(Default)]
struct Counts {
    fields: usize,
    edits: usize,
    features: BTreeMap<&'static str, usize>,
}

fn paths() -> ImagePaths {
    let mut paths = ImagePaths::default();
    for (group, kind, path) in document::PATHS {
        paths.add(group, kind, path).expect("a path");
    }
    paths
}

fn images(scan: &FileScan) -> Vec<String> {
    scan.fields.iter().map(|field| field.image.clone()).collect()
}

fn sorted(mut images: Vec<String>) -> Vec<String> {
    images.sort();
    images
}

#[test]
fn all_fields_of_generated_files_are_found_and_each_edit_changes_its_bytes_alone() {
    let given = std::env::var("TIDEGATE_SEED").ok();
    let seed: u64 = given.map_or(4711, |seed| seed.parse().expect("TIDEGATE_SEED is a number"));
    println!("seed {seed}");
    let shards: Vec<Counts> = std::thread::scope(|scope| {
        let shards: Vec<_> = (0..SHARDS).map(|shard| scope.spawn(move || check(seed, shard))).collect();
        shards.into_iter().map(|shard| shard.join().expect("the files of a shard")).collect()
    });
    let mut features: BTreeMap<&str, usize> = BTreeMap::new();
    for (feature, count) in shards.iter().flat_map(|shard| &shard.features) {
        *features.entry(feature).or_default() += count;
    }
    let sum = |of: fn(&Counts) -> usize| shards.iter().map(of).sum::<usize>();
    let (fields, edits) = (sum(|shard| shard.fields), sum(|shard| shard.edits));
    println!("{FILES} files, {fields} fields, {edits} edits; files with each feature: {features:?}");
    for feature in file::FEATURES {
        assert!(features.contains_key(feature), "no file has {feature}");
    }
    assert_eq!(features.len(), file::FEATURES.len(), "a feature is not listed");
}

/// Checks every file of a shard.
fn check(seed: u64, shard: usize) -> Counts {
    let paths = paths();
    let mut counts = Counts::default();
    for number in (shard..FILES).step_by(SHARDS) {
        let mut random = Rng::with_seed(seed.wrapping_mul(1_000_003).wrapping_add(number as u64));
        let file = File::draw(&mut random);
        let name = format!("file {number} of seed {seed}, {}:\n{}", file.path, file.text);
        let found = scan_with(&file.path, file.text.as_bytes(), &paths);
        assert_eq!(found.findings.len(), file.broken, "{:?} in {name}", found.findings);
        assert_eq!(sorted(images(&found)), sorted(file.images.clone()), "{name}");
        counts.fields += found.fields.len();
        for index in 0..found.fields.len() {
            let tag = Tag::parse(&value::tag(&mut random)).expect("a tag");
            counts.edits += usize::from(edit(&file, &found, index, &tag, &paths, &name));
        }
        for feature in file.features {
            *counts.features.entry(feature).or_default() += 1;
        }
    }
    counts
}

/// Moves one field; `false` if it has no place for the tag.
fn edit(file: &File, found: &FileScan, index: usize, tag: &Tag, paths: &ImagePaths, name: &str) -> bool {
    let field = &found.fields[index];
    let has = |part| field.sites.iter().any(|site| site.part == part);
    let edits = replacements(field, tag, None);
    if !(has(Part::Whole) || has(Part::Tag)) || has(Part::Digest) {
        assert!(edits.is_err(), "{name}");
        return false;
    }
    let edits = edits.unwrap_or_else(|error| panic!("{error}: {name}"));
    let before = file.text.as_bytes();
    let after = apply(&file.path, before, &edits).unwrap_or_else(|error| panic!("{tag} {error}: {name}"));
    let mut expected = before.to_vec();
    for edit in edits.iter().rev() {
        assert!(field.sites.iter().any(|site| site.range == edit.range), "{name}");
        expected.splice(edit.range.clone(), edit.new.bytes());
    }
    assert_eq!(after, expected, "{name}");
    let again = scan_with(&file.path, &after, paths);
    assert_eq!(again.findings.len(), file.broken, "{tag} {:?} in {name}", again.findings);
    let planned: Vec<String> = found.fields.iter().map(|other| planned(other, field, tag)).collect();
    assert_eq!(images(&again), planned, "{tag} in {name}");
    assert_eq!(replacements(&again.fields[index], tag, None), Ok(Vec::new()), "{tag} in {name}");
    true
}

/// The image of a field after the edit of another, with which it may share bytes.
fn planned(field: &ImageField, edited: &ImageField, tag: &Tag) -> String {
    if field.sites[0].range != edited.sites[0].range {
        return field.image.clone();
    }
    format!("{}:{tag}", split_written(&field.image).expect("a reference").name)
}
