//! Whole plans, as people read them: a change of what is rendered shows as a diff of a snapshot.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use super::*;

/// A file an object, and one with the names of all in the order of apply.
#[test]
fn plan_of_the_minimal_instance() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/build/tests/snapshots/minimal");
    let instance = minimal();
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(&folder);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let _settings = settings.bind_to_scope();
    insta::assert_snapshot!("objects", names(&instance).join("\n"));
    let mut expected = BTreeSet::from(["objects".to_owned()]);
    for planned in plan(&instance) {
        let file = format!("{}-{}", planned.resource.kind, planned.object.name_any());
        insta::assert_snapshot!(file.as_str(), document(&planned));
        assert!(expected.insert(file), "two objects of one kind and name");
    }
    let is_snapshot = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "snap");
    let files = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).filter(is_snapshot);
    let files: BTreeSet<_> = files.map(|path| path.file_stem().unwrap().display().to_string()).collect();
    let left_over: Vec<_> = files.difference(&expected).collect();
    assert!(left_over.is_empty(), "snapshots of objects that the plan hasn't any more: {left_over:?}");
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
fn every_object_is_owned_labelled_and_named_after_the_instance() {
    for planned in plan(&minimal()) {
        let object = planned.object;
        assert_eq!(object.owner_references()[0].uid, "0a1b2c", "{}", object.name_any());
        assert_eq!(object.labels()["app.kubernetes.io/instance"], "demo");
        assert!(object.name_any().starts_with("demo-"));
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

#[test]
fn data_outlives_the_instance_only_where_the_spec_says_so() {
    let mut instance = minimal();
    let owned = |instance: &Instance| {
        let plan = plan(instance).into_iter().filter(|p| p.lifetime != Lifetime::Reconcile);
        plan.map(|p| !p.object.owner_references().is_empty()).collect::<BTreeSet<_>>()
    };
    assert_eq!(owned(&instance), [true].into());
    instance.deletion_policy = DeletionPolicy::Retain;
    assert_eq!(owned(&instance), [false].into());
}

/// A cluster of one family gives an address of that one.
#[test]
fn services_have_an_address_of_each_family() {
    let services = build(&minimal()).services;
    assert_eq!(services.len(), 7);
    for service in services {
        assert_eq!(service.spec.unwrap().ip_family_policy.as_deref(), Some("PreferDualStack"));
    }
}
