use serde_json::json;

use super::*;

fn kinds() -> Kinds {
    let served = |namespaced| Served { namespaced, versions: vec!["v1".to_owned()] };
    let kind = |group: &str, kind: &str| GroupKind { group: group.to_owned(), kind: kind.to_owned() };
    Kinds::from([
        (kind("", "ConfigMap"), served(true)),
        (kind("", "Namespace"), served(false)),
        (kind("apps", "Deployment"), served(true)),
    ])
}

/// An object is written `Kind[/namespace]/name` with metadata to merge in.
fn object(file: &str, api_version: &str, path: &str, metadata: &Value) -> Object {
    let mut parts = path.split('/');
    let kind = parts.next().unwrap();
    let rest: Vec<&str> = parts.collect();
    let (namespace, name) =
        if let [namespace, name] = rest[..] { (Some(namespace), name) } else { (None, rest[0]) };
    let mut value = json!({"apiVersion": api_version, "kind": kind, "metadata": metadata});
    value["metadata"]["name"] = name.into();
    if let Some(namespace) = namespace {
        value["metadata"]["namespace"] = namespace.into();
    }
    let group = api_version.split_once('/').map_or("", |(group, _)| group);
    Object {
        api_version: api_version.to_owned(),
        id: ObjectId {
            kind: GroupKind { group: group.to_owned(), kind: kind.to_owned() },
            namespace: namespace.map(str::to_owned),
            name: name.to_owned(),
        },
        value,
        file: file.to_owned(),
        line: 1,
    }
}

fn desired(objects: &[Object]) -> Desired {
    let mut files: BTreeMap<&str, FileObjects> = BTreeMap::new();
    for object in objects {
        files.entry(&object.file).or_default().objects.push(object.clone());
    }
    let set = ApplySetId("applyset-x-v1".to_owned());
    let kinds = kinds();
    let setting = Setting { namespace: "shop", applyset: &set, kinds: &kinds };
    let built = build(setting, files.iter().map(|(path, file)| (*path, file)));
    let reversed = build(setting, files.iter().rev().map(|(path, file)| (*path, file)));
    assert_eq!(built.objects, reversed.objects, "the order of files is irrelevant");
    assert_eq!(built.findings, reversed.findings, "the order of files is irrelevant");
    built
}

/// Lists what would be applied, then what was found.
#[track_caller]
fn check(objects: &[Object], applied: &[&str], findings: &[&str]) -> Desired {
    let built = desired(objects);
    assert_eq!(built.objects.keys().map(ToString::to_string).collect::<Vec<_>>(), applied);
    assert_eq!(built.findings.iter().map(ToString::to_string).collect::<Vec<_>>(), findings);
    built
}

#[test]
fn an_object_without_a_namespace_gets_that_of_the_source_if_it_needs_one() {
    let objects = [
        object("a.yaml", "v1", "ConfigMap/a", &json!({})),
        object("a.yaml", "v1", "Namespace/wrong/n", &json!({})),
    ];
    let built = check(&objects, &["ConfigMap/shop/a", "Namespace/n"], &[]);
    for object in built.objects.values() {
        let metadata = &object.value["metadata"];
        assert_eq!(metadata["labels"][applyset::PART_OF], "applyset-x-v1");
        assert_eq!(metadata.get("namespace").and_then(Value::as_str), object.id.namespace.as_deref());
    }
}

#[test]
fn what_only_the_server_may_set_is_left_out() {
    let mut exported =
        object("a.yaml", "v1", "ConfigMap/a", &json!({"uid": "1", "resourceVersion": "7", "labels": null}));
    exported.value["status"] = json!({"x": 1});
    let built = check(&[exported], &["ConfigMap/shop/a"], &[]);
    let value = &built.objects.values().next().unwrap().value;
    assert!(value.get("status").is_none() && value["metadata"].get("uid").is_none(), "{value}");
}

#[test]
fn a_duplicate_is_refused_naming_both_files() {
    let objects = [
        object("a.yaml", "v1", "ConfigMap/a", &json!({})),
        object("b.yaml", "v1", "ConfigMap/shop/a", &json!({})),
        object("b.yaml", "v1", "ConfigMap/b", &json!({})),
    ];
    check(
        &objects,
        &["ConfigMap/shop/b"],
        &[
            "a.yaml:1: ConfigMap/shop/a is written more than once in this unit: a.yaml:1, b.yaml:1 (hint: keep one of them)",
        ],
    );
}

#[test]
fn an_ignored_object_is_neither_applied_nor_missed() {
    let objects =
        [object("a.yaml", "v1", "ConfigMap/a", &json!({"annotations": {"tidegate.io/ignore": "true"}}))];
    let built = check(&objects, &[], &[]);
    assert_eq!(built.ignored.len(), 1);
    let objects =
        [object("a.yaml", "v1", "ConfigMap/a", &json!({"annotations": {"tidegate.io/ignore": "yes"}}))];
    check(
        &objects,
        &[],
        &[
            "a.yaml:1: `tidegate.io/ignore` = `yes`: not a value of this key (hint: `true` leaves the object alone)",
        ],
    );
}

#[test]
fn a_hook_is_refused() {
    let objects = [object(
        "a.yaml",
        "v1",
        "ConfigMap/a",
        &json!({"annotations": {"argocd.argoproj.io/hook": "PreSync"}}),
    )];
    let built = desired(&objects);
    assert!(built.objects.is_empty() && !built.is_complete(), "{built:?}");
}

#[test]
fn a_key_that_this_build_does_not_honour_refuses_the_object() {
    for key in UNHONOURED {
        let objects = [
            object("a.yaml", "v1", "ConfigMap/a", &json!({"annotations": {key: "1"}})),
            object("a.yaml", "v1", "ConfigMap/b", &json!({})),
        ];
        let built = desired(&objects);
        assert_eq!(built.objects.len(), 1, "{key}");
        assert_eq!(built.findings[0].key.as_deref(), Some(key));
    }
}

#[test]
fn a_kind_that_is_not_served_waits_and_a_version_that_is_not_is_refused() {
    let objects = [
        object("a.yaml", "example.com/v1", "Widget/w", &json!({})),
        object("a.yaml", "apps/v1beta1", "Deployment/d", &json!({})),
    ];
    let built = check(
        &objects,
        &[],
        &[
            "a.yaml:1: `apiVersion` = `apps/v1beta1`: the server does not serve this version of Deployment.apps \
         (hint: served versions: v1)",
        ],
    );
    let waiting = built.waiting.iter().map(|(id, waiting)| format!("{id}: {waiting}")).collect::<Vec<_>>();
    let [waiting] = waiting.as_slice() else { panic!("{waiting:?}") };
    assert!(waiting.starts_with("Widget/w: a.yaml:1: the server does not serve Widget.example.com (hint: "));
}

#[test]
fn a_manifest_may_not_say_who_owns_it() {
    let objects =
        [object("a.yaml", "v1", "ConfigMap/a", &json!({"labels": {(applyset::PART_OF): "applyset-y-v1"}}))];
    assert_eq!(desired(&objects).findings.len(), 1);
}
