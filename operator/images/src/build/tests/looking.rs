//! What is asked of the API server about builds.

use copr_operator_api::v1alpha1::{CoprInstanceSpec, Packages};
use copr_operator_kernel::testing::{ApiServer, Exchange, get};
use kube::ResourceExt as _;

use super::*;
use crate::{
    Wanted,
    build::{
        failure::Error,
        look::{look, others},
        start,
    },
    registry::{Access, access::Target, tests::registries},
};

const OURS: &str = "/apis/batch/v1/namespaces/team/jobs";
const PODS: &str = "/api/v1/namespaces/team/pods";
const EVERYBODYS: &str = "/apis/batch/v1/jobs";

fn spec() -> CoprInstanceSpec {
    let repositories = json!([{"name": "main", "baseURL": "https://main.example/"}]);
    let registry = json!({"url": REGISTRY});
    let spec =
        json!({"chroots": ["x-1-x86_64"], "packages": {"repositories": repositories}, "registry": registry});
    serde_json::from_value(spec).unwrap()
}

fn wanted<'a>(client: &'a kube::Client, spec: &'a CoprInstanceSpec) -> Wanted<'a> {
    let owner = json!({"apiVersion": "x", "kind": "CoprInstance", "name": "demo", "uid": "0a1b2c"});
    Wanted {
        client,
        name: "demo".into(),
        namespace: "team".into(),
        owner: serde_json::from_value(owner).unwrap(),
        generation: Some(1),
        spec,
    }
}

/// Redis, which isn't there, and keygen, which is.
fn images() -> Vec<ImageStatus> {
    let status = |image: Image, state| ImageStatus {
        component: image.key().into(),
        input_hash: hash(image),
        state,
        ..ImageStatus::default()
    };
    vec![status(Image::Redis, ImageState::Building), status(Image::Keygen, ImageState::Pushed)]
}

fn list(path: &str, query: String, jobs: &[&Job]) -> Exchange {
    let jobs: Vec<_> = jobs.iter().map(|job| serde_json::to_value(job).unwrap()).collect();
    get(path).query("labelSelector", query).lists(&jobs)
}

/// The Jobs of everybody that build what is missing.
fn that_build(jobs: &[&Job]) -> Exchange {
    list(EVERYBODYS, format!("{HASH} in ({})", hash(Image::Redis)), jobs)
}

/// The instance that a Job of another namespace says to be for.
fn other(uid: &str) -> Exchange {
    get("/apis/copr.fedorainfracloud.org/v1alpha1/namespaces/elsewhere/coprinstances/other").answers(json!({
        "apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata", "metadata": {"name": "other", "uid": uid},
    }))
}

fn packages(spec: &CoprInstanceSpec) -> &Packages {
    spec.packages.as_ref().unwrap()
}

#[tokio::test]
async fn while_a_build_of_ones_own_runs_no_registry_is_asked() {
    let query = format!("{},{}={}", labels::instance_query("demo"), labels::COMPONENT, labels::IMAGE_BUILD);
    let own = job(Image::Redis, "team", "demo", &active());
    // Of an instance of that name before this one.
    let mut strangers = own.clone();
    strangers.owner_references_mut()[0].uid = "before".into();
    let server = ApiServer::expects([
        list(OURS, query.clone(), &[&own, &strangers]),
        list(PODS, query, &[]),
        that_build(&[&own]),
    ]);
    let (client, spec) = (server.client(), spec());
    let target = Target {
        registry: spec.registry.clone().unwrap(),
        access: Access::default(),
        authority_key: "ca.crt",
    };
    let names = BTreeMap::from([(Image::Redis, own.name_any())]);
    let about = (packages(&spec), &target);
    let seen = look(&wanted(&client, &spec), &registries(), about, &images(), names, at(200)).await.unwrap();
    let uids: Vec<_> = seen.jobs.iter().map(|job| job.owner_references()[0].uid.as_str()).collect();
    assert_eq!(uids, ["0a1b2c"]);
    assert!(seen.found.is_empty() && seen.warnings.is_empty());
}

#[tokio::test]
async fn anothers_build_is_waited_for_if_there_is_that_other() {
    let theirs = job(Image::Redis, "elsewhere", "other", &active());
    for (uid, count) in [("d4e5f6", 1), ("another", 0)] {
        let server = ApiServer::expects([that_build(&[&theirs]), other(uid)]);
        let (client, spec) = (server.client(), spec());
        let found = others(&wanted(&client, &spec), packages(&spec), &images(), at(200)).await.unwrap();
        assert_eq!(found.len(), count);
    }
    // One that doesn't run isn't worth a question.
    let idle = job(Image::Redis, "elsewhere", "other", &json!({"active": 0}));
    let server = ApiServer::expects([that_build(&[&idle])]);
    let (client, spec) = (server.client(), spec());
    let found = others(&wanted(&client, &spec), packages(&spec), &images(), at(200)).await.unwrap();
    assert!(found.is_empty());
}

#[tokio::test]
async fn what_can_not_be_listed_is_named() {
    let refused = get(EVERYBODYS).refuses(ApiServer::FORBIDDEN, "not you");
    let server = ApiServer::expects([refused]);
    let (client, spec) = (server.client(), spec());
    let error = others(&wanted(&client, &spec), packages(&spec), &images(), at(200)).await.unwrap_err();
    assert!(matches!(error, Error::Start(start::Error::Look { .. })));
    assert_eq!(error.reason(), "DependencyUnreadable");
}
