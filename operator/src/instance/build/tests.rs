//! Whole plans, as people read them. A change of what is rendered shows as a diff of a snapshot.

use std::collections::BTreeMap;

use kube::ResourceExt as _;

use super::build;
use crate::{
    apply::Planned,
    instance::{
        dereference::Platform,
        fixtures::{EXTERNAL, MINIMAL, minimal, observed, valid, with_secrets},
        validate::Instance,
    },
};

fn plan(instance: &Instance) -> Vec<Planned> {
    build(instance).plan().unwrap()
}

/// The plan as YAML documents, with Secrets' values as text.
fn render(instance: &Instance) -> String {
    let documents = plan(instance).into_iter().map(|planned| {
        let mut value = serde_json::to_value(&planned.object).unwrap();
        if let Some(data) = value.get_mut("data").filter(|_| planned.resource.kind == "Secret") {
            let decoded: BTreeMap<String, k8s_openapi::ByteString> =
                serde_json::from_value(data.clone()).unwrap();
            let text = decoded.into_iter().map(|(key, bytes)| (key, String::from_utf8(bytes.0).unwrap()));
            *data = serde_json::to_value(text.collect::<BTreeMap<_, _>>()).unwrap();
        }
        serde_saphyr::to_string(&value).unwrap()
    });
    documents.collect::<Vec<_>>().join("---\n")
}

fn names(instance: &Instance) -> Vec<String> {
    plan(instance).iter().map(|p| format!("{} {}", p.resource.kind, p.object.name_any())).collect()
}

#[test]
fn plan_of_the_minimal_instance() {
    insta::assert_snapshot!(render(&minimal()));
}

#[test]
fn external_database_and_redis_have_no_objects_and_are_dialled() {
    let instance = valid(EXTERNAL, &with_secrets()).unwrap();
    assert!(names(&instance).iter().all(|n| !n.ends_with("-database") || n.starts_with("NetworkPolicy")));
    let rendered = render(&instance);
    assert!(rendered.contains("postgresql+psycopg2://me:s3cr3t-pw@pg.example:5432/copr"));
    assert!(rendered.contains("redis_host = valkey.example") && rendered.contains("redis_port = 6380"));
}

#[test]
fn a_pool_per_machine_architecture_and_privileged_builders_only_when_asked() {
    let instance = valid(EXTERNAL, &with_secrets()).unwrap();
    let pools = super::config::pools_yaml::render(&instance);
    assert!(pools.contains("builder_amd64:") && pools.contains("builder_arm64:"), "{pools}");
    assert!(pools.contains("    - arch_x86_64\n    - arch_i386\n"), "{pools}");
    let privileged = |instance: &Instance| {
        let pod = super::builder::pod(instance, &instance.pools[0]);
        pod.spec.unwrap().containers[0].security_context.clone().unwrap().privileged
    };
    assert_eq!(privileged(&instance), Some(true));
    assert_eq!(privileged(&minimal()), None);
}

#[test]
fn the_builder_pod_has_the_measured_rights_and_no_other() {
    let instance = minimal();
    insta::assert_yaml_snapshot!(super::builder::pod(&instance, &instance.pools[0]));
}

#[test]
fn on_openshift_groups_and_uids_are_left_to_the_scc_and_builders_get_theirs() {
    let instance = valid(MINIMAL, &observed(Platform::OpenShift { uid: 1_000_100_000 })).unwrap();
    let rendered = render(&instance);
    assert!(!rendered.contains("fsGroup:"));
    assert!(rendered.contains("allowuser: 1000100000"));
    assert!(names(&instance).contains(&"RoleBinding demo-builder".to_owned()));
    assert!(!names(&minimal()).contains(&"RoleBinding demo-builder".to_owned()));
}

#[test]
fn every_object_is_owned_labelled_and_named_after_the_instance() {
    for planned in plan(&minimal()) {
        let object = planned.object;
        assert_eq!(object.owner_references()[0].uid, "0a1b2c", "{}", object.name_any());
        assert_eq!(object.labels()["app.kubernetes.io/instance"], "demo");
        assert!(object.name_any().starts_with("demo-"));
    }
}

#[test]
fn a_changed_file_changes_the_pod_and_only_where_it_is_mounted() {
    let hashes = |instance: &Instance| -> BTreeMap<String, String> {
        let sets = build(instance).stateful_sets;
        let hash = |set: &k8s_openapi::api::apps::v1::StatefulSet| {
            let template = set.spec.clone().unwrap().template.metadata.unwrap().annotations.unwrap();
            template["copr.fedorainfracloud.org/config-hash"].clone()
        };
        sets.iter().map(|set| (set.name_any(), hash(set))).collect()
    };
    let changed = |change: fn(&mut Instance)| {
        let mut other = minimal();
        change(&mut other);
        let (before, after) = (hashes(&minimal()), hashes(&other));
        before
            .into_iter()
            .filter(|(name, hash)| after[name] != *hash)
            .map(|(name, _)| name)
            .collect::<Vec<_>>()
    };
    let renewed = |instance: &mut Instance| instance.credentials.backend_password = "another-pw".into();
    assert_eq!(changed(renewed), ["demo-backend", "demo-dist-git", "demo-frontend"]);
    // A restart of resalloc or of the backend would end every build that runs.
    assert!(changed(|instance| instance.builders.max += 7).is_empty());
    assert!(changed(|instance| instance.images.builder = "quay.io/copr/mended:1".into()).is_empty());
    let memory = |instance: &mut Instance| {
        let wanted = serde_json::json!({"limits": {"memory": "2Gi"}});
        instance.builders.resources = serde_json::from_value(wanted).ok();
    };
    assert!(changed(memory).is_empty());
}

#[test]
fn resalloc_reads_its_pools_from_a_folder_that_the_kubelet_keeps_up_to_date() {
    let sets = build(&minimal()).stateful_sets;
    let resalloc = sets.iter().find(|set| set.name_any() == "demo-resalloc").unwrap();
    let mounts = resalloc.spec.clone().unwrap().template.spec.unwrap().containers[0].volume_mounts.clone();
    for path in ["/etc/resallocserver", "/etc/copr-operator/hooks"] {
        let mount = mounts.as_ref().unwrap().iter().find(|mount| mount.mount_path == path).unwrap();
        assert_eq!(mount.sub_path, None, "{path}");
    }
}

#[test]
fn no_secret_is_in_anything_but_secrets() {
    for planned in plan(&minimal()) {
        let text = serde_json::to_string(&planned.object).unwrap();
        for secret in minimal().credentials.to_data().into_iter().filter(|(key, _)| !key.ends_with("-public"))
        {
            assert!(
                planned.resource.kind == "Secret" || !text.contains(secret.1.trim()),
                "{} of {} {}",
                secret.0,
                planned.resource.kind,
                planned.object.name_any()
            );
        }
    }
}
