//! One object: server-side apply first without force, so that nothing is taken from others silently.

use serde_json::Value;
use tidegate_policy::sync::desired::DesiredObject;

use super::discovery::Known;
use super::hub::Hub;
use super::parallel::slot;
use crate::cluster::{Applied, ApplyOutcome, FieldConflict};
use crate::context::Context;
use crate::error::Failure;

use std::time::Duration;

const APPLY_LIMIT: Duration = Duration::from_secs(30);

/// What an apply did, and to whom.
pub(super) struct Outcome {
    pub(super) applied: Applied,
    /// Fields that were taken from other managers.
    pub(super) taken: Vec<FieldConflict>,
    /// Fields that were left to an autoscaler.
    pub(super) yielded: Vec<FieldConflict>,
}

/// Applies an object; fields that others hold are taken, but for those that an autoscaler holds.
pub(super) async fn apply(
    hub: &Hub,
    context: &Context,
    known: &Known,
    object: &DesiredObject,
) -> Result<Outcome, Failure> {
    let _slot = slot(&hub.slots).await?;
    let context = context.within(APPLY_LIMIT);
    let kind = known.kind(&object.id.kind, Some(&object.version))?;
    let (cluster, fence) = (&hub.parts.cluster, &hub.parts.fence);
    let conflicts = match cluster.apply(&context, fence, &kind, &object.value, false).await? {
        ApplyOutcome::Applied(applied) => {
            return Ok(Outcome { applied: *applied, taken: Vec::new(), yielded: Vec::new() });
        }
        ApplyOutcome::Conflicts(conflicts) => conflicts,
    };
    let mut value = object.value.clone();
    let (mut taken, mut yielded) = (Vec::new(), Vec::new());
    for conflict in conflicts {
        let list = if is_autoscaled(&conflict) && leave_out(&mut value, &conflict.field) {
            &mut yielded
        } else {
            &mut taken
        };
        list.push(conflict);
    }
    let force = !taken.is_empty();
    match cluster.apply(&context, fence, &kind, &value, force).await? {
        ApplyOutcome::Applied(applied) => Ok(Outcome { applied: *applied, taken, yielded }),
        ApplyOutcome::Conflicts(_) => {
            Err(Failure::retry(format!("others keep changing the fields of {} that git sets", object.id)))
        }
    }
}

/// An autoscaler works through the `scale` subresource; so does `kubectl scale`, whose work is a drift.
fn is_autoscaled(conflict: &FieldConflict) -> bool {
    conflict.subresource.as_deref() == Some("scale") && !conflict.manager.starts_with("kubectl")
}

/// Removes a field such as `.spec.replicas`; `false` if the path is not that plain.
fn leave_out(value: &mut Value, field: &str) -> bool {
    let Some(path) = field.strip_prefix('.').filter(|path| !path.contains('[')) else { return false };
    let (parents, last) = path.rsplit_once('.').unwrap_or(("", path));
    let steps = parents.split('.').filter(|step| !step.is_empty());
    let parent = steps.into_iter().try_fold(value, |value, step| value.get_mut(step));
    parent.and_then(Value::as_object_mut).is_some_and(|parent| parent.remove(last).is_some())
}

/// Prints conflicts as `.spec.replicas (kubectl-edit)`.
pub(super) fn describe(conflicts: &[FieldConflict]) -> String {
    let each = conflicts.iter().map(|conflict| format!("{} ({})", conflict.field, conflict.manager));
    each.collect::<Vec<_>>().join(", ")
}
