//! What looks wrong in a field and holds nothing.

use crate::annotation::Order;
use crate::update::subject::Subject;

/// The warnings of a field's report.
pub(super) fn of(subject: &Subject<'_>) -> Vec<String> {
    let repository = &subject.reference.repository;
    let mut warnings = Vec::new();
    if subject.policy.downgrade && !subject.input.guards.allow_downgrade {
        warnings.push("`downgrade: allow` is not permitted by the configuration of this source".to_owned());
    }
    let Some(tags) = &subject.state.tags else { return warnings };
    if let Some(before) = subject.state.shrunk_from {
        warnings.push(format!("the listing of {repository} shrank from {before} to {} tags", tags.len()));
    }
    let is_listed = |tag: &str| tags.iter().any(|listed| listed == tag);
    if let Some(tag) = subject.reference.tag.as_ref().filter(|tag| !is_listed(tag.as_str())) {
        warnings.push(format!("the running tag {tag} is not in the listing of {repository}"));
    }
    if let Order::Digest(tag) = &subject.policy.order
        && subject.reference.tag.as_ref() != Some(tag)
        && !is_listed(tag.as_str())
    {
        warnings.push(format!("the followed tag {tag} is not in the listing of {repository}"));
    }
    warnings
}
