//! The identity of a decision: the same one gets the same id whoever takes it and however often.
//!
//! It makes a retried push, a lost acknowledgement and a second agent harmless. Called by [`super::plan`].

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use crate::annotation::PolicyText;
use crate::manifest::FieldId;

/// Hexadecimal digits of an id: 80 bits, far more than any repository has decisions.
const ID_DIGITS: usize = 20;

/// What makes a decision the one it is.
pub(super) struct Identity<'a> {
    pub(super) branch: &'a str,
    pub(super) field: &'a FieldId,
    pub(super) from: &'a str,
    pub(super) to: &'a str,
    pub(super) policy: &'a PolicyText,
    /// The commit that last changed the field, so that A → B may rightly happen twice.
    pub(super) changed_by: Option<&'a str>,
}

/// Computes the id of a decision.
pub(super) fn id(identity: &Identity<'_>) -> String {
    let Identity { branch, field, from, to, policy, changed_by } = identity;
    let mut hash = Sha256::new();
    let texts = [
        branch,
        field.0.as_str(),
        from,
        to,
        policy.policy.as_str(),
        policy.tags.as_str(),
        policy.ignore_tags.as_str(),
        changed_by.unwrap_or_default(),
    ];
    for text in texts {
        // The length keeps ("ab", "c") and ("a", "bc") apart.
        hash.update(text.len().to_be_bytes());
        hash.update(text.as_bytes());
    }
    let mut id = String::with_capacity(2 * ID_DIGITS);
    for byte in hash.finalize() {
        let _ = write!(id, "{byte:02x}"); // writing to a String cannot fail
    }
    id.truncate(ID_DIGITS);
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_counts_and_nothing_else() {
        let policy = PolicyText { policy: "semver:~1".into(), ..PolicyText::default() };
        let other = PolicyText { tags: "glob:*".into(), ..policy.clone() };
        let field = FieldId("a.yaml#web".into());
        let make = |branch, from, to, policy, changed_by| {
            id(&Identity { branch, field: &field, from, to, policy, changed_by })
        };
        let first = make("main", "a:1", "a:2", &policy, Some("c1"));
        assert_eq!(first, make("main", "a:1", "a:2", &policy, Some("c1")));
        assert_eq!(first.len(), ID_DIGITS);
        for other in [
            make("prod", "a:1", "a:2", &policy, Some("c1")),
            make("main", "a:1a", ":2", &policy, Some("c1")),
            make("main", "a:1", "a:2", &other, Some("c1")),
            make("main", "a:1", "a:2", &policy, Some("c2")),
            make("main", "a:1", "a:2", &policy, None),
        ] {
            assert_ne!(first, other);
        }
    }
}
