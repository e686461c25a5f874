//! Sets of field paths, and their `FieldsV1` form in `metadata.managedFields`.
//!
//! Not here: which fields an object has (`walk`), who owns them (`managers`).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// A field of an object (`f:`).
    Field(String),
    /// An item of a list map (`k:`): its keys as compact JSON with sorted names.
    Key(String),
    /// An item of a set (`v:`): the value as compact JSON.
    Item(String),
}

impl Step {
    fn encode(&self) -> String {
        match self {
            Self::Field(name) => format!("f:{name}"),
            Self::Key(keys) => format!("k:{keys}"),
            Self::Item(value) => format!("v:{value}"),
        }
    }

    fn decode(text: &str) -> Option<Self> {
        let (tag, rest) = text.split_once(':')?;
        match tag {
            "f" => Some(Self::Field(rest.to_owned())),
            "k" => Some(Self::Key(canonical(rest)?)),
            "v" => Some(Self::Item(canonical(rest)?)),
            _ => None,
        }
    }

    /// The step as the server prints it in conflicts.
    pub fn print(&self) -> String {
        match self {
            Self::Field(name) => format!(".{name}"),
            Self::Key(keys) => {
                let keys: BTreeMap<String, Value> = serde_json::from_str(keys).unwrap_or_default();
                let pairs: Vec<String> = keys.iter().map(|(key, value)| format!("{key}={value}")).collect();
                format!("[{}]", pairs.join(","))
            }
            Self::Item(value) => format!("[={value}]"),
        }
    }
}

fn canonical(json: &str) -> Option<String> {
    let value: Value = serde_json::from_str(json).ok()?;
    match value {
        Value::Object(map) => serde_json::to_string(&map.into_iter().collect::<BTreeMap<_, _>>()).ok(),
        other => Some(other.to_string()),
    }
}

/// A set of paths: members end here, children go on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldSet {
    members: BTreeSet<Step>,
    children: BTreeMap<Step, FieldSet>,
}

impl FieldSet {
    /// Adds the path.
    pub fn insert(&mut self, path: &[Step]) {
        match path {
            [] => {}
            [last] => {
                self.members.insert(last.clone());
            }
            [first, rest @ ..] => self.children.entry(first.clone()).or_default().insert(rest),
        }
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty() && self.children.values().all(Self::is_empty)
    }

    /// Whether a path ends with `step` here.
    pub fn has(&self, step: &Step) -> bool {
        self.members.contains(step)
    }

    /// The paths below `step`, if any.
    pub fn below(&self, step: &Step) -> Option<&Self> {
        self.children.get(step).filter(|child| !child.is_empty())
    }

    /// Paths in either.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let mut all = self.clone();
        all.members.extend(other.members.iter().cloned());
        for (step, child) in &other.children {
            let merged = all.children.get(step).map_or_else(|| child.clone(), |own| own.union(child));
            all.children.insert(step.clone(), merged);
        }
        all
    }

    /// Paths in both.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let members = self.members.intersection(&other.members).cloned().collect();
        let children = self
            .children
            .iter()
            .filter_map(|(step, child)| Some((step.clone(), child.intersection(other.children.get(step)?))))
            .filter(|(_, child)| !child.is_empty())
            .collect();
        Self { members, children }
    }

    /// Paths in self alone.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        let members = self.members.difference(&other.members).cloned().collect();
        let children = self
            .children
            .iter()
            .map(|(step, child)| {
                let rest =
                    other.children.get(step).map_or_else(|| child.clone(), |gone| child.difference(gone));
                (step.clone(), rest)
            })
            .filter(|(_, child)| !child.is_empty())
            .collect();
        Self { members, children }
    }

    /// Leaves out `path` and all that is below it.
    #[must_use]
    pub fn without_tree(mut self, path: &[&str]) -> Self {
        match path {
            [] => {}
            [last] => {
                let step = Step::Field((*last).to_owned());
                self.members.remove(&step);
                self.children.remove(&step);
            }
            [first, rest @ ..] => {
                let step = Step::Field((*first).to_owned());
                if let Some(child) = self.children.remove(&step) {
                    let child = child.without_tree(rest);
                    if !child.is_empty() {
                        self.children.insert(step, child);
                    }
                }
            }
        }
        self
    }

    /// Leaves out the one `path`.
    #[must_use]
    pub fn without(self, path: &[&str]) -> Self {
        let steps: Vec<Step> = path.iter().map(|name| Step::Field((*name).to_owned())).collect();
        let mut one = Self::default();
        one.insert(&steps);
        self.difference(&one)
    }

    /// All paths, printed as in conflicts.
    pub fn printed(&self) -> Vec<String> {
        let mut paths: Vec<String> = self.members.iter().map(Step::print).collect();
        for (step, child) in &self.children {
            let prefix = step.print();
            paths.extend(child.printed().into_iter().map(|rest| format!("{prefix}{rest}")));
        }
        paths
    }

    /// Writes `FieldsV1`.
    pub fn encode(&self) -> Value {
        let mut map = Map::new();
        for (step, child) in self.children.iter().filter(|(_, child)| !child.is_empty()) {
            let mut inner = child.encode();
            if let (true, Value::Object(inner)) = (self.members.contains(step), &mut inner) {
                inner.insert(".".to_owned(), Value::Object(Map::new()));
            }
            map.insert(step.encode(), inner);
        }
        for step in self.members.iter().filter(|step| self.below(step).is_none()) {
            map.insert(step.encode(), Value::Object(Map::new()));
        }
        Value::Object(map)
    }

    /// Reads `FieldsV1`; what it does not understand is left out.
    pub fn decode(fields: &Value) -> Self {
        let mut set = Self::default();
        for (key, inner) in fields.as_object().into_iter().flatten() {
            let Some(step) = Step::decode(key) else { continue };
            let Some(object) = inner.as_object() else { continue };
            if object.is_empty() || object.contains_key(".") {
                set.members.insert(step.clone());
            }
            let child = Self::decode(inner);
            if !child.is_empty() {
                set.children.insert(step, child);
            }
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn fields_v1_survives_a_round_trip() {
        let fields = json!({
            "f:metadata": {"f:finalizers": {".": {}, "v:\"a\"": {}}},
            "f:spec": {"f:containers": {"k:{\"name\":\"app\"}": {".": {}, "f:image": {}}}, "f:replicas": {}},
        });
        assert_eq!(FieldSet::decode(&fields).encode(), fields);
    }

    #[test]
    fn paths_print_as_the_server_prints_them() {
        let set = FieldSet::decode(&json!({
            "f:ports": {"k:{\"containerPort\":80,\"protocol\":\"TCP\"}": {"f:name": {}}},
            "f:finalizers": {"v:\"a\"": {}},
        }));
        assert_eq!(set.printed(), [".finalizers[=\"a\"]", ".ports[containerPort=80,protocol=\"TCP\"].name"]);
    }
}
