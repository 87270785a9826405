//! The block of a component: what each of them has in common.

use std::collections::BTreeMap;

use k8s_openapi::{api::core::v1::ResourceRequirements, apimachinery::pkg::api::resource::Quantity};
use kube::{KubeSchema, core::Rule};
use schemars::Schema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    BackendConfig, CoprInstanceSpec, DIST_GIT_OWNED, PodSettings, SecretRef,
    extra_config::{none_of, owned},
};
use crate::component::Component;

/// A component: its image, what its containers may use, its volume and where its pod runs.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ComponentSpec {
    /// An image that exists already. It wins over what `packages` or `images.registry` would give.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    pub image: Option<String>,
    /// Requests and limits of each of its containers. What isn't given here is as in `defaults.resources`, and what isn't given there,
    /// either, as the operator says.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(default)]
    #[schemars(schema_with = "super::requirements::requirements")]
    pub resources: Option<ResourceRequirements>,
    /// Its volume.
    #[serde(default)]
    pub storage: VolumeSettings,
    /// Where its pod runs, and what is written on it.
    #[serde(default)]
    pub pod: Box<PodSettings>,
}

/// The frontend: its image, what its containers may use, its volume, where its pod runs, and settings of Copr's own.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct FrontendSpec {
    /// What every component has.
    #[serde(flatten)]
    pub component: ComponentSpec,
    /// Settings of its `copr.conf` that no field of the spec is for. Keys are upper-case; values are numbers, texts, booleans, lists or maps,
    /// as in `LOGIN_INFO: {user_link: "https://id.example.org/user/{username}", user_desc: account}`, and become Python's. What the
    /// operator merely chose a value for (`ITEMS_PER_PAGE`) can be set; a key that it owns is refused by the condition `Ready`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "super::extra_config::any_values")]
    pub extra_config: BTreeMap<String, Value>,
}

/// Dist-git: its image, what its containers may use, its volume, where its pod runs, and settings of Copr's own.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct DistGitSpec {
    /// What every component has.
    #[serde(flatten)]
    pub component: ComponentSpec,
    /// Settings of the section `dist-git` of its `copr-dist-git.conf`, for example `sleep_time: "5"`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "super::extra_config::settings")]
    #[x_kube(validation = Rule::new(none_of(&DIST_GIT_OWNED)).message(owned("copr-dist-git.conf", &DIST_GIT_OWNED).as_str()))]
    pub extra_config: BTreeMap<String, String>,
}

/// The backend: its image, what its containers may use, its volume and where its pod runs.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct BackendSpec {
    /// What every component has.
    #[serde(flatten)]
    pub component: ComponentSpec,
    /// An image of the web server of the build results, which runs in the backend's pod, that exists already; `image` is that
    /// of the dispatchers. It wins over what `packages` or `images.registry` would give.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    pub httpd_image: Option<String>,
    /// Settings of its `copr-be.conf`.
    #[serde(default, skip_serializing_if = "is_unset")]
    pub extra_config: Box<BackendConfig>,
}

/// PostgreSQL: one of the instance's own on a volume, or an external one.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.externalSecret) == has(oldSelf.externalSecret)")
    .message("database.externalSecret can be neither added nor removed once the instance exists: no data would move from one database to the other. Create another instance"))]
pub struct DatabaseSpec {
    /// A Secret with the key `uri`, an SQLAlchemy URI such as
    /// `postgresql+psycopg2://user:password@host:5432/coprdb`. The database must exist; the user must own it. Can be neither added
    /// nor removed later; another Secret may be named. With it there is no pod, so the other fields count for nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_secret: Option<SecretRef>,
    /// What every component has.
    #[serde(flatten)]
    pub component: ComponentSpec,
}

/// Redis: one of the instance's own on a volume, or an external one.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.externalSecret) == has(oldSelf.externalSecret)")
    .message("redis.externalSecret can be neither added nor removed once the instance exists: no data would move from one Redis to the other. Create another instance"))]
pub struct RedisSpec {
    /// A Secret with the keys `host` and `port`. Without a password: Copr's frontend cannot send one. Can be neither added nor removed
    /// later; another Secret may be named. With it there is no pod, so the other fields count for nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_secret: Option<SecretRef>,
    /// What every component has.
    #[serde(flatten)]
    pub component: ComponentSpec,
}

/// A volume: a PersistentVolumeClaim (ReadWriteOnce); `deletionPolicy` says what becomes of it. It may be made larger, where its
/// StorageClass allows that, and never smaller; the condition `VolumesReady` says how far that is. What could not grow
/// (`ResizeRefused`) may be taken back.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.className) == has(oldSelf.className) && (!has(self.className) || self.className == oldSelf.className)")
    .message("storage.className cannot change once the instance exists: a volume stays in its StorageClass"))]
pub struct VolumeSettings {
    /// Its StorageClass. Absent: that of `defaults.storage`, else the cluster's default. Cannot change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub class_name: Option<String>,
    /// How large it is, such as `20Gi`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "super::requirements::size")]
    pub size: Option<Quantity>,
}

/// A volume doesn't become smaller. While the cluster refuses to change a volume, it has less than the spec says: then the spec may go
/// back, and what goes beyond that is refused by the claim itself.
pub(super) fn only_grows(block: &str) -> Rule {
    let (now, before) =
        (format!("self.spec.{block}.storage.size"), format!("oldSelf.spec.{block}.storage.size"));
    let known = format!("has({now}) && has({before}) && isQuantity(string({before}))");
    let grows = format!("quantity(string({now})).compareTo(quantity(string({before}))) >= 0");
    let refused = "has(self.status) && has(self.status.conditions) && self.status.conditions.exists(c, c.type == 'VolumesReady' && c.reason == 'ResizeRefused')";
    Rule::new(format!("!({known}) || {grows} || {refused}"))
        .field_path(format!(".spec.{block}.storage.size"))
        .message(format!("{block}.storage.size cannot become smaller: a volume can only grow").as_str())
}

fn is_unset(extra: &BackendConfig) -> bool {
    *extra == BackendConfig::default()
}

/// The schema of a component's block with the size of its volume as a default that one can read.
pub(super) fn sized(component: Component) -> impl FnMut(&mut Schema) {
    move |block: &mut Schema| {
        let size = serde_json::json!(component.row().volume);
        let storage = serde_json::json!({"size": size});
        block.insert("default".into(), serde_json::json!({"storage": storage}));
        for (at, value) in
            [("/properties/storage", storage), ("/properties/storage/properties/size", size.clone())]
        {
            if let Some(schema) = block.pointer_mut(at).and_then(serde_json::Value::as_object_mut) {
                schema.insert("default".into(), value);
            }
        }
    }
}

impl CoprInstanceSpec {
    /// The block of a component.
    pub fn block(&self, component: Component) -> &ComponentSpec {
        match component {
            Component::Database => &self.database.component,
            Component::Redis => &self.redis.component,
            Component::Frontend => &self.frontend.component,
            Component::Backend => &self.backend.component,
            Component::Keygen => &self.keygen,
            Component::DistGit => &self.dist_git.component,
            Component::Resalloc => &self.resalloc,
        }
    }

    /// The components that an instance of this spec has workloads of: an external PostgreSQL or Redis is somebody else's.
    pub fn components(&self) -> impl Iterator<Item = Component> + use<'_> {
        Component::ALL.into_iter().filter(|component| match component {
            Component::Database => self.database.external_secret.is_none(),
            Component::Redis => self.redis.external_secret.is_none(),
            _ => true,
        })
    }
}
