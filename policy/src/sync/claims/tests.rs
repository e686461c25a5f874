use serde_json::json;

use super::*;
use crate::object::GroupKind;

fn id(name: &str) -> ObjectId {
    ObjectId {
        kind: GroupKind { group: String::new(), kind: "ConfigMap".to_owned() },
        namespace: Some("shop".to_owned()),
        name: name.to_owned(),
    }
}

fn unit(text: &str) -> UnitKey {
    let (source, unit) = text.split_once(':').unwrap();
    UnitKey::new(source, unit)
}

/// Wishes are written `unit=a,b`, an incomplete one `unit~a,b`.
fn settle(claims: &mut Claims, order: usize, wishes: &[&str]) -> Vec<String> {
    settle_with(claims, order, wishes, |_| None)
}

fn settle_with(
    claims: &mut Claims,
    order: usize,
    wishes: &[&str],
    incumbent: impl Fn(&ObjectId) -> Option<UnitKey>,
) -> Vec<String> {
    let wishes = wishes.iter().map(|text| {
        let (name, objects) = text.split_once(['=', '~']).unwrap();
        let objects = objects.split(',').filter(|name| !name.is_empty()).map(id).collect();
        (unit(name), Wish { objects, complete: text.contains('=') })
    });
    let affected = claims.settle(order, wishes.collect(), incumbent);
    affected.iter().map(ToString::to_string).collect()
}

#[track_caller]
fn holder(claims: &Claims, name: &str, expect: Option<&str>) {
    assert_eq!(claims.holder(&id(name)), expect.map(unit).as_ref());
}

#[test]
fn the_first_by_name_holds_what_two_units_want_at_once() {
    let mut claims = Claims::default();
    settle(&mut claims, 0, &["s:b=x", "s:a=x,y"]);
    holder(&claims, "x", Some("s:a"));
}

#[test]
fn a_holder_keeps_what_it_wants_against_an_earlier_name() {
    let mut claims = Claims::default();
    settle(&mut claims, 1, &["t:b=x"]);
    settle(&mut claims, 0, &["s:a=x"]);
    holder(&claims, "x", Some("t:b"));
}

#[test]
fn the_live_label_decides_after_a_restart() {
    let mut claims = Claims::default();
    settle_with(&mut claims, 0, &["s:b=x", "s:a=x"], |_| Some(unit("s:b")));
    holder(&claims, "x", Some("s:b"));
    settle_with(&mut claims, 0, &["s:c=y"], |_| Some(unit("s:gone")));
    holder(&claims, "y", Some("s:c"));
}

#[test]
fn a_claim_moves_when_the_first_no_longer_wants_it_and_the_next_is_told() {
    let mut claims = Claims::default();
    settle(&mut claims, 0, &["s:a=x", "s:b=x"]);
    assert_eq!(settle(&mut claims, 0, &["s:a="]), ["s:b"]);
    holder(&claims, "x", Some("s:b"));
    assert!(claims.forget(&unit("s:b")).is_empty());
    holder(&claims, "x", None);
}

#[test]
fn a_unit_with_a_broken_file_keeps_what_it_had() {
    let mut claims = Claims::default();
    settle(&mut claims, 0, &["s:a=x"]);
    settle(&mut claims, 0, &["s:a~", "s:b=x"]);
    holder(&claims, "x", Some("s:a"));
    assert!(claims.is_unsettled(&unit("s:a")));
    settle(&mut claims, 0, &["s:a="]);
    holder(&claims, "x", Some("s:b"));
}

#[track_caller]
fn check_owner(metadata: &Value, expect: &Owner) {
    assert_eq!(&owner(&json!({ "metadata": metadata })), expect);
}

#[test]
fn other_tools_are_known_by_their_marks() {
    let tracked = |text: &str| Owner::Tracked(text.to_owned());
    check_owner(
        &json!({"labels": {"kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": "flux-system"}}),
        &tracked("Flux Kustomization flux-system/apps"),
    );
    check_owner(
        &json!({"annotations": {"argocd.argoproj.io/tracking-id": "shop:apps/Deployment:shop/web"}}),
        &tracked("Argo CD application shop"),
    );
    check_owner(
        &json!({"labels": {"app.kubernetes.io/instance": "shop"}, "managedFields": [{"manager": "argocd-controller"}]}),
        &tracked("Argo CD application shop"),
    );
    check_owner(
        &json!({"labels": {"app.kubernetes.io/managed-by": "Helm"}, "annotations": {"meta.helm.sh/release-name": "web"}}),
        &tracked("Helm release /web"),
    );
    check_owner(
        &json!({"labels": {"app.kubernetes.io/instance": "shop", "app.kubernetes.io/managed-by": "Helm"}}),
        &Owner::Nobody,
    );
}

#[test]
fn a_live_object_is_taken_only_from_nobody_or_from_a_sibling_that_let_go() {
    let set = |name: &str| ApplySetId(name.to_owned());
    let parents = BTreeMap::from([
        (set("sibling"), unit("s:b")),
        (set("broken"), unit("s:broken")),
        (set("other"), unit("t:c")),
    ]);
    let me = unit("s:a");
    let judge = |owner: Owner| standing(&owner, &me, &set("me"), &parents, |other| other.unit == "broken");
    assert_eq!(judge(Owner::Absent), Standing::Free);
    assert_eq!(judge(Owner::Nobody), Standing::Adopt);
    assert_eq!(judge(Owner::ApplySet(set("me"))), Standing::Free);
    assert_eq!(judge(Owner::ApplySet(set("sibling"))), Standing::Moves(unit("s:b")));
    for refused in ["broken", "other", "unknown"] {
        assert!(matches!(judge(Owner::ApplySet(set(refused))), Standing::Refused(_)), "{refused}");
    }
    assert!(matches!(judge(Owner::Tracked("Helm release a/b".to_owned())), Standing::Refused(_)));
}
