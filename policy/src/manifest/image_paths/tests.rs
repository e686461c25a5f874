use super::ImagePaths;

#[track_caller]
fn check(group: &str, kind: &str, path: &str, expect: &str) {
    let mut paths = ImagePaths::default();
    let shown = match paths.add(group, kind, path) {
        Ok(()) => "ok".to_owned(),
        Err(error) => error.to_string(),
    };
    assert_eq!(shown, expect);
    assert_eq!(paths.is_empty(), expect != "ok");
}

#[test]
fn a_pointer_with_stars_is_a_path() {
    for path in [
        "/spec/image",
        "/spec/workflowSpec/templates/*/container/image",
        "/spec/images/*",
        "/*/image",
        "/spec/0/image",
        "/metadata/annotations/a.io~1image",
    ] {
        check("argoproj.io", "CronWorkflow", path, "ok");
    }
    check("", "Thing", "/image", "ok");
    check("*", "Thing", "/image", "ok");
}

#[test]
fn what_is_no_path_is_refused_with_a_hint() {
    check(
        "a.io",
        "A",
        "spec/image",
        "the path `spec/image` does not begin with `/` (hint: write a JSON pointer, such as `/spec/templates/*/container/image`)",
    );
    check(
        "a.io",
        "A",
        "/",
        "the path `/` has an empty segment (hint: write one `/` between two keys and none at the end)",
    );
    check(
        "a.io",
        "A",
        "/spec/**/image",
        "the path `/spec/**/image` holds `**` (hint: write one `*` for each level)",
    );
    check("a.io", "A", "/*/*", "the path `/*/*` names no key (hint: name the keys that lead to the image)");
    check(
        "a.io",
        "A",
        "/a~2b",
        "the path `/a~2b` holds a `~` that stands for nothing (hint: write `~0` for `~` and `~1` for `/`)",
    );
    let long = "/a".repeat(65);
    check(
        "a.io",
        "A",
        &long,
        &format!("the path `{}…` has more than 64 segments (hint: write a shorter path)", "/a".repeat(50)),
    );
    check(
        "a.io",
        "A",
        &format!("/{}", "a".repeat(1_024)),
        &format!("the path `/{}…` has more than 1024 bytes (hint: write a shorter path)", "a".repeat(99)),
    );
}

#[test]
fn what_is_no_kind_or_group_is_refused_with_a_hint() {
    check(
        "argoproj.io/v1alpha1",
        "Workflow",
        "/x",
        "`argoproj.io/v1alpha1` is no API group (hint: write the part of `apiVersion` before the `/`, nothing for the core group, or `*` for any)",
    );
    check(
        "a.io",
        "*",
        "/x",
        "`*` is no kind (hint: write the `kind` of the objects, such as `CronWorkflow`)",
    );
}

#[test]
fn the_command_line_writes_kind_and_group_as_kubectl_does() {
    let read = |text| {
        let mut paths = ImagePaths::default();
        paths.add_written(text).map(|()| paths)
    };
    let added = |group, kind, path| {
        let mut paths = ImagePaths::default();
        paths.add(group, kind, path).unwrap();
        Ok(paths)
    };
    let path = "/spec/image";
    assert_eq!(
        read("Prometheus.monitoring.coreos.com=/spec/image"),
        added("monitoring.coreos.com", "Prometheus", path)
    );
    assert_eq!(read("Thing=/spec/image"), added("", "Thing", path));
    assert_eq!(read("Thing.*=/spec/image"), added("*", "Thing", path));
    assert_eq!(
        read("/spec/image").unwrap_err().to_string(),
        "`/spec/image` is no KIND.GROUP=/pointer (hint: write the kind, `.`, its API group, `=`, and the JSON pointer of the image)"
    );
}

#[test]
fn a_path_that_is_added_again_is_one_and_there_are_not_too_many() {
    let mut paths = ImagePaths::default();
    for n in 0..100 {
        paths.add("a.io", "A", &format!("/a{n}")).unwrap();
    }
    assert_eq!(paths.add("a.io", "A", "/a7"), Ok(()));
    assert_eq!(
        paths.add("a.io", "A", "/more").unwrap_err().to_string(),
        "there are more than 100 image paths (hint: leave out the kinds that have no image to update)"
    );
}
