//! Random walks under every kind of policy: whatever comes, a plan is sound, and planning again gives nothing.

use std::collections::HashSet;

use jiff::SignedDuration;
use proptest::prelude::*;

use crate::ledger::FirstSeen;

use super::*;

/// What happens between two ticks.
#[derive(Clone, Debug)]
enum Step {
    /// The registry lists tags of these numbers, and the tag `main` has the digest of this digit.
    List(Vec<u8>, u8),
    /// A person sets the tag of this number, or `main` at a digest.
    SetByHand(u8),
    /// Hours pass.
    Pass(i64),
    /// A person edits the policy's range.
    Edit,
    /// The registry fails, or works again.
    Fail(bool),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let list =
        (prop::collection::vec(0_u8..9, 0..6), 0_u8..4).prop_map(|(tags, digit)| Step::List(tags, digit));
    prop::collection::vec(
        prop_oneof![
            5 => list,
            2 => (0_u8..9).prop_map(Step::SetByHand),
            2 => (1_i64..4).prop_map(Step::Pass),
            1 => Just(Step::Edit),
            1 => any::<bool>().prop_map(Step::Fail),
        ],
        1..14,
    )
}

fn digit(of: u8) -> char {
    char::from(b'0' + of)
}

/// A world under `policy`, whose every step is also one of the ledger's.
struct Walk {
    world: World,
    policy: &'static str,
    annotations: Vec<(&'static str, &'static str)>,
    edits: usize,
}

impl Walk {
    fn new(policy: &'static str, pin: &'static str, min_age: bool) -> Self {
        let mut annotations = vec![("policy", policy)];
        if !policy.starts_with("digest") {
            annotations.push(("pin", pin));
        }
        if min_age {
            annotations.push(("min-age", "2h"));
        }
        let mut world = World::web("1.0.0", &annotations);
        world.push(&["1.0.0", "main"]);
        let mut walk = Self { world, policy, annotations, edits: 0 };
        walk.observe();
        walk
    }

    fn observe(&mut self) {
        let now = self.world.now;
        let state = self.world.state();
        let tags = state.tags.clone().unwrap();
        let mut seen = match &state.first_seen {
            Some(seen) => seen.as_ref().clone(),
            None => FirstSeen::begin(&tags, now),
        };
        seen.observe(&tags, now);
        let main = Tag::parse("main").unwrap();
        if let Some(ManifestFact::Present(digest)) = state.manifests.get(&main).cloned() {
            seen.resolve(&main, &digest, now);
        }
        state.first_seen = Some(Arc::new(seen));
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::List(tags, main) => {
                let mut tags: Vec<String> = tags.iter().map(|tag| format!("1.{tag}.0")).collect();
                tags.push("main".to_owned());
                self.world.push(&tags.iter().map(String::as_str).collect::<Vec<_>>());
                self.world.point("main", digit(*main));
                self.observe();
            }
            Step::SetByHand(number) => {
                let image = if self.policy.starts_with("digest") {
                    format!("r.io/web:main@{}", digest(digit(number % 4)))
                } else {
                    format!("r.io/web:1.{number}.0")
                };
                let text = deployment("web", &image, &self.annotations);
                let text = format!("{text}# {}\n", self.world.commits.len());
                self.world.set("web.yaml", &text);
            }
            Step::Pass(hours) => {
                self.world.now += SignedDuration::from_hours(*hours);
                self.observe();
            }
            Step::Edit => {
                self.edits += 1;
                let tags = ["glob:*", "glob:**", "glob:*[0-9n]*"][self.edits % 3];
                self.annotations.retain(|(key, _)| *key != "tags");
                self.annotations.push(("tags", tags));
                let image = self.world.plan().1.fields[0].image.clone();
                let text = deployment("web", &image, &self.annotations);
                self.world.set("web.yaml", &text);
            }
            Step::Fail(fails) => {
                self.world.state().error = fails.then(|| ScanError::Unreachable("503".into()));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    /// `World::plan` checks every plan by the second opinion of `check`.
    #[test]
    fn whatever_comes_a_plan_is_sound_and_planning_again_gives_nothing(
        steps in steps(),
        policy in prop::sample::select(vec!["semver:*", "newest", "digest:main", "alphabetical", "alphabetical:desc"]),
        pin in prop::sample::select(vec!["tag", "digest"]),
        min_age in any::<bool>(),
    ) {
        let mut walk = Walk::new(policy, pin, min_age);
        let mut decisions = HashSet::new();
        for step in &steps {
            walk.take(step);
            let (plan, report) = walk.world.plan();
            for change in &plan.changes {
                prop_assert!(decisions.insert(change.decision.clone()), "{} twice", change.decision);
            }
            for field in &report.fields {
                let holds: Vec<_> = field.holds.iter().map(|hold| hold.reason).collect();
                prop_assert!(holds.is_sorted(), "{holds:?}");
                prop_assert_eq!(field.decision == Decision::Held, !holds.is_empty());
            }
            walk.world.tick();
            prop_assert!(walk.world.plan().0.changes.is_empty(), "not at rest after {step:?}");
        }
    }

    /// A listing that lacks tags, whichever, moves no field back to an older version.
    #[test]
    fn no_listing_pulls_a_version_down(
        steps in steps(),
        keep in any::<u16>(),
        pin in prop::sample::select(vec!["tag", "digest"]),
    ) {
        let mut walk = Walk::new("semver:*", pin, false);
        for step in &steps {
            walk.take(step);
            walk.world.tick();
        }
        let minor = |world: &World| {
            let image = world.plan().1.fields[0].image.clone();
            image.split('.').nth(2).unwrap().parse::<u8>().unwrap()
        };
        let before = minor(&walk.world);
        walk.take(&Step::List((0..9).filter(|tag| keep >> tag & 1 == 1).collect(), 0));
        walk.world.tick();
        prop_assert!(minor(&walk.world) >= before);
    }
}
