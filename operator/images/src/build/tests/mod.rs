//! Images, step by step, as the cluster would show them.

mod building;
mod conditions;
mod failing;
mod foreign;
mod jobs;
mod looking;
mod starting;

use std::collections::BTreeMap;

use copr_operator_api::{
    images::Image,
    labels,
    v1alpha1::{ImageState, ImageStatus},
};
use jiff::Timestamp;
use k8s_openapi::api::{batch::v1::Job, core::v1::Pod};
use serde_json::{Value, json};

use super::{
    decide::{Seen, decide},
    job::{HASH, IMAGE},
};
use crate::{
    names::{PACKAGES_LABEL, reference},
    registry::Found,
};

const REGISTRY: &str = "registry.example/copr";
const OF_COMPONENTS: [Image; 3] = [Image::Base, Image::Redis, Image::Keygen];

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn hash(image: Image) -> String {
    format!("{:0<32}", image.folder().replace('-', ""))
}

/// Base, keygen and redis, as they are when the repositories have just been looked at.
fn fresh() -> Vec<ImageStatus> {
    fresh_of(OF_COMPONENTS)
}

fn fresh_of(images: [Image; 3]) -> Vec<ImageStatus> {
    images
        .map(|image| ImageStatus {
            component: image.key().into(),
            input_hash: hash(image),
            ..ImageStatus::default()
        })
        .into()
}

/// An empty registry and no Job.
fn nothing() -> Seen {
    nothing_of(OF_COMPONENTS)
}

fn nothing_of(images: [Image; 3]) -> Seen {
    let references = images.map(|image| (image, reference(REGISTRY, image, &hash(image))));
    Seen {
        namespace: "team".into(),
        uid: "0a1b2c".into(),
        references: references.into(),
        wanted: images.map(|image| (image, name(image))).into(),
        timeout: jiff::SignedDuration::from_mins(30),
        ..Seen::default()
    }
}

fn found(image: Image) -> (Image, Found) {
    let packages = r#"{"main":["copr-keygen-2.2-1.fc44.noarch"],"pr":["a-1-1.noarch"]}"#;
    let labels = BTreeMap::from([(PACKAGES_LABEL.to_owned(), packages.to_owned())]);
    (image, Found { digest: format!("sha256:{}", image.folder()), labels })
}

/// Name of the Job that does what is wanted now.
fn name(image: Image) -> String {
    format!("copr-image-{}", image.folder())
}

fn job(image: Image, namespace: &str, instance: &str, status: &Value) -> Job {
    serde_json::from_value(json!({
        "metadata": {
            "name": name(image),
            "namespace": namespace,
            "uid": format!("job-{}", image.folder()),
            "ownerReferences": [{
                "apiVersion": "copr.fedorainfracloud.org/v1alpha1", "kind": "CoprInstance", "name": instance,
                "uid": if instance == "demo" { "0a1b2c" } else { "d4e5f6" }, "controller": true,
            }],
            "creationTimestamp": "1970-01-01T00:01:40Z",
            "labels": {labels::INSTANCE: instance, HASH: hash(image)},
            "annotations": {IMAGE: reference(REGISTRY, image, &hash(image))},
        },
        "spec": {"template": {}},
        "status": status,
    }))
    .unwrap()
}

fn active() -> Value {
    json!({"active": 1, "ready": 1})
}

fn failed(message: &str) -> Value {
    json!({"conditions": [{
        "type": "Failed", "status": "True", "reason": "PodFailurePolicy", "message": message,
        "lastTransitionTime": "1970-01-01T00:03:10Z",
    }]})
}

fn pod(image: Image, container: &Value) -> Pod {
    serde_json::from_value(json!({
        "metadata": {
            "name": "p",
            "creationTimestamp": "1970-01-01T00:01:41Z",
            "labels": {"batch.kubernetes.io/job-name": format!("copr-image-{}", image.folder())},
        },
        "status": {"containerStatuses": [{
            "name": "build", "image": "x", "imageID": "", "ready": false, "restartCount": 0, "state": container,
        }]},
    }))
    .unwrap()
}

fn states(images: &[ImageStatus]) -> Vec<(&str, ImageState)> {
    images.iter().map(|image| (image.component.as_str(), image.state)).collect()
}

fn status(images: &[ImageStatus], image: Image) -> &ImageStatus {
    images.iter().find(|status| status.component == image.key()).unwrap()
}

/// Decides at second 200; returns what is to be built.
fn step(images: &mut [ImageStatus], seen: &Seen) -> Vec<Image> {
    decide(images, seen, at(200)).build
}
