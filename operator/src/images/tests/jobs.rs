//! The Job of a build, as it is applied.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;

use super::*;
use crate::{
    api::v1alpha1::{Packages, Registry},
    images::job::Build,
};

const PACKAGES: &str = "
repositories:
- {name: main, baseURL: 'https://main.example/', priority: 50, gpgKey: 'https://main.example/key.gpg'}
- {name: pr, baseURL: 'https://pr.example/', priority: 10, credentialsSecret: {name: pr-login}}
build: {cacheClaim: cache}
";

fn with<T>(yaml: &str, image: Image, look: impl FnOnce(Build<'_>) -> T) -> T {
    let packages: Packages = serde_saphyr::from_str(yaml).unwrap();
    let registry: Registry = serde_saphyr::from_str(
        "{url: registry.example/copr, pushSecret: {name: push}, caConfigMap: {name: ca}}",
    )
    .unwrap();
    let owner = OwnerReference {
        api_version: "copr.fedorainfracloud.org/v1alpha1".into(),
        kind: "CoprInstance".into(),
        name: "demo".into(),
        uid: "0a1b2c".into(),
        ..OwnerReference::default()
    };
    look(Build {
        image,
        hash: &hash(image),
        from: "registry.example/copr/copr-base@sha256:0",
        instance: ("demo", "team"),
        owner: &owner,
        packages: &packages,
        registry: &registry,
        builder: "quay.io/copr/copr-image-builder:1",
        pull_secrets: &["push".to_owned()],
        authority_key: "ca.crt",
        token_auth: false,
    })
}

#[test]
fn the_job_has_the_measured_rights_and_no_other() {
    with(PACKAGES, Image::Redis, |build| insta::assert_yaml_snapshot!(build.job()));
}

#[test]
fn openshift_admits_it_and_nothing_wider() {
    with(PACKAGES, Image::Redis, |build| {
        let pod = build.job().spec.unwrap().template.spec.unwrap();
        // The token of the service account, which admission adds.
        crate::isolation::tests::assert_fits("copr-image-builder", &pod, &["projected"]);
    });
}

#[test]
fn the_request_says_what_to_build_and_holds_no_secret() {
    with(PACKAGES, Image::Redis, |build| {
        let mut job = build.job();
        job.metadata.uid = Some("1".into());
        let files = build.files(&job).data.unwrap();
        insta::assert_snapshot!(files["request.json"]);
    });
}

#[test]
fn every_file_of_the_folder_is_mounted_under_its_name_with_its_rights() {
    with(PACKAGES, Image::Sanity, |build| {
        let mut job = build.job();
        job.metadata.uid = Some("1".into());
        let data = build.files(&job).data.unwrap();
        let pod = job.spec.unwrap().template.spec.unwrap();
        let volume = pod.volumes.unwrap().into_iter().find(|v| v.name == "context").unwrap();
        let items = volume.config_map.unwrap().items.unwrap();
        assert!(items.iter().all(|item| data.contains_key(&item.key)));
        let mode = |path: &str| items.iter().find(|item| item.path == path).unwrap().mode;
        assert_eq!(mode("run-test"), Some(0o755));
        assert_eq!(mode("smoke/cases/auth.py"), Some(0o644));
    });
}

#[test]
fn a_privileged_build_must_be_asked_for() {
    let privileged = |yaml: &str| {
        with(yaml, Image::Redis, |build| {
            let pod = build.job().spec.unwrap().template.spec.unwrap();
            (pod.host_users, pod.containers[0].security_context.clone().unwrap().privileged)
        })
    };
    assert_eq!(privileged(PACKAGES), (Some(false), None));
    let asked = PACKAGES.replace("cacheClaim: cache", "isolation: Privileged");
    assert_eq!(privileged(&asked), (None, Some(true)));
}
