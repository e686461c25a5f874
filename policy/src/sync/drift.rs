//! Whether a live object is still as we applied it, judged from its metadata alone.
//!
//! The server keeps, for each field manager, the set of fields it holds: an edit of a field of ours by
//! anyone leaves our `Apply` entry without that field, and another apply under our name changes the
//! entry's time. So neither a read of the whole object nor a dry run is needed, and changes to fields
//! that are not ours (status, replicas of an autoscaler) are no drift.
//!
//! Called by the agent for every event of a watch.

use std::cmp::Ordering;
use std::fmt;

use serde_json::Value;

use super::applyset::{ApplySetId, PART_OF};
use super::desired::Hash;
use super::live::{label, our_entry, resource_version};

/// What we remember of an object from our apply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// `metadata.resourceVersion` after the apply, or of the latest observation that was in sync.
    pub resource_version: String,
    fields: Option<Hash>,
    time: Option<String>,
}

impl Recorded {
    /// Remembers an object as an apply of ours left it.
    pub fn of(live: &Value) -> Self {
        let (fields, time) = entry(live);
        Self { resource_version: resource_version(live).unwrap_or_default().to_owned(), fields, time }
    }
}

/// What an observation says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As applied.
    InSync,
    /// Older than what we know: an echo that overtook nothing.
    Stale,
    /// Not as applied.
    Drifted(Drift),
}

/// How a live object differs from what we applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drift {
    /// It is gone.
    Deleted,
    /// The label that makes it part of the unit is gone or names another set.
    Label,
    /// A field of ours was changed or removed.
    Fields,
    /// Somebody applied under our name.
    Reapplied,
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Deleted => "deleted",
            Self::Label => "label changed",
            Self::Fields => "fields changed",
            Self::Reapplied => "applied by somebody else under our name",
        })
    }
}

/// Judges an observation of an object against what we remember of it.
pub fn judge(recorded: &Recorded, applyset: &ApplySetId, live: &Value) -> Verdict {
    let version = resource_version(live).unwrap_or_default();
    match order(version, &recorded.resource_version) {
        Some(Ordering::Equal) => return Verdict::InSync,
        Some(Ordering::Less) => return Verdict::Stale,
        Some(Ordering::Greater) | None => {}
    }
    if label(live, PART_OF) != Some(&applyset.0) {
        return Verdict::Drifted(Drift::Label);
    }
    let (fields, time) = entry(live);
    if fields.is_none() || fields != recorded.fields {
        return Verdict::Drifted(Drift::Fields);
    }
    if time != recorded.time {
        return Verdict::Drifted(Drift::Reapplied);
    }
    Verdict::InSync
}

/// Orders two resource versions, which are decimal numbers on every server since Kubernetes 1.35
/// says so and on all before; `None` if they are not and differ.
fn order(a: &str, b: &str) -> Option<Ordering> {
    if a == b {
        return Some(Ordering::Equal);
    }
    Some(a.parse::<u64>().ok()?.cmp(&b.parse::<u64>().ok()?))
}

fn entry(live: &Value) -> (Option<Hash>, Option<String>) {
    let Some(entry) = our_entry(live) else { return (None, None) };
    let time = entry.get("time").and_then(Value::as_str).map(str::to_owned);
    (entry.get("fieldsV1").map(Hash::of), time)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn live(version: &str, label: &str, entries: &Value) -> Value {
        json!({"metadata": {"resourceVersion": version, "labels": {(PART_OF): label}, "managedFields": entries}})
    }

    fn entry(fields: &Value, time: &str) -> Value {
        json!({"manager": "tidegate", "operation": "Apply", "time": time, "fieldsType": "FieldsV1", "fieldsV1": fields})
    }

    #[track_caller]
    fn check(after: &Value, expect: &Verdict) {
        let applied = live("10", "set", &json!([entry(&json!({"f:data": {"f:a": {}, "f:b": {}}}), "t1")]));
        assert_eq!(&judge(&Recorded::of(&applied), &ApplySetId("set".to_owned()), after), expect);
    }

    #[test]
    fn our_own_echo_and_older_events_are_no_drift() {
        check(&live("10", "set", &json!([])), &Verdict::InSync);
        check(&live("9", "other", &json!([])), &Verdict::Stale);
    }

    #[test]
    fn a_field_taken_from_us_is_drift() {
        let theirs =
            json!({"manager": "kubectl-edit", "operation": "Update", "fieldsV1": {"f:data": {"f:b": {}}}});
        let after = live("11", "set", &json!([entry(&json!({"f:data": {"f:a": {}}}), "t1"), theirs]));
        check(&after, &Verdict::Drifted(Drift::Fields));
        check(&live("11", "set", &json!([])), &Verdict::Drifted(Drift::Fields));
    }

    #[test]
    fn fields_of_others_are_no_drift() {
        let ours = entry(&json!({"f:data": {"f:a": {}, "f:b": {}}}), "t1");
        let status =
            json!({"manager": "kube-controller-manager", "operation": "Update", "subresource": "status"});
        check(&live("11", "set", &json!([ours, status])), &Verdict::InSync);
    }

    #[test]
    fn an_apply_under_our_name_is_drift() {
        let after = live("11", "set", &json!([entry(&json!({"f:data": {"f:a": {}, "f:b": {}}}), "t2")]));
        check(&after, &Verdict::Drifted(Drift::Reapplied));
    }

    #[test]
    fn a_changed_label_is_drift() {
        let ours = entry(&json!({"f:data": {"f:a": {}, "f:b": {}}}), "t1");
        check(&live("11", "other", &json!([ours])), &Verdict::Drifted(Drift::Label));
    }
}
