//! Which rendering of pods this is. Pure.
//!
//! A later version of the operator may render a pod differently from the same spec. That alone must not restart the pods of
//! instances that run: they get what is new when they start next. So pods carry, beside the hash of their template, a fingerprint of
//! the rendering that made it: what it makes of a sample instance.

use std::{collections::BTreeMap, sync::OnceLock};

use copr_operator_api::v1alpha1::{Admin, DeletionPolicy, Isolation, PodSettings, Scheme, Url};
use copr_operator_images::BuildIdentity;
use copr_operator_kernel::platform::Platform;
use k8s_openapi::{
    api::{apps::v1::StatefulSet, core::v1::ResourceRequirements},
    apimachinery::pkg::apis::meta::v1::OwnerReference,
};
use sha2::{Digest, Sha256};

use super::objects_of;
use crate::{
    credentials::{Credentials, KeyPair},
    extra_config::ExtraConfig,
    login::Login,
    validate::{
        Account, Builders, Database, DistGit, Exposure, Instance, Lists, Pool, Pull, Redis, Team, Token,
        Workload, Workloads,
    },
};

/// The annotation of pods with the fingerprint.
pub const RENDERER: &str = "copr.fedorainfracloud.org/renderer";

/// Adds the fingerprint to the pods of these.
pub(super) fn mark(sets: &mut [StatefulSet]) {
    for set in sets {
        let template = set.spec.as_mut().and_then(|spec| spec.template.metadata.as_mut());
        if let Some(template) = template {
            template.annotations.get_or_insert_default().insert(RENDERER.into(), fingerprint().to_owned());
        }
    }
}

fn fingerprint() -> &'static str {
    static FINGERPRINT: OnceLock<String> = OnceLock::new();
    FINGERPRINT.get_or_init(|| {
        let sets = objects_of(&sample()).stateful_sets;
        let text = serde_json::to_vec(&sets).unwrap_or_default();
        hex::encode(&Sha256::digest(text)[..8])
    })
}

/// The sample's lists have one entry each, so that a change of how an entry is rendered changes the fingerprint.
fn lists() -> Lists {
    let text = || "sample".to_owned();
    Lists {
        chroots: vec![text()],
        ended: vec![text()],
        users: vec![Account {
            name: text(),
            email: text(),
            admin: true,
            token: Some(Token { login: text(), token: text() }),
        }],
        groups: vec![Team { name: text(), team: text(), members: vec![text()] }],
        dist_gits: vec![DistGit {
            name: text(),
            clone_url: text(),
            clone_package_uri: text(),
            default_namespace: Some(text()),
            priority: 100,
        }],
    }
}

/// Constant, with everything that an instance may have.
fn sample() -> Instance {
    let text = |text: &str| text.to_owned();
    let workload = |image: &str| Workload { image: text(image), ..Workload::default() };
    let pair = || KeyPair { private: text("private"), public: text("public") };
    Instance {
        name: text("sample"),
        namespace: text("sample"),
        owner: OwnerReference::default(),
        workloads: Workloads {
            database: workload("database"),
            redis: workload("redis"),
            keygen: workload("keygen"),
            frontend: workload("frontend"),
            dist_git: workload("dist-git"),
            resalloc: workload("resalloc"),
            backend: workload("backend"),
            httpd_image: text("backend-httpd"),
        },
        pull: Pull { policy: text("IfNotPresent"), secrets: Vec::new() },
        suite_images: BTreeMap::new(),
        proxy: Vec::new(),
        chroots: vec![text("fedora-44-x86_64")],
        lists: lists(),
        pools: vec![Pool { node_arch: "amd64", copr_arches: vec![text("x86_64")] }],
        builders: Builders {
            image: text("builder"),
            max: 4,
            warm: 0,
            isolation: Isolation::default(),
            resources: ResourceRequirements::default(),
            pod: PodSettings::default(),
        },
        admin: Admin::default(),
        database: Database::Managed,
        redis: Redis::Managed,
        url: Some(Url {
            scheme: Scheme::Https,
            frontend: text("frontend"),
            results: text("results"),
            dist_git: text("dist-git"),
            tls_secret: None,
        }),
        exposure: Exposure::None,
        login: Login::default(),
        extra_config: ExtraConfig::default(),
        credentials: Credentials {
            database_password: text("database"),
            secret_key: text("secret"),
            backend_password: text("backend"),
            api_login: text("login"),
            api_token: text("token"),
            ssh: pair(),
            builder_host: pair(),
        },
        credentials_version: None,
        rotation: None,
        deletion_policy: DeletionPolicy::Delete,
        platform: Platform::Kubernetes,
        image_builds: BuildIdentity::default(),
    }
}
