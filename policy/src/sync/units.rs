//! Which directories of a source are units, and which files each of them holds.
//!
//! Not here: reading the files (see [`super::desired`]). Called by the agent once per revision.

use std::collections::{BTreeMap, BTreeSet};

use crate::finding::Finding;

/// One unit at one revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// Directory below the source's path; `.` for the path itself.
    pub name: String,
    /// Manifest files from the root of the repository, sorted; empty when the directory vanished.
    pub files: Vec<String>,
    /// Why the unit is not rendered at all: nothing is applied and nothing is pruned.
    pub refusal: Option<Finding>,
}

/// Expands unit patterns over the files of a revision.
///
/// `root` is the source's path (empty for the repository), `patterns` are directories below it in which
/// `*` matches within one level; no patterns make `root` itself the one unit. `known` are units that
/// existed before: those that a pattern still matches stay, with no files, when their directory is gone.
///
/// # Guarantees
/// A file belongs to at most one unit: the deepest that contains it. The order of `files` is irrelevant.
pub fn expand<'a>(
    root: &str,
    patterns: &[String],
    files: impl IntoIterator<Item = &'a str>,
    known: &[String],
) -> Vec<Unit> {
    let root = root.trim_matches('/');
    let below: BTreeSet<&str> = files.into_iter().filter_map(|file| strip(root, file)).collect();
    let names = names(patterns, &below, known);
    let mut members: BTreeMap<&str, Vec<&str>> =
        names.iter().map(|name| (name.as_str(), Vec::new())).collect();
    for file in &below {
        if let Some(owner) = owner(&names, file)
            && let Some(list) = members.get_mut(owner)
        {
            list.push(file);
        }
    }
    members.into_iter().map(|(name, files)| unit(root, name, &files)).collect()
}

/// Tells what is wrong with a unit pattern of the config, if anything.
pub fn pattern_error(pattern: &str) -> Option<&'static str> {
    let pattern = pattern.strip_prefix("./").unwrap_or(pattern).trim_end_matches('/');
    if pattern.is_empty() || pattern.starts_with('/') {
        return Some("a unit is a directory below the source's path");
    }
    let mut levels = pattern.split('/');
    if levels.clone().any(|level| level == ".." || level.is_empty()) {
        return Some("a unit may not leave the source's path");
    }
    levels.any(|level| level.contains("**")).then_some("`*` matches one level; `**` has no meaning here")
}

/// Returns `file` relative to `root` if it is below it.
fn strip<'a>(root: &str, file: &'a str) -> Option<&'a str> {
    if root.is_empty() { Some(file) } else { file.strip_prefix(root)?.strip_prefix('/') }
}

fn names(patterns: &[String], files: &BTreeSet<&str>, known: &[String]) -> BTreeSet<String> {
    if patterns.is_empty() {
        return BTreeSet::from([".".to_owned()]);
    }
    let patterns: Vec<Vec<&str>> = patterns
        .iter()
        .map(|pattern| {
            pattern.strip_prefix("./").unwrap_or(pattern).trim_end_matches('/').split('/').collect()
        })
        .collect();
    let mut names = BTreeSet::new();
    for pattern in &patterns {
        // A directory that is named outright is a unit even when nothing is left in it.
        if !pattern.iter().any(|level| level.contains('*')) {
            names.insert(pattern.join("/"));
        }
        for file in files {
            let levels: Vec<&str> = file.split('/').collect();
            // The last level is the file's own name.
            if levels.len() > pattern.len() && matches(pattern, &levels) {
                names.insert(levels.iter().take(pattern.len()).copied().collect::<Vec<_>>().join("/"));
            }
        }
        for name in known {
            let levels: Vec<&str> = name.split('/').collect();
            if levels.len() == pattern.len() && matches(pattern, &levels) {
                names.insert(name.clone());
            }
        }
    }
    names
}

fn matches(pattern: &[&str], levels: &[&str]) -> bool {
    pattern.iter().zip(levels).all(|(pattern, level)| matches_level(pattern, level))
}

/// Matches one level against a pattern in which each `*` stands for any text.
fn matches_level(pattern: &str, level: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == level };
    let Some(level) = level.strip_prefix(head) else { return false };
    let mut tails = level.char_indices().map(|(at, _)| at).chain([level.len()]);
    tails.any(|at| level.get(at..).is_some_and(|tail| matches_level(rest, tail)))
}

fn owner<'a>(names: &'a BTreeSet<String>, file: &str) -> Option<&'a str> {
    let mut directory = file;
    while let Some((parent, _)) = directory.rsplit_once('/') {
        if let Some(name) = names.get(parent) {
            return Some(name);
        }
        directory = parent;
    }
    names.get(".").map(String::as_str)
}

fn unit(root: &str, name: &str, files: &[&str]) -> Unit {
    let charts: Vec<&str> = files.iter().filter_map(|file| file.strip_suffix("Chart.yaml")).collect();
    let refusal = files.iter().find(|file| is_kustomization(file)).map(|file| refusal(root, name, file));
    let files = files
        .iter()
        .filter(|file| is_manifest_name(file) && !is_chart_part(&charts, file))
        .map(|file| full(root, file))
        .collect();
    Unit { name: name.to_owned(), files, refusal }
}

fn full(root: &str, file: &str) -> String {
    if root.is_empty() { file.to_owned() } else { format!("{root}/{file}") }
}

/// A kustomization decides what its files mean, and which of them: to apply them as they are would be a guess.
fn refusal(root: &str, name: &str, file: &str) -> Finding {
    let directory = file.rsplit_once('/').map_or(".", |(directory, _)| directory);
    let (message, hint) = if directory == name {
        (
            format!("unit `{name}` needs kustomize, which this build does not run"),
            "render it in CI and commit the result; its `images:` are updated all the same".to_owned(),
        )
    } else {
        (
            format!("a kustomization below the root of the plain unit `{name}`"),
            format!("make `{directory}` a unit of its own, or move it out of `{name}`"),
        )
    };
    Finding { file: full(root, file), line: 0, key: None, value: None, message, hint: Some(hint) }
}

fn is_kustomization(file: &str) -> bool {
    let name = file.rsplit_once('/').map_or(file, |(_, name)| name);
    matches!(name, "kustomization.yaml" | "kustomization.yml" | "Kustomization")
}

fn is_manifest_name(file: &str) -> bool {
    let ending = file.rsplit_once('.').map_or("", |(_, ending)| ending);
    matches!(ending, "yaml" | "yml" | "json") && !is_kustomization(file)
}

/// Templates and vendored charts of a Helm chart are not manifests.
fn is_chart_part(charts: &[&str], file: &str) -> bool {
    charts.iter().any(|chart| {
        file.strip_prefix(chart)
            .is_some_and(|rest| rest.starts_with("templates/") || rest.starts_with("charts/"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Units are written `name: file file`, a refused one with `!` and the file at fault.
    #[track_caller]
    fn check(root: &str, patterns: &[&str], files: &[&str], expect: &[&str]) {
        check_known(root, patterns, files, &[], expect);
    }

    #[track_caller]
    fn check_known(root: &str, patterns: &[&str], files: &[&str], known: &[&str], expect: &[&str]) {
        let owned = |list: &[&str]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
        let units = expand(root, &owned(patterns), files.iter().copied(), &owned(known));
        let print = |unit: &Unit| match &unit.refusal {
            Some(finding) => format!("{}! {}", unit.name, finding.file),
            None => format!("{}: {}", unit.name, unit.files.join(" ")),
        };
        assert_eq!(units.iter().map(print).collect::<Vec<_>>(), expect);
        let reversed = expand(root, &owned(patterns), files.iter().rev().copied(), &owned(known));
        assert_eq!(units, reversed, "the order of files is irrelevant");
    }

    #[test]
    fn without_patterns_the_path_is_one_unit() {
        check("", &[], &["a.yaml", "b/c.yml", "README.md"], &[".: a.yaml b/c.yml"]);
        check(
            "clusters/prod",
            &[],
            &["x.yaml", "clusters/prod/a.yaml", "clusters/prod-2/b.yaml"],
            &[".: clusters/prod/a.yaml"],
        );
    }

    #[test]
    fn a_star_is_one_level_and_a_unit_is_recursive() {
        check(
            "",
            &["apps/*"],
            &["apps/web/a.yaml", "apps/web/sub/b.json", "apps/loose.yaml", "infra/c.yaml"],
            &["apps/web: apps/web/a.yaml apps/web/sub/b.json"],
        );
        check("", &["team-*/x"], &["team-a/x/a.yaml", "team/x/b.yaml"], &["team-a/x: team-a/x/a.yaml"]);
    }

    #[test]
    fn the_deepest_unit_owns_a_file() {
        check(
            "",
            &["apps", "apps/*"],
            &["apps/a.yaml", "apps/web/b.yaml"],
            &["apps: apps/a.yaml", "apps/web: apps/web/b.yaml"],
        );
    }

    #[test]
    fn a_unit_whose_directory_vanished_is_empty() {
        check("", &["infra"], &["apps/a.yaml"], &["infra: "]);
        check_known(
            "",
            &["apps/*"],
            &["apps/a/x.yaml"],
            &["apps/b", "other"],
            &["apps/a: apps/a/x.yaml", "apps/b: "],
        );
    }

    #[test]
    fn a_kustomization_is_refused_by_name() {
        check(
            "p",
            &["apps/*"],
            &["p/apps/web/kustomization.yaml", "p/apps/web/a.yaml", "p/apps/db/b.yaml"],
            &["apps/db: p/apps/db/b.yaml", "apps/web! p/apps/web/kustomization.yaml"],
        );
        check("", &[], &["a.yaml", "overlay/kustomization.yml"], &[".! overlay/kustomization.yml"]);
    }

    #[test]
    fn templates_of_a_chart_are_no_manifests() {
        check(
            "",
            &[],
            &["c/Chart.yaml", "c/templates/x.yaml", "c/charts/d/values.yaml", "c/values.yaml"],
            &[".: c/Chart.yaml c/values.yaml"],
        );
    }

    #[test]
    fn a_pattern_may_not_leave_the_path() {
        for bad in ["", "/", "../x", "a/../b", "a//b", "apps/**"] {
            assert!(pattern_error(bad).is_some(), "{bad}");
        }
        for good in ["apps/*", "infra", "./infra/", "team-*/x"] {
            assert_eq!(pattern_error(good), None, "{good}");
        }
    }
}
