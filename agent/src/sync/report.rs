//! What units say of themselves: to logs, metrics, the parent's data and whoever follows the health.

use std::collections::BTreeMap;

use tidegate_policy::sync::UnitKey;
use tidegate_policy::sync::health::Health;

/// The health of all units.
#[derive(Clone, Debug, Default)]
pub struct HealthReport {
    /// The latest revision of each source that was handed to its units.
    pub sources: BTreeMap<String, String>,
    /// The latest word of each unit.
    pub units: BTreeMap<UnitKey, UnitReport>,
}

/// The latest word of one unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitReport {
    /// The revision that was last synced; units that a commit does not touch stay at theirs.
    pub revision: String,
    /// The worst of the unit's objects, and of what kept it from applying them.
    pub health: Health,
    /// The reason for `health`.
    pub message: String,
    /// Objects that the unit has applied.
    pub objects: usize,
    /// How many of them are Current.
    pub current: usize,
    /// What kept the unit from being synced whole; `None` if nothing did.
    pub error: Option<String>,
    /// Why a prune that is due waits.
    pub held: Option<String>,
    /// Objects left alone until the next revision, because somebody keeps changing them.
    pub fighting: Vec<String>,
}

impl UnitReport {
    /// Prints the report as the data of the unit's parent.
    pub(super) fn data(&self) -> BTreeMap<String, String> {
        let mut data = BTreeMap::from([
            ("revision".to_owned(), self.revision.clone()),
            ("health".to_owned(), self.health.to_string()),
            ("message".to_owned(), self.message.clone()),
            ("objects".to_owned(), self.objects.to_string()),
            ("current".to_owned(), self.current.to_string()),
        ]);
        let fighting = (!self.fighting.is_empty()).then(|| self.fighting.join(", "));
        for (key, value) in [("error", &self.error), ("held", &self.held), ("fighting", &fighting)] {
            if let Some(value) = value {
                data.insert(key.to_owned(), value.clone());
            }
        }
        data
    }
}
