//! What holds for every world: no downgrade, one answer, rest after the plan.

use proptest::prelude::*;

use crate::version::Version;

use super::*;

fn tags() -> impl Strategy<Value = Vec<String>> {
    let tag =
        (1_u8..3, 0_u8..6, 0_u8..6).prop_map(|(major, minor, patch)| format!("{major}.{minor}.{patch}"));
    let odd =
        prop::sample::select(vec!["latest", "1.4", "1.4.3-rc.1", "sha-1", "v1.4.5"]).prop_map(str::to_owned);
    prop::collection::vec(prop_oneof![4 => tag, 1 => odd], 0..12)
}

/// What a person or the registry does between two ticks.
#[derive(Clone, Debug)]
enum Step {
    List(Vec<String>),
    SetByHand(String),
    Release,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let by_hand = (0_u8..6).prop_map(|patch| Step::SetByHand(format!("1.4.{patch}")));
    prop::collection::vec(
        prop_oneof![4 => tags().prop_map(Step::List), 2 => by_hand, 1 => Just(Step::Release)],
        1..12,
    )
}

fn running(world: &World) -> String {
    world.plan().1.fields[0].image.rsplit(':').next().unwrap().to_owned()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn tidegate_never_goes_down_nor_back_to_what_was_taken_out(steps in steps()) {
        let mut world = World::web("1.4.0", &[("policy", "semver:>=1.4 <3")]);
        let mut held = vec!["1.4.0".to_owned()];
        let mut decisions = std::collections::HashSet::new();
        for step in steps {
            match step {
                Step::List(tags) => world.push(&tags.iter().map(String::as_str).collect::<Vec<_>>()),
                Step::SetByHand(tag) => {
                    world.set("web.yaml", &deployment("web", &format!("r.io/web:{tag}"), &[("policy", "semver:>=1.4 <3")]));
                    held.push(tag);
                }
                Step::Release => {
                    world.commit("s\n\nTidegate-Release: web.yaml#apps/Deployment//web#web", &[]);
                    held = vec![running(&world)];
                }
            }
            for change in world.plan().0.changes {
                prop_assert!(decisions.insert(change.decision.clone()), "{} twice", change.decision);
            }
            if let Some(to) = world.tick().first() {
                let tag = to.rsplit(':').next().unwrap().to_owned();
                let version = Version::parse(&tag).unwrap();
                for old in held.iter().filter_map(|old| Version::parse(old)) {
                    prop_assert!(version.is_newer_than(&old), "{tag} after {held:?}");
                }
                held.push(tag);
            }
            prop_assert!(world.plan().0.changes.is_empty(), "not at rest");
        }
    }

    #[test]
    fn the_order_and_number_of_tags_do_not_matter(tags in tags(), seed in any::<u64>()) {
        let plan_of = |tags: &[String]| {
            let mut world = World::web("1.4.0", &[("policy", "semver:>=1.4 <3")]);
            world.push(&tags.iter().map(String::as_str).collect::<Vec<_>>());
            serde_json::to_string(&world.plan().0).unwrap()
        };
        let mut shuffled = [tags.clone(), tags.clone()].concat();
        shuffled.sort_by_key(|tag| tag.len() as u64 ^ seed.rotate_left(u32::from(tag.as_bytes()[tag.len() - 1])));
        prop_assert_eq!(plan_of(&tags), plan_of(&shuffled));
    }

    #[test]
    fn fewer_tags_never_give_a_lower_version(tags in tags(), keep in any::<u16>()) {
        let mut world = World::web("1.4.0", &[("policy", "semver:>=1.4 <3")]);
        world.push(&tags.iter().map(String::as_str).collect::<Vec<_>>());
        world.tick();
        let before = Version::parse(&running(&world)).unwrap();
        let fewer: Vec<&str> = tags.iter().enumerate().filter(|(i, _)| keep >> i & 1 == 1).map(|(_, tag)| tag.as_str()).collect();
        world.push(&fewer);
        world.tick();
        prop_assert!(!before.is_newer_than(&Version::parse(&running(&world)).unwrap()));
    }
}
