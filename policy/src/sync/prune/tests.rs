use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::sync::desired::{DesiredObject, Hash};

const SET: &str = "applyset-x-v1";

fn id(text: &str) -> ObjectId {
    let (kind, name) = text.split_once('/').unwrap();
    let group = match kind {
        "Deployment" => "apps",
        "CustomResourceDefinition" => "apiextensions.k8s.io",
        _ => "",
    };
    ObjectId {
        kind: GroupKind { group: group.to_owned(), kind: kind.to_owned() },
        namespace: Some("shop".to_owned()),
        name: name.to_owned(),
    }
}

fn desired(names: &[&str]) -> Desired {
    let object = |name: &&str| {
        let (id, value) = (id(name), Value::Null);
        let hash = Hash::of(&value);
        (
            id.clone(),
            Arc::new(DesiredObject { id, version: "v1".into(), value, hash, file: String::new(), line: 0 }),
        )
    };
    Desired { objects: names.iter().map(object).collect(), ..Desired::default() }
}

/// Metadata of an object that an apply of ours labelled, with `more` merged in.
fn ours(more: &Value) -> Value {
    let mut live = json!({"metadata": {
        "labels": {(PART_OF): SET},
        "managedFields": [{
            "manager": "tidegate", "operation": "Apply",
            "fieldsV1": {"f:metadata": {"f:labels": {(format!("f:{PART_OF}")): {}}}},
        }],
    }});
    for (key, value) in more.as_object().unwrap() {
        live["metadata"][key] = value.clone();
    }
    live
}

fn run(desired: &Desired, live: &[(&str, Value)], change: impl FnOnce(&mut PruneInput<'_>)) -> PrunePlan {
    let set = ApplySetId(SET.to_owned());
    let foreign = BTreeMap::from([(id("ConfigMap/foreign"), UnitKey::new("s", "other"))]);
    let owned: Vec<(ObjectId, &Value)> = live.iter().map(|(name, value)| (id(name), value)).collect();
    let mut input = PruneInput {
        applyset: &set,
        desired,
        owned: &owned,
        foreign: &foreign,
        acknowledged: None,
        unapplied: 0,
    };
    change(&mut input);
    let result = plan(&input);
    let reversed: Vec<(ObjectId, &Value)> = owned.iter().rev().cloned().collect();
    assert_eq!(
        plan(&PruneInput { owned: &reversed, ..input }),
        result,
        "the order of the list is irrelevant"
    );
    result
}

/// Prints what is pruned, else why it is held, else why the objects are kept.
fn outcome(plan: &PrunePlan) -> String {
    let list: Vec<String> = plan.objects.iter().map(|id| format!("{}/{}", id.kind.kind, id.name)).collect();
    let kept: Vec<String> = plan.kept.iter().map(|(_, reason)| reason.to_string()).collect();
    match &plan.held {
        Some(held) => format!("held: {held}"),
        None if list.is_empty() => format!("kept: {}", kept.join(", ")),
        None => list.join(" "),
    }
}

/// Judges one object that left git, in a unit that still has another.
#[track_caller]
fn check(name: &str, live: Value, expect: &str) {
    let plan = run(&desired(&["ConfigMap/stays"]), &[(name, live)], |_| {});
    assert_eq!(outcome(&plan), expect);
}

/// Judges the prune of `gone` objects of a unit that keeps `stay`.
#[track_caller]
fn check_count(stay: usize, gone: usize, acknowledged: Option<usize>, expect: &str) {
    let names: Vec<String> = (0..stay).map(|at| format!("ConfigMap/stay-{at}")).collect();
    let left: Vec<String> = (0..gone).map(|at| format!("ConfigMap/gone-{at}")).collect();
    let desired = desired(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let live: Vec<(&str, Value)> =
        names.iter().chain(&left).map(|name| (name.as_str(), ours(&json!({})))).collect();
    let plan = run(&desired, &live, |input| input.acknowledged = acknowledged);
    let got = plan.held.map_or_else(|| format!("pruned {}", plan.objects.len()), |held| held.to_string());
    assert_eq!(got, expect);
}

#[test]
fn an_object_that_left_git_is_pruned() {
    check("Deployment/web", ours(&json!({})), "Deployment/web");
}

#[test]
fn what_is_not_ours_stays() {
    let mut copied = ours(&json!({}));
    copied["metadata"]["managedFields"][0]["operation"] = "Update".into();
    check("ConfigMap/a", copied, "kept: its label was not applied by `tidegate`");
    let mut other = ours(&json!({}));
    other["metadata"]["labels"][PART_OF] = "applyset-y-v1".into();
    check("ConfigMap/a", other, "kept: ");
    let owner = json!({"ownerReferences": [{"kind": "Service", "name": "web", "controller": true}]});
    check("ConfigMap/a", ours(&owner), "kept: Service/web controls it");
    check("ConfigMap/foreign", ours(&json!({})), "kept: unit s:other holds it");
}

#[test]
fn what_says_so_stays() {
    for key in ["tidegate.io/prune", "kustomize.toolkit.fluxcd.io/prune"] {
        check(
            "ConfigMap/a",
            ours(&json!({"annotations": {key: "disabled"}})),
            &format!("kept: its annotation `{key}` says so"),
        );
    }
    check(
        "ConfigMap/a",
        ours(&json!({"annotations": {"tidegate.io/ignore": "true"}})),
        "kept: its annotation `tidegate.io/ignore` says so",
    );
}

#[test]
fn kinds_that_take_others_along_are_never_pruned() {
    for name in ["Namespace/a", "PersistentVolumeClaim/a", "CustomResourceDefinition/a"] {
        check(name, ours(&json!({})), "kept: objects of this kind are never pruned");
    }
}

#[test]
fn what_is_being_deleted_is_left_alone() {
    check("ConfigMap/a", ours(&json!({"deletionTimestamp": "2026-01-01T00:00:00Z"})), "kept: ");
}

#[test]
fn a_prune_that_empties_a_unit_is_held() {
    check_count(0, 1, None, "prune of all 1 objects of the unit waits for a commit that says so");
    check_count(0, 1, Some(1), "pruned 1");
}

#[test]
fn a_large_prune_is_held_whole_until_a_commit_allows_it() {
    check_count(1, 3, None, "pruned 3");
    check_count(16, 4, None, "pruned 4");
    check_count(15, 4, None, "prune of 4 of 19 objects waits for a commit that says so");
    check_count(15, 4, Some(3), "prune of 4 of 19 objects waits for a commit that says so");
    check_count(15, 4, Some(4), "pruned 4");
}

#[test]
fn nothing_is_pruned_while_the_unit_is_incomplete_or_not_applied() {
    let live = [("ConfigMap/gone", ours(&json!({})))];
    let mut unit = desired(&["ConfigMap/stays"]);
    let plan = run(&unit, &live, |input| input.unapplied = 2);
    assert_eq!(outcome(&plan), "held: prune of 1 objects waits until 2 others are applied");
    unit.findings.push(crate::finding::Finding {
        file: "a.yaml".into(),
        line: 1,
        key: None,
        value: None,
        message: "broken".into(),
        hint: None,
    });
    let plan = run(&unit, &live, |input| input.acknowledged = Some(9));
    assert_eq!(outcome(&plan), "held: prune of 1 objects waits until every file of the unit can be read");
}

#[test]
fn the_trailer_names_the_unit_and_the_count() {
    let messages = [
        "Remove the shop\n\nIt moved.\n\nTidegate-Prune: apps/shop 12\nSigned-off-by: Ana",
        "Remove more\n\nTidegate-Prune: apps/shop 3",
        "Tidegate-Prune: other 99 is no trailer\n\nbut text",
    ];
    assert_eq!(acknowledged("apps/shop", messages), Some(12));
    assert_eq!(acknowledged("apps", messages), None);
    assert_eq!(acknowledged("other", messages), None);
}
