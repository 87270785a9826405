use copr_operator_api::v1alpha1::{CoprInstance, ImageState, ImageStatus, SuiteName};
use copr_operator_kernel::testing::{ApiServer, get};
use serde_json::json;

use super::*;
use crate::build::builds::needed;

/// An instance that has its images, and wants one suite more.
fn with_a_suite_more() -> CoprInstance {
    let mut instance: CoprInstance = serde_json::from_value(json!({
        "metadata": {"name": "demo", "namespace": "team", "uid": "0a1b2c", "generation": 2},
        "spec": {
            "chroots": ["fedora-44-x86_64"],
            "packages": {"repositories": [{"name": "main", "baseURL": "https://main.example/"}]},
            "registry": {"url": "quay.io/team", "pushSecret": {"name": "robot"}},
        },
    }))
    .unwrap();
    let images = needed(&instance.spec).into_iter().map(|image| ImageStatus {
        component: image.key().into(),
        state: ImageState::Pushed,
        image: Some(format!("quay.io/team/copr-{}@sha256:0", image.folder())),
        ..ImageStatus::default()
    });
    let packages = PackagesStatus {
        wait: None,
        spec_hash: spec_hash::spec_hash(&instance.spec),
        base_image: Some("fedora@sha256:0".into()),
        images: images.collect(),
    };
    instance.status.get_or_insert_default().packages = Some(packages);
    instance.spec.tests.suites.push(SuiteName::Upstream);
    instance
}

/// What is known where nobody has the credentials of the registry.
async fn without_credentials(instance: &CoprInstance) -> Provision {
    rustls::crypto::ring::default_provider().install_default().ok();
    let server = ApiServer::expects([get("/api/v1/namespaces/team/secrets/robot")]);
    let provider = Provider::new(Some("builder".into())).unwrap();
    provider.provide(&server.client(), instance, &Platform::Kubernetes, &[], Timestamp::UNIX_EPOCH).await
}

#[tokio::test]
async fn what_is_in_the_way_of_a_suite_is_told_and_holds_back_no_instance() {
    let mut instance = with_a_suite_more();
    let provision = without_credentials(&instance).await;
    assert!(provision.finding.is_true() && provision.failed, "{:?}", provision.finding);
    assert!(provision.finding.message.contains("of suites: ") && provision.finding.message.contains("robot"));
    assert_eq!(provision.images["keygen"], "quay.io/team/copr-keygen@sha256:0");

    // What its pods run is another matter.
    let packages = instance.status.as_mut().and_then(|status| status.packages.as_mut()).unwrap();
    packages.images[1].state = ImageState::Building;
    let provision = without_credentials(&instance).await;
    assert_eq!((provision.finding.status, provision.failed), ("False", true));
}
