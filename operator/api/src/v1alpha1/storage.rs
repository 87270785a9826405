//! The volumes of a `CoprInstance`.

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use kube::{KubeSchema, core::Rule};
use serde::{Deserialize, Serialize};

/// Volumes. Each is a PersistentVolumeClaim (ReadWriteOnce); `deletionPolicy` says what becomes of it. A volume may be made larger,
/// where its StorageClass allows that, and never smaller; the condition `VolumesReady` says how far that is. What could not grow
/// (`ResizeRefused`) may be taken back.
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
    pub database: Quantity,
    /// Redis' snapshot.
    #[serde(default = "one_gi")]
    #[schemars(schema_with = "quantity_schema")]
    pub redis: Quantity,
    /// Uploads and search indexes of the frontend.
    #[serde(default = "five_gi")]
    #[schemars(schema_with = "quantity_schema")]
    pub frontend: Quantity,
    /// Build results.
    #[serde(default = "ten_gi")]
    #[schemars(schema_with = "quantity_schema")]
    pub backend: Quantity,
    /// Signing keys.
    #[serde(default = "one_gi")]
    #[schemars(schema_with = "quantity_schema")]
    pub keygen: Quantity,
    /// Git repositories and the lookaside cache.
    #[serde(default = "five_gi")]
    #[schemars(schema_with = "quantity_schema")]
    pub dist_git: Quantity,
    /// Resalloc's tickets.
    #[serde(default = "one_gi")]
    #[schemars(schema_with = "quantity_schema")]
    pub resalloc: Quantity,
}

/// A volume doesn't become smaller. While the cluster refuses to change a volume, it has less than the spec says: then the spec may go
/// back, and what goes beyond that is refused by the claim itself.
pub(super) fn only_grows(volume: &str) -> Rule {
    let (now, before) = (format!("self.spec.storage.{volume}"), format!("oldSelf.spec.storage.{volume}"));
    let grows = format!("quantity(string({now})).compareTo(quantity(string({before}))) >= 0");
    let refused = "has(self.status) && has(self.status.conditions) && self.status.conditions.exists(c, c.type == 'VolumesReady' && c.reason == 'ResizeRefused')";
    Rule::new(format!("!isQuantity(string({before})) || {grows} || {refused}"))
        .field_path(format!(".spec.storage.{volume}"))
        .message(format!("storage.{volume} cannot become smaller: a volume can only grow").as_str())
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
