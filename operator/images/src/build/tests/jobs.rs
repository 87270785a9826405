//! The Job of a build, as it is applied.

use copr_operator_api::v1alpha1::{Packages, PodSettings, Registry};
use k8s_openapi::{api::core::v1::ResourceRequirements, apimachinery::pkg::apis::meta::v1::OwnerReference};

use super::*;
use crate::{
    build::job::Build,
    resolve::{
        candidates::{self, Content},
        expected::Expected,
    },
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
        beneath: &[],
        instance: ("demo", "team"),
        owner: &owner,
        packages: &packages,
        registry: &registry,
        builder: "quay.io/copr/copr-image-builder:1",
        pull_secrets: &["push".to_owned()],
        authority_key: "ca.crt",
        token_auth: false,
        resources: ResourceRequirements::default(),
        settings: PodSettings::default(),
        proxy: Vec::new(),
        expected: None,
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
        copr_operator_kernel::testing::assert_fits("copr-image-builder", &pod, &["projected"]);
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

#[test]
fn another_way_to_do_it_is_another_job() {
    let name = |yaml: &str| with(yaml, Image::Redis, |build| build.name());
    assert_eq!(name(PACKAGES), name(PACKAGES));
    for other in [
        PACKAGES.replace("cacheClaim: cache", "isolation: Privileged"),
        PACKAGES.replace("cacheClaim: cache", "resources: {limits: {cpu: '2'}}"),
        PACKAGES.replace("cacheClaim: cache", "timeout: 31m"),
        PACKAGES.replace("pr-login", "other-login"),
        PACKAGES.replace("{name: pr-login}", "{name: pr-login}, caConfigMap: {name: ca}"),
        format!("{PACKAGES}pins: {{copr-cli: 1-1}}"),
    ] {
        assert_ne!(name(PACKAGES), name(&other), "{other}");
    }
    let pushed_to = |url: &str| {
        with(PACKAGES, Image::Redis, |build| {
            let registry = Registry { url: url.into(), ..build.registry.clone() };
            Build { registry: &registry, ..build }.name()
        })
    };
    assert_ne!(pushed_to("quay.io/a"), pushed_to("quay.io/b"));
    let for_whom = |uid: &str| {
        with(PACKAGES, Image::Redis, |build| {
            let owner = OwnerReference { uid: uid.into(), ..build.owner.clone() };
            Build { owner: &owner, ..build }.name()
        })
    };
    assert_ne!(for_whom("1"), for_whom("2"));
}

#[test]
fn what_was_found_in_the_repositories_is_told_and_is_no_part_of_the_name() {
    let expected = Expected::new(&[Content {
        name: "pr".into(),
        priority: 10,
        primary: "sha256:1".into(),
        packages: candidates::Packages::Whole,
    }]);
    with(PACKAGES, Image::Redis, |build| {
        let told = Build { expected: Some(&expected), ..build.clone() };
        assert_eq!(told.name(), build.name());
        let mut job = told.job();
        job.metadata.uid = Some("1".into());
        let request: Value = serde_json::from_str(&told.files(&job).data.unwrap()["request.json"]).unwrap();
        assert_eq!(request["repositories"][1]["primary"], json!("sha256:1"));
        assert_eq!(request["repositories"][0]["primary"], Value::Null);
    });
}

#[test]
fn a_repositorys_authority_is_mounted_under_its_name() {
    let yaml = PACKAGES.replace("{name: pr-login}", "{name: pr-login}, caConfigMap: {name: inhouse}");
    with(&yaml, Image::Redis, |build| {
        let pod = build.job().spec.unwrap().template.spec.unwrap();
        let volume = pod.volumes.unwrap().into_iter().find(|v| v.name == "authority-1").unwrap();
        assert_eq!(volume.config_map.unwrap().name, "inhouse");
        let mounts = pod.containers[0].volume_mounts.clone().unwrap();
        assert!(mounts.iter().any(|m| m.mount_path == "/etc/copr-operator/authorities/pr"));
    });
}

#[test]
fn what_the_spec_says_of_pods_makes_another_job() {
    with(PACKAGES, Image::Redis, |build| {
        let pod = |build: &Build<'_>| build.job().spec.unwrap().template.spec.unwrap();
        let resources = serde_json::from_value(serde_json::json!({"limits": {"memory": "256Mi"}})).unwrap();
        let settings = serde_json::from_value(serde_json::json!({"priorityClassName": "low"})).unwrap();
        let proxy = vec![("https_proxy".to_owned(), "http://proxy.example:3128".to_owned())];
        let changed = Build { resources, settings, proxy, ..build.clone() };
        let container = pod(&changed).containers.remove(0);
        let amounts = container.resources.unwrap();
        assert_eq!(
            (amounts.requests.unwrap()["memory"].0.as_str(), amounts.limits.unwrap()["memory"].0.as_str()),
            ("256Mi", "256Mi")
        );
        assert_eq!(container.env.unwrap()[0].name, "https_proxy");
        assert_eq!(pod(&changed).priority_class_name.as_deref(), Some("low"));
        assert_ne!(changed.name(), build.name());
    });
}

/// A quota that counts limits refuses a pod without them, and one build must not fill the disk of its node.
#[test]
fn a_build_has_limits_and_bounded_volumes() {
    with(PACKAGES, Image::Redis, |build| {
        let pod = build.job().spec.unwrap().template.spec.unwrap();
        let limits = pod.containers[0].resources.clone().unwrap().limits.unwrap();
        assert!(limits.contains_key("cpu") && limits.contains_key("memory"));
        let mut dirs = pod.volumes.iter().flatten().filter_map(|volume| volume.empty_dir.as_ref()).peekable();
        assert!(dirs.peek().is_some() && dirs.all(|dir| dir.size_limit.is_some()));
    });
}
