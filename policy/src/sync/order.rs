//! In which order kinds are applied: what others need comes first, what may refuse others comes last.
//!
//! Objects of one stage are applied in parallel. Not here: waves and `depends-on`.

use crate::object::GroupKind;

/// The rank of a kind; lower is applied earlier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// Namespaces.
    Namespace,
    /// Custom resource definitions; the next stage waits until they are served.
    Definition,
    /// Classes, quotas and policies that decide what may run.
    Class,
    /// Identities and roles.
    Identity,
    /// Bindings of roles to identities.
    Binding,
    /// Configuration and storage that pods mount.
    Config,
    /// Services, so that pods find them in their environment.
    Service,
    /// What runs.
    Workload,
    /// Everything else, custom resources among it.
    Other,
    /// What can refuse other objects.
    Webhook,
}

/// Returns the rank of a kind.
pub fn rank(kind: &GroupKind) -> Rank {
    match (kind.group.as_str(), kind.kind.as_str()) {
        ("", "Namespace") => Rank::Namespace,
        ("apiextensions.k8s.io", "CustomResourceDefinition") => Rank::Definition,
        ("", "ResourceQuota" | "LimitRange") | ("networking.k8s.io", "NetworkPolicy" | "IngressClass") => {
            Rank::Class
        }
        ("storage.k8s.io" | "scheduling.k8s.io" | "node.k8s.io", _) => Rank::Class,
        ("", "ServiceAccount") | ("rbac.authorization.k8s.io", "Role" | "ClusterRole") => Rank::Identity,
        ("rbac.authorization.k8s.io", _) => Rank::Binding,
        ("", "ConfigMap" | "Secret" | "PersistentVolume" | "PersistentVolumeClaim") => Rank::Config,
        ("", "Service" | "Endpoints") => Rank::Service,
        ("", "Pod" | "ReplicationController" | "PodTemplate") | ("apps" | "batch", _) => Rank::Workload,
        ("admissionregistration.k8s.io", _) => Rank::Webhook,
        _ => Rank::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_need_comes_first() {
        let order = [
            ("", "Namespace"),
            ("apiextensions.k8s.io", "CustomResourceDefinition"),
            ("storage.k8s.io", "StorageClass"),
            ("", "ServiceAccount"),
            ("rbac.authorization.k8s.io", "RoleBinding"),
            ("", "ConfigMap"),
            ("", "Service"),
            ("apps", "Deployment"),
            ("example.com", "Widget"),
            ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
        ];
        let ranks: Vec<Rank> = order
            .iter()
            .map(|(group, kind)| rank(&GroupKind { group: (*group).into(), kind: (*kind).into() }))
            .collect();
        assert!(ranks.is_sorted_by(|a, b| a < b), "{ranks:?}");
    }
}
