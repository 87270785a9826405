//! The volumes of a `CoprInstance`.

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// Volumes. Each is a PersistentVolumeClaim (ReadWriteOnce); `deletionPolicy` says what becomes of it. A volume may be made larger,
/// where its StorageClass allows that, and never smaller; the condition `VolumesReady` says how far that is.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.className) == has(oldSelf.className) && (!has(self.className) || self.className == oldSelf.className)")
    .message("storage.className cannot change once the instance exists: a volume stays in its StorageClass"))]
pub struct Storage {
    /// StorageClass of every volume. Absent: the cluster's default. Cannot change.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub class_name: Option<String>,
    /// PostgreSQL's data.
    #[serde(default = "one_gi")]
    #[schemars(schema_with = "quantity_schema")]
    #[x_kube(validation = Rule::new("!isQuantity(string(oldSelf)) || quantity(string(self)).compareTo(quantity(string(oldSelf))) >= 0")
        .message("storage.database cannot become smaller: a volume can only grow"))]
    pub database: Quantity,
    /// Redis' snapshot.
    #[serde(default = "one_gi")]
    #[schemars(schema_with = "quantity_schema")]
    #[x_kube(validation = Rule::new("!isQuantity(string(oldSelf)) || quantity(string(self)).compareTo(quantity(string(oldSelf))) >= 0")
        .message("storage.redis cannot become smaller: a volume can only grow"))]
    pub redis: Quantity,
    /// Uploads and search indexes of the frontend.
    #[serde(default = "five_gi")]
    #[schemars(schema_with = "quantity_schema")]
    #[x_kube(validation = Rule::new("!isQuantity(string(oldSelf)) || quantity(string(self)).compareTo(quantity(string(oldSelf))) >= 0")
        .message("storage.frontend cannot become smaller: a volume can only grow"))]
    pub frontend: Quantity,
    /// Build results.
    #[serde(default = "ten_gi")]
    #[schemars(schema_with = "quantity_schema")]
    #[x_kube(validation = Rule::new("!isQuantity(string(oldSelf)) || quantity(string(self)).compareTo(quantity(string(oldSelf))) >= 0")
        .message("storage.backend cannot become smaller: a volume can only grow"))]
    pub backend: Quantity,
    /// Signing keys.
    #[serde(default = "one_gi")]
    #[schemars(schema_with = "quantity_schema")]
    #[x_kube(validation = Rule::new("!isQuantity(string(oldSelf)) || quantity(string(self)).compareTo(quantity(string(oldSelf))) >= 0")
        .message("storage.keygen cannot become smaller: a volume can only grow"))]
    pub keygen: Quantity,
    /// Git repositories and the lookaside cache.
    #[serde(default = "five_gi")]
    #[schemars(schema_with = "quantity_schema")]
    #[x_kube(validation = Rule::new("!isQuantity(string(oldSelf)) || quantity(string(self)).compareTo(quantity(string(oldSelf))) >= 0")
        .message("storage.distGit cannot become smaller: a volume can only grow"))]
    pub dist_git: Quantity,
    /// Resalloc's tickets.
    #[serde(default = "one_gi")]
    #[schemars(schema_with = "quantity_schema")]
    #[x_kube(validation = Rule::new("!isQuantity(string(oldSelf)) || quantity(string(self)).compareTo(quantity(string(oldSelf))) >= 0")
        .message("storage.resalloc cannot become smaller: a volume can only grow"))]
    pub resalloc: Quantity,
}

/// A quantity of at least something.
const POSITIVE: &str = "^[+]?([0-9]*[1-9][0-9]*([.][0-9]*)?|[0-9]*[.][0-9]*[1-9][0-9]*)(([KMGTPE]i)|[numkMGTPE]|[eE][-+]?[0-9]+)?$";

/// A quantity, never null: an absent one has its default.
fn quantity_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({
        "x-kubernetes-int-or-string": true, "nullable": false, "minimum": 1, "pattern": POSITIVE,
    })
}

impl Default for Storage {
    fn default() -> Self {
        Self {
            class_name: None,
            database: one_gi(),
            redis: one_gi(),
            frontend: five_gi(),
            backend: ten_gi(),
            keygen: one_gi(),
            dist_git: five_gi(),
            resalloc: one_gi(),
        }
    }
}

fn one_gi() -> Quantity {
    Quantity("1Gi".into())
}

fn five_gi() -> Quantity {
    Quantity("5Gi".into())
}

fn ten_gi() -> Quantity {
    Quantity("10Gi".into())
}
