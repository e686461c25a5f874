//! How values of the built-in kinds merge: which lists are maps or sets, which values are atomic.
//!
//! Whatever is not named here is what a server takes without a schema: objects merge field by field, lists are
//! atomic. Read off the `x-kubernetes-list-type` and `-map-type` marks of the published `OpenAPI` of Kubernetes.

/// The fields of an object that do not follow the rule above.
pub type Fields = &'static [(&'static str, Shape)];

/// How one value merges.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// Field by field.
    Granular(Fields),
    /// As one value.
    Atomic,
    /// A list of distinct scalars.
    Set,
    /// A list of objects, told apart by these keys (with the default of an absent one).
    ListMap(&'static [(&'static str, Option<&'static str>)], &'static Shape),
}

impl Shape {
    /// The shape of a field of an object.
    pub fn field(self, name: &str) -> Self {
        match self {
            Self::Granular(fields) => {
                fields.iter().find(|(field, _)| *field == name).map_or(ANY, |(_, shape)| *shape)
            }
            _ => ANY,
        }
    }
}

/// No exceptions.
pub const ANY: Shape = Shape::Granular(&[]);
const BY_NAME: &[(&str, Option<&str>)] = &[("name", None)];
const BY_TYPE: &[(&str, Option<&str>)] = &[("type", None)];

const METADATA: Shape = Shape::Granular(&[
    ("finalizers", Shape::Set),
    ("ownerReferences", Shape::ListMap(&[("uid", None)], &Shape::Atomic)),
    ("managedFields", Shape::Atomic),
]);

const ENV: Shape = Shape::Granular(&[(
    "valueFrom",
    Shape::Granular(&[
        ("configMapKeyRef", Shape::Atomic),
        ("secretKeyRef", Shape::Atomic),
        ("fieldRef", Shape::Atomic),
        ("resourceFieldRef", Shape::Atomic),
        ("fileKeyRef", Shape::Atomic),
    ]),
)]);

const CONTAINER: Shape = Shape::Granular(&[
    ("env", Shape::ListMap(BY_NAME, &ENV)),
    ("ports", Shape::ListMap(&[("containerPort", None), ("protocol", Some("TCP"))], &ANY)),
    ("volumeMounts", Shape::ListMap(&[("mountPath", None)], &ANY)),
    ("volumeDevices", Shape::ListMap(&[("devicePath", None)], &ANY)),
    ("resources", Shape::Granular(&[("claims", Shape::ListMap(BY_NAME, &ANY))])),
]);

const POD_SPEC: Shape = Shape::Granular(&[
    ("containers", Shape::ListMap(BY_NAME, &CONTAINER)),
    ("initContainers", Shape::ListMap(BY_NAME, &CONTAINER)),
    ("ephemeralContainers", Shape::ListMap(BY_NAME, &CONTAINER)),
    ("volumes", Shape::ListMap(BY_NAME, &ANY)),
    ("imagePullSecrets", Shape::ListMap(BY_NAME, &Shape::Atomic)),
    ("hostAliases", Shape::ListMap(&[("ip", None)], &ANY)),
    ("resourceClaims", Shape::ListMap(BY_NAME, &ANY)),
    ("schedulingGates", Shape::ListMap(BY_NAME, &ANY)),
    (
        "topologySpreadConstraints",
        Shape::ListMap(
            &[("topologyKey", None), ("whenUnsatisfiable", None)],
            &Shape::Granular(&[("labelSelector", Shape::Atomic)]),
        ),
    ),
    ("nodeSelector", Shape::Atomic),
]);

const TEMPLATE: Shape = Shape::Granular(&[("metadata", METADATA), ("spec", POD_SPEC)]);
const WORKLOAD_SPEC: Shape = Shape::Granular(&[("selector", Shape::Atomic), ("template", TEMPLATE)]);
const CONDITIONS: Shape = Shape::Granular(&[("conditions", Shape::ListMap(BY_TYPE, &ANY))]);

/// ConfigMap, Secret, Lease, Role: only metadata has exceptions.
pub const PLAIN: Fields = &[("metadata", METADATA)];
/// Namespace.
pub const NAMESPACE: Fields = &[("metadata", METADATA), ("status", CONDITIONS)];
/// Deployment, `ReplicaSet`; Job too, whose conditions are atomic in the real schema as well as its template being the same.
pub const WORKLOAD: Fields = &[("metadata", METADATA), ("spec", WORKLOAD_SPEC), ("status", CONDITIONS)];
/// `CronJob`.
pub const CRON_JOB: Fields = &[
    ("metadata", METADATA),
    (
        "spec",
        Shape::Granular(&[(
            "jobTemplate",
            Shape::Granular(&[("metadata", METADATA), ("spec", WORKLOAD_SPEC)]),
        )]),
    ),
];
/// Pod.
pub const POD: Fields = &[
    ("metadata", METADATA),
    ("spec", POD_SPEC),
    (
        "status",
        Shape::Granular(&[
            ("conditions", Shape::ListMap(BY_TYPE, &ANY)),
            ("podIPs", Shape::ListMap(&[("ip", None)], &ANY)),
        ]),
    ),
];
/// Service.
pub const SERVICE: Fields = &[
    ("metadata", METADATA),
    (
        "spec",
        Shape::Granular(&[
            ("ports", Shape::ListMap(&[("port", None), ("protocol", Some("TCP"))], &ANY)),
            ("selector", Shape::Atomic),
        ]),
    ),
    ("status", CONDITIONS),
];
/// `ServiceAccount`.
pub const SERVICE_ACCOUNT: Fields = &[
    ("metadata", METADATA),
    ("secrets", Shape::ListMap(BY_NAME, &Shape::Atomic)),
    ("imagePullSecrets", Shape::Atomic),
];
/// `RoleBinding`.
pub const ROLE_BINDING: Fields = &[("metadata", METADATA), ("roleRef", Shape::Atomic)];
/// Event of the core group.
pub const CORE_EVENT: Fields =
    &[("metadata", METADATA), ("involvedObject", Shape::Atomic), ("related", Shape::Atomic)];
/// Event of `events.k8s.io`.
pub const EVENT: Fields = &[("metadata", METADATA), ("regarding", Shape::Atomic), ("related", Shape::Atomic)];
