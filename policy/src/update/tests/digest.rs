//! Tags that are followed by their digest, and versions that are pinned to theirs.

use jiff::SignedDuration;

use crate::ledger::FirstSeen;

use super::*;

const FOLLOW: (&str, &str) = ("policy", "digest:main");

fn main_at(digit: char) -> String {
    format!("r.io/web:main@{}", digest(digit))
}

fn following(image: &str) -> World {
    let mut world = World::web("x", &[FOLLOW]);
    world.commits.clear();
    world.set("web.yaml", &deployment("web", image, &[FOLLOW]));
    world.push(&["main", "other"]);
    world
}

#[test]
fn a_followed_tag_moves_with_its_digest_there_and_back() {
    let mut world = following(&main_at('a'));
    for digit in ['a', 'b', 'a', 'b'] {
        world.point("main", digit);
        let expect =
            if world.files["web.yaml"].contains(&main_at(digit)) { vec![] } else { vec![main_at(digit)] };
        assert_eq!(world.tick(), expect);
        assert!(world.tick().is_empty());
    }
}

#[test]
fn a_digest_that_a_person_took_out_is_not_put_back() {
    let mut world = following(&main_at('a'));
    world.point("main", 'b');
    world.tick();
    world.set("web.yaml", &deployment("web", &main_at('a'), &[FOLLOW]));
    assert!(world.tick().is_empty());
    assert_eq!(world.plan().1.fields[0].rejected.keys().collect::<Vec<_>>(), [&"taken-out"]);
    let id = world.plan().1.fields[0].field.clone();
    let verdicts = world.with_input(|input| verdicts(input, &id)).unwrap();
    let main = verdicts.iter().find(|verdict| verdict.tag == "main").unwrap();
    assert_eq!(main.reason, Some(crate::select::Reason::TakenOut));
    world.point("main", 'c');
    assert_eq!(world.tick(), [main_at('c')]);
    world.point("main", 'b');
    assert!(world.tick().is_empty());
}

#[test]
fn an_image_without_the_digest_enters_and_a_bare_digest_is_read() {
    for image in ["r.io/web", "r.io/web:main", "r.io/web:1.4.2"] {
        let mut world = following(image);
        world.point("main", 'a');
        assert_eq!(world.tick(), [main_at('a')], "{image}");
    }
    let mut world = following(&format!("r.io/web@{}", digest('a')));
    world.point("main", 'a');
    assert!(world.tick().is_empty(), "it is there already");
    world.point("main", 'b');
    assert_eq!(world.tick(), [main_at('b')]);
}

#[test]
fn a_digest_is_asked_for_and_a_missing_tag_moves_nothing() {
    let mut world = following(&main_at('a'));
    world.state().manifests.clear();
    let main = Tag::parse("main").unwrap();
    let repository = ImageReference::parse("r.io/web").unwrap().repository;
    assert_eq!(world.plan().0.wanted, [Wanted::Manifest(repository, main.clone())]);
    world.state().manifests.insert(main, ManifestFact::Missing);
    assert_eq!(world.decision(), (Decision::UpToDate, vec![]));
}

#[test]
fn the_age_of_a_digest_is_not_that_of_its_tag() {
    let mut world = following(&main_at('a'));
    world.guards.min_age = Some(SignedDuration::from_hours(2));
    world.point("main", 'b');
    let mut seen = FirstSeen::begin(&["main"], world.now - SignedDuration::from_hours(99));
    world.state().first_seen = Some(Arc::new(seen.clone()));
    assert!(world.tick().is_empty(), "nobody noted when it came");
    seen.resolve(&Tag::parse("main").unwrap(), &digest('b'), world.now - SignedDuration::from_hours(1));
    world.state().first_seen = Some(Arc::new(seen));
    assert!(world.tick().is_empty());
    assert_eq!(world.plan().0.wake_at, Some(world.now + SignedDuration::from_hours(1)));
    world.now += SignedDuration::from_hours(1);
    assert_eq!(world.tick(), [main_at('b')]);
}

#[test]
fn a_line_for_the_digest_alone_gets_the_digest_alone() {
    let mut world = following("r.io/web");
    let marked = |digit| {
        format!(
            "a: r.io/web # tidegate: r.io/web:name\nb: {} # tidegate: r.io/web:digest policy=digest:main\n",
            digest(digit)
        )
    };
    world.set("web.yaml", &marked('a'));
    world.point("main", 'b');
    assert_eq!(world.tick(), [format!("r.io/web@{}", digest('b'))]);
    assert_eq!(world.files["web.yaml"], marked('b'));
    assert!(world.tick().is_empty());
}

#[test]
fn a_digest_that_has_no_line_is_held_and_the_hold_says_what_to_add() {
    let mut world = following("r.io/web");
    world.set("web.yaml", "a: main # tidegate: r.io/web:tag policy=digest:main\n");
    world.point("main", 'b');
    let (_, report) = world.plan();
    assert_eq!(report.fields[0].holds[0].reason, HoldReason::InvalidPolicy);
    assert!(report.fields[0].holds[0].message.contains("`:digest`"), "{:?}", report.fields[0].holds);
}

#[test]
fn a_pinned_version_is_written_with_its_digest_and_stays_with_it() {
    let mut world = World::web("1.4.2", &[("policy", "semver:~1.4"), ("pin", "digest")]);
    world.push(&["1.4.2", "1.4.3"]);
    world.point("1.4.3", 'a');
    assert_eq!(world.tick(), [format!("r.io/web:1.4.3@{}", digest('a'))]);
    world.point("1.4.3", 'b');
    assert!(world.tick().is_empty(), "a new digest at the same tag is no move");
    world.push(&["1.4.2", "1.4.3", "1.4.4"]);
    world.point("1.4.4", 'c');
    assert_eq!(world.tick(), [format!("r.io/web:1.4.4@{}", digest('c'))]);
}

#[test]
fn the_message_shows_the_beginning_of_a_digest_where_only_that_changes() {
    let mut world = following(&main_at('a'));
    world.point("main", 'b');
    let text = message(&world.plan().0);
    assert!(text.starts_with("web: main@sha256:aaaaaaaaaaaa -> main@sha256:bbbbbbbbbbbb\n"), "{text}");
    assert!(text.contains(&format!("{} -> {}", main_at('a'), main_at('b'))), "{text}");
}
