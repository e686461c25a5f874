//! Messages as people read them, and what hostile names cannot do to them.

use proptest::prelude::*;

use crate::manifest::FieldId;

use super::*;

fn change(object: &str, container: &str, from: &str, to: &str) -> Change {
    Change {
        field: FieldId(format!("apps/web.yaml#apps/{object}#{container}")),
        file: "apps/web.yaml".into(),
        start: 0,
        end: 0,
        from: from.into(),
        to: to.into(),
        reason: "highest version that semver:~1.4 admits".into(),
        decision: "0123456789abcdef0123".into(),
        object: object.into(),
        container: container.into(),
        group: None,
        edits: Vec::new(),
    }
}

fn plan(changes: Vec<Change>) -> UpdatePlan {
    UpdatePlan { parent: "c1".into(), changes, ..UpdatePlan::default() }
}

#[track_caller]
fn check_subject(changes: &[(&str, &str, &str)], expect: &str) {
    let changes = changes.iter().map(|(object, from, to)| change(object, "web", from, to)).collect();
    assert_eq!(message(&plan(changes)).lines().next(), Some(expect));
}

#[test]
fn one_image_is_named_with_both_versions() {
    check_subject(
        &[("Deployment/prod/web", "ghcr.io/acme/web:1.4.2", "ghcr.io/acme/web:1.4.3")],
        "web: 1.4.2 -> 1.4.3",
    );
    check_subject(&[("Deployment//web", "web", "web:1.4.3")], "web: (no tag) -> 1.4.3");
}

#[test]
fn apps_that_take_the_same_step_share_a_subject() {
    let both = [("Deployment//web", "web:1", "web:2"), ("CronJob//mail", "web:1", "web:2")];
    check_subject(&both, "web, mail: 1 -> 2");
}

#[test]
fn an_object_without_a_namespace_is_printed_without_one() {
    let text = message(&plan(vec![change("Deployment//web", "web", "web:1", "web:2")]));
    assert!(text.contains("\nDeployment/web  web"), "{text}");
}

#[test]
fn many_images_are_summed_up_in_72_characters() {
    let names: Vec<String> = (0..100).map(|index| format!("Deployment//app-{index}")).collect();
    let changes = names.iter().map(|name| change(name, "web", "web:1.0.0", "web:1.0.1")).collect();
    let text = message(&plan(changes));
    let subject = text.lines().next().unwrap();
    assert_eq!(subject, "update 100 images: app-0 1.0.1, app-1 1.0.1, app-2 1.0.1, and 97 more");
    assert_eq!(text.matches("Tidegate-Decision: ").count(), 100);
}

#[test]
fn the_whole_message_reads_well() {
    let changes = vec![
        change("Deployment/prod/web", "web", "ghcr.io/acme/web:1.4.2", "ghcr.io/acme/web:1.4.3"),
        change("CronJob/prod/report", "job", "report:7", "report:10"),
    ];
    let expect = "\
update 2 images: web 1.4.3, report 10

object                     image             from   to     reason
Deployment/prod/web        ghcr.io/acme/web  1.4.2  1.4.3  highest version that semver:~1.4 admits
CronJob/prod/report (job)  report            7      10     highest version that semver:~1.4 admits

Tidegate-Update: apps/web.yaml#apps/Deployment/prod/web#web ghcr.io/acme/web:1.4.2 -> ghcr.io/acme/web:1.4.3
Tidegate-Decision: 0123456789abcdef0123
Tidegate-Update: apps/web.yaml#apps/CronJob/prod/report#job report:7 -> report:10
Tidegate-Decision: 0123456789abcdef0123
";
    assert_eq!(message(&plan(changes)), expect);
}

proptest! {
    #[test]
    fn no_text_forges_a_trailer_or_leaves_ascii(
        object in "(?s).{0,60}", container in "(?s).{0,60}", from in "(?s).{1,60}", to in "(?s).{1,60}",
        reason in "(\n\n?Tidegate-(Release|Decision): x(\n|\r)?){1,2}",
    ) {
        let mut change = change(&object, &container, &from, &to);
        change.reason = reason;
        let expect = (change.field.clone(), from, to);
        let text = message(&plan(vec![change]));
        prop_assert!(text.bytes().all(|byte| byte == b'\n' || (b' '..=b'~').contains(&byte)), "{text:?}");
        let read = trailer::read(&text);
        prop_assert_eq!(read.updates, vec![expect]);
        prop_assert_eq!(read.decisions, vec!["0123456789abcdef0123".to_owned()]);
        prop_assert_eq!(read.releases, vec![]);
    }
}
