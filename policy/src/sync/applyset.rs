//! The ApplySet of a unit (KEP-3659): its id, its parent, and what the parent says of its members.
//!
//! Other tools (`kubectl apply --prune --applyset=…`) can read what is written here.
//! Not here: writing the parent (the agent does, at a known resourceVersion).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::UnitKey;
use crate::object::GroupKind;

/// Label of a member: the id of its set.
pub const PART_OF: &str = "applyset.kubernetes.io/part-of";
/// Label of a parent: its own id.
pub const ID: &str = "applyset.kubernetes.io/id";
/// Annotation of a parent: the tool and its version.
pub const TOOLING: &str = "applyset.kubernetes.io/tooling";
/// Annotation of a parent: the kinds of its members.
pub const GROUP_KINDS: &str = "applyset.kubernetes.io/contains-group-kinds";
/// Annotation of a parent: the namespaces of its members besides its own.
pub const NAMESPACES: &str = "applyset.kubernetes.io/additional-namespaces";
/// Label (shortened) and annotation (exact) of a parent: the unit.
pub const UNIT: &str = "tidegate.io/unit";
/// Annotation of a parent: the source.
pub const SOURCE: &str = "tidegate.io/source";

const TOOL: &str = concat!("tidegate/v", env!("CARGO_PKG_VERSION"));

/// The id of an ApplySet, as its members carry it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct ApplySetId(pub String);

impl fmt::Display for ApplySetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Returns the id of the set whose parent is this ConfigMap.
pub fn id(name: &str, namespace: &str) -> ApplySetId {
    // `name.namespace.kind.group`; the group of a ConfigMap is empty.
    let hash = Sha256::digest(format!("{name}.{namespace}.ConfigMap."));
    ApplySetId(format!("applyset-{}-v1", URL_SAFE_NO_PAD.encode(hash)))
}

/// Returns the name of a unit's parent ConfigMap: `tidegate-unit-<slug>-<8 hex>`.
pub fn parent_name(unit: &UnitKey) -> String {
    let hash = Sha256::digest(format!("{}\0{}", unit.source, unit.unit));
    let hash = hash.iter().take(4).fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
    format!("tidegate-unit-{}-{hash:08x}", slug(unit))
}

/// Returns the unit's name as a label value allows it: for people and selectors, not unique.
pub fn slug(unit: &UnitKey) -> String {
    let text = if unit.unit == "." { &unit.source } else { &unit.unit };
    let mut slug = String::new();
    for character in text.chars().take(40) {
        match character {
            'a'..='z' | '0'..='9' => slug.push(character),
            'A'..='Z' => slug.push(character.to_ascii_lowercase()),
            _ if slug.ends_with('-') || slug.is_empty() => {}
            _ => slug.push('-'),
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "unit".to_owned() } else { slug.to_owned() }
}

/// What the parent says of its members: a superset of the truth at any time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// Kinds of the members.
    pub kinds: BTreeSet<GroupKind>,
    /// Namespaces of the members.
    pub namespaces: BTreeSet<String>,
}

impl Extent {
    /// Reads the extent back from a parent's annotations.
    pub fn read(namespace: &str, annotations: &BTreeMap<String, String>) -> Self {
        let items = |key: &str| {
            annotations.get(key).into_iter().flat_map(|list| list.split(',')).filter(|item| !item.is_empty())
        };
        let kinds = items(GROUP_KINDS)
            .map(|item| {
                let (kind, group) = item.split_once('.').unwrap_or((item, ""));
                GroupKind { group: group.to_owned(), kind: kind.to_owned() }
            })
            .collect();
        let own = [namespace.to_owned()];
        Self { kinds, namespaces: items(NAMESPACES).map(str::to_owned).chain(own).collect() }
    }

    /// Adds all that another extent has.
    pub fn widen(&mut self, other: &Self) {
        self.kinds.extend(other.kinds.iter().cloned());
        self.namespaces.extend(other.namespaces.iter().cloned());
    }

    /// Tells whether nothing of `other` is missing here.
    pub fn covers(&self, other: &Self) -> bool {
        self.kinds.is_superset(&other.kinds) && self.namespaces.is_superset(&other.namespaces)
    }
}

/// Returns the labels of a unit's parent.
pub fn labels(unit: &UnitKey, id: &ApplySetId) -> BTreeMap<String, String> {
    BTreeMap::from([(ID.to_owned(), id.0.clone()), (UNIT.to_owned(), slug(unit))])
}

/// Returns the annotations of a unit's parent in `namespace`.
pub fn annotations(unit: &UnitKey, namespace: &str, extent: &Extent) -> BTreeMap<String, String> {
    let join = |items: Vec<String>| items.join(",");
    let kinds = extent.kinds.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
    let namespaces = extent.namespaces.iter().filter(|other| *other != namespace).cloned();
    BTreeMap::from([
        (TOOLING.to_owned(), TOOL.to_owned()),
        (GROUP_KINDS.to_owned(), join(kinds.into_iter().collect())),
        (NAMESPACES.to_owned(), join(namespaces.collect())),
        (SOURCE.to_owned(), unit.source.clone()),
        (UNIT.to_owned(), unit.unit.clone()),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_is_that_of_kep_3659() {
        // sha256("tidegate-unit-web-00000000.tidegate.ConfigMap."), computed apart from this code.
        assert_eq!(
            id("tidegate-unit-web-00000000", "tidegate").0,
            "applyset-G1DQLcyRo1qYPloQzyv3hGtJx3iLbMrAbqsPAFJ8Z50-v1",
        );
    }

    #[test]
    fn the_parent_is_named_after_its_unit() {
        let name = parent_name(&UnitKey::new("fleet", "apps/Web_Shop"));
        assert!(name.starts_with("tidegate-unit-apps-web-shop-"), "{name}");
        assert_eq!(name.len(), "tidegate-unit-apps-web-shop-".len() + 8);
        assert_ne!(name, parent_name(&UnitKey::new("other", "apps/Web_Shop")));
        assert!(parent_name(&UnitKey::new("fleet", ".")).starts_with("tidegate-unit-fleet-"));
        assert!(parent_name(&UnitKey::new("fleet", "ü/".repeat(90))).len() <= 63);
    }

    #[test]
    fn an_extent_is_read_back_as_it_was_written() {
        let kind = |group: &str, kind: &str| GroupKind { group: group.into(), kind: kind.into() };
        let extent = Extent {
            kinds: BTreeSet::from([kind("apps", "Deployment"), kind("", "ConfigMap"), kind("a.b", "X")]),
            namespaces: BTreeSet::from(["tidegate".to_owned(), "shop".to_owned()]),
        };
        let written = annotations(&UnitKey::new("fleet", "apps"), "tidegate", &extent);
        assert_eq!(written[GROUP_KINDS], "ConfigMap,Deployment.apps,X.a.b");
        assert_eq!(written[NAMESPACES], "shop");
        assert_eq!(Extent::read("tidegate", &written), extent);
    }
}
