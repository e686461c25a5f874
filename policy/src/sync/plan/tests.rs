use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::sync::applyset::PART_OF;
use crate::sync::check::check;

const SET: &str = "applyset-x-v1";

fn id(kind: &str, name: &str) -> ObjectId {
    let group = match kind {
        "Deployment" => "apps",
        "CustomResourceDefinition" => "apiextensions.k8s.io",
        "ValidatingWebhookConfiguration" => "admissionregistration.k8s.io",
        _ => "",
    };
    ObjectId {
        kind: GroupKind { group: group.to_owned(), kind: kind.to_owned() },
        namespace: Some("shop".to_owned()),
        name: name.to_owned(),
    }
}

fn object(id: &ObjectId, content: &str) -> Arc<DesiredObject> {
    let value = json!({
        "metadata": {"name": id.name, "labels": {(PART_OF): SET}},
        "data": content,
        "spec": {"group": "example.com", "names": {"kind": "Widget"}},
    });
    let hash = Hash::of(&value);
    Arc::new(DesiredObject {
        id: id.clone(),
        version: "v1".into(),
        value,
        hash,
        file: "a.yaml".into(),
        line: 1,
    })
}

fn live(set: &str) -> Value {
    json!({"metadata": {
        "labels": {(PART_OF): set},
        "managedFields": [{
            "manager": "tidegate", "operation": "Apply",
            "fieldsV1": {"f:metadata": {"f:labels": {(format!("f:{PART_OF}")): {}}}},
        }],
    }})
}

#[derive(Clone, Debug, Default)]
struct World {
    desired: Desired,
    foreign: BTreeMap<ObjectId, UnitKey>,
    owners: BTreeMap<ObjectId, Owner>,
    settled: BTreeMap<ObjectId, Hash>,
    owned: Vec<(ObjectId, Value)>,
}

impl World {
    fn of(objects: &[(&str, &str)]) -> Self {
        let mut world = Self::default();
        for (kind, name) in objects {
            world.want(&id(kind, name), "1");
        }
        world
    }

    fn want(&mut self, id: &ObjectId, content: &str) {
        self.desired.objects.insert(id.clone(), object(id, content));
        self.owners.insert(id.clone(), Owner::Absent);
    }

    fn plan(&self) -> (ApplyPlan, SyncReport) {
        let owned: Vec<(ObjectId, &Value)> = self.owned.iter().map(|(id, live)| (id.clone(), live)).collect();
        let set = ApplySetId(SET.to_owned());
        let planned = plan(&PlanInput {
            unit: &UnitKey::new("fleet", "apps"),
            applyset: &set,
            desired: &self.desired,
            foreign: &self.foreign,
            owners: &self.owners,
            parents: &BTreeMap::from([(ApplySetId("sibling".into()), UnitKey::new("fleet", "old"))]),
            unsettled: &BTreeSet::new(),
            settled: &self.settled,
            owned: Some(&owned),
            acknowledged: None,
        });
        check(&planned.0, &self.desired, &set).unwrap();
        planned
    }

    /// Carries a plan out: what it applies is settled, what it prunes is gone.
    fn carry_out(&mut self, plan: &ApplyPlan) {
        for object in plan.objects() {
            self.settled.insert(object.id.clone(), object.hash);
            if !self.owned.iter().any(|(id, _)| *id == object.id) {
                self.owned.push((object.id.clone(), live(SET)));
            }
        }
        self.owned.retain(|(id, _)| !plan.prune.contains(id));
    }
}

#[test]
fn objects_are_applied_in_stages_by_kind() {
    let world = World::of(&[
        ("ValidatingWebhookConfiguration", "v"),
        ("Deployment", "web"),
        ("Deployment", "db"),
        ("CustomResourceDefinition", "widgets.example.com"),
        ("Namespace", "shop"),
        ("ConfigMap", "c"),
    ]);
    let (plan, _) = world.plan();
    let stages: Vec<String> = plan
        .stages
        .iter()
        .map(|stage| stage.objects.iter().map(|object| object.id.name.as_str()).collect::<Vec<_>>().join("+"))
        .collect();
    assert_eq!(stages, ["shop", "widgets.example.com", "c", "db+web", "v"]);
    let widget = GroupKind { group: "example.com".into(), kind: "Widget".into() };
    assert_eq!(plan.stages[1].defines, [widget]);
    assert!(plan.stages[3].defines.is_empty());
}

#[test]
fn what_is_live_as_desired_is_not_applied_again() {
    let mut world = World::of(&[("ConfigMap", "a"), ("ConfigMap", "b")]);
    let (plan, _) = world.plan();
    world.carry_out(&plan);
    world.want(&id("ConfigMap", "b"), "2");
    let (plan, report) = world.plan();
    assert_eq!(plan.outline(&UnitKey::new("fleet", "apps")).apply, ["ConfigMap/shop/b"]);
    assert_eq!(report.unchanged, 1);
}

#[test]
fn what_belongs_to_another_is_refused_naming_it_and_the_rest_goes_on() {
    let mut world =
        World::of(&[("ConfigMap", "a"), ("ConfigMap", "b"), ("ConfigMap", "c"), ("ConfigMap", "d")]);
    world.foreign.insert(id("ConfigMap", "a"), UnitKey::new("fleet", "infra"));
    world.owners.insert(id("ConfigMap", "b"), Owner::Tracked("Helm release x/y".into()));
    world.owners.insert(id("ConfigMap", "c"), Owner::ApplySet(ApplySetId("sibling".into())));
    let (plan, report) = world.plan();
    assert_eq!(plan.objects().count(), 2);
    let refused: Vec<&str> = report.refused.iter().map(|(_, by)| by.as_str()).collect();
    assert_eq!(refused, ["unit fleet:infra", "Helm release x/y"]);
    assert_eq!(report.moved, [(id("ConfigMap", "c"), UnitKey::new("fleet", "old"))]);
}

#[test]
fn an_object_that_was_not_looked_up_is_wanted_and_not_applied() {
    let mut world = World::of(&[("ConfigMap", "a")]);
    world.owners.clear();
    let (plan, report) = world.plan();
    assert!(plan.is_empty());
    assert_eq!(report.wanted, [id("ConfigMap", "a")]);
}

#[test]
fn an_outline_has_the_shape_that_is_promised() {
    let mut world = World::of(&[("ConfigMap", "a")]);
    world.owned.push((id("Deployment", "gone"), live(SET)));
    let (plan, _) = world.plan();
    let text = serde_json::to_value(plan.outline(&UnitKey::new("fleet", "apps"))).unwrap();
    let expect = json!({
        "source": "fleet", "unit": "apps", "apply": ["ConfigMap/shop/a"], "prune": ["Deployment/shop/gone"], "held": null,
    });
    assert_eq!(text, expect);
}

fn world() -> impl Strategy<Value = World> {
    let kinds =
        prop::sample::select(vec!["ConfigMap", "Deployment", "Namespace", "CustomResourceDefinition"]);
    // Name, whether it is desired, whether it is live, who owns it.
    let entry = (kinds, 0..12u8, any::<bool>(), any::<bool>(), 0..4u8);
    prop::collection::vec(entry, 0..24).prop_map(|entries| {
        let mut world = World::default();
        for (kind, name, wanted, owned, owner) in entries {
            let id = id(kind, &name.to_string());
            if wanted {
                world.want(&id, "1");
                let owner = match owner {
                    0 => Owner::Absent,
                    1 => Owner::Nobody,
                    2 => Owner::ApplySet(ApplySetId("sibling".into())),
                    _ => Owner::Tracked("Helm release a/b".into()),
                };
                world.owners.insert(id.clone(), owner);
            }
            if owned && !world.owned.iter().any(|(known, _)| *known == id) {
                world.owned.push((id, live(SET)));
            }
        }
        world
    })
}

proptest! {
    #[test]
    fn a_plan_that_was_carried_out_leaves_nothing_to_do(mut world in world()) {
        let (first, _) = world.plan();
        world.carry_out(&first);
        let (second, _) = world.plan();
        prop_assert!(second.stages.is_empty(), "{second:?}");
        prop_assert!(second.prune.is_empty(), "{second:?}");
    }

    #[test]
    fn nothing_desired_is_ever_pruned(world in world()) {
        let (plan, _) = world.plan();
        prop_assert!(plan.prune.iter().all(|id| !world.desired.objects.contains_key(id)));
    }

    #[test]
    fn the_order_of_the_live_list_is_irrelevant(world in world()) {
        let mut reversed = world.clone();
        reversed.owned.reverse();
        prop_assert_eq!(world.plan(), reversed.plan());
    }
}
