//! What is asked of the API server for a build, and what becomes of its answers.

use copr_operator_api::{
    labels::FIELD_MANAGER,
    v1alpha1::{Packages, PodSettings, Registry},
};
use copr_operator_kernel::{
    report,
    testing::{ApiServer, Exchange, delete, get, patch, post},
};
use k8s_openapi::{api::core::v1::ResourceRequirements, apimachinery::pkg::apis::meta::v1::OwnerReference};
use kube::ResourceExt as _;

use super::*;
use crate::build::{heal, job::Build, start};

const JOBS: &str = "/apis/batch/v1/namespaces/team/jobs";

/// What a build is made from.
struct Parts {
    packages: Packages,
    registry: Registry,
    owner: OwnerReference,
}

impl Parts {
    fn new() -> Self {
        let repositories = json!([{"name": "main", "baseURL": "https://main.example/"}]);
        let owner = json!({
            "apiVersion": "copr.fedorainfracloud.org/v1alpha1", "kind": "CoprInstance", "name": "demo", "uid": "0a1b2c",
            "controller": true,
        });
        Self {
            packages: serde_json::from_value(json!({"repositories": repositories})).unwrap(),
            registry: serde_json::from_value(json!({"url": REGISTRY})).unwrap(),
            owner: serde_json::from_value(owner).unwrap(),
        }
    }

    fn build(&self) -> Build<'_> {
        Build {
            image: Image::Redis,
            hash: "0123",
            from: "registry.example/copr/copr-base@sha256:0",
            beneath: &[],
            instance: ("demo", "team"),
            owner: &self.owner,
            packages: &self.packages,
            registry: &self.registry,
            builder: "quay.io/copr/copr-image-builder:1",
            pull_secrets: &[],
            authority_key: "ca.crt",
            token_auth: false,
            resources: ResourceRequirements::default(),
            settings: PodSettings::default(),
            proxy: Vec::new(),
            expected: None,
        }
    }

    fn name(&self) -> String {
        self.build().name()
    }

    /// The Job as the API server has it, with changes.
    fn there(&self, changes: &Value) -> Value {
        let mut job = serde_json::to_value(self.build().job()).unwrap();
        job["metadata"]["uid"] = "uid of the job".into();
        for (pointer, value) in changes.as_object().unwrap() {
            let (parent, key) = pointer.rsplit_once('/').unwrap();
            job.pointer_mut(parent).unwrap()[key] = value.clone();
        }
        job
    }

    fn created(&self) -> Exchange {
        let suspended = json!({"metadata": {"name": self.name()}, "spec": {"suspend": true}});
        post(JOBS).body(suspended).answers(self.there(&json!({})))
    }

    fn is_there(&self, changes: &Value) -> [Exchange; 2] {
        [
            self.created().refuses(ApiServer::ALREADY_EXISTS, "there is one"),
            get(format!("{JOBS}/{}", self.name())).answers(self.there(changes)),
        ]
    }

    /// Its files, which go with it, and then it.
    fn resumed(&self) -> [Exchange; 2] {
        let name = self.name();
        [
            patch(format!("/api/v1/namespaces/team/configmaps/{name}"))
                .query("fieldManager", FIELD_MANAGER)
                .body(json!({"metadata": {"name": name, "ownerReferences": [{"uid": "uid of the job"}]}})),
            patch(format!("{JOBS}/{name}")).body(json!({"spec": {"suspend": false}})),
        ]
    }

    async fn start(&self, script: impl IntoIterator<Item = Exchange>) -> Result<bool, start::Error> {
        let server = ApiServer::expects(script);
        start::start(&server.client(), &self.build()).await
    }
}

#[tokio::test]
async fn a_job_gets_its_files_before_it_runs() {
    let parts = Parts::new();
    assert!(parts.start([parts.created()].into_iter().chain(parts.resumed())).await.unwrap());
}

#[tokio::test]
async fn one_that_is_there_is_not_made_again() {
    let parts = Parts::new();
    // An operator that was killed in between left it suspended.
    let suspended = parts.is_there(&json!({}));
    assert!(parts.start(suspended.into_iter().chain(parts.resumed())).await.unwrap());
    assert!(parts.start(parts.is_there(&json!({"/spec/suspend": false}))).await.unwrap());
    for over in [
        json!({"/metadata/deletionTimestamp": "2026-11-26T00:00:00Z"}),
        json!({"/status": {"conditions": [{"type": "Failed", "status": "True"}]}}),
    ] {
        assert!(!parts.start(parts.is_there(&over)).await.unwrap());
    }
    let [created, read] = parts.is_there(&json!({}));
    assert!(!parts.start([created, read.refuses(ApiServer::NOT_FOUND, "gone")]).await.unwrap());
}

#[tokio::test]
async fn a_strangers_job_of_the_name_is_left_alone() {
    let parts = Parts::new();
    let error = parts.start(parts.is_there(&json!({"/metadata/ownerReferences": []}))).await.unwrap_err();
    assert!(matches!(error, start::Error::Taken(name) if name == parts.name()));
}

#[tokio::test]
async fn without_its_files_a_job_stays_suspended() {
    let parts = Parts::new();
    let [files, _] = parts.resumed();
    let refused = files.refuses(ApiServer::FORBIDDEN, "exceeded quota: team");
    let error = parts.start([parts.created(), refused]).await.unwrap_err();
    let said = format!("failed to create ConfigMap {}: exceeded quota: team", parts.name());
    assert_eq!(report::chain(&error), said);
    for trouble in [
        parts.created().refuses(ApiServer::FORBIDDEN, "exceeded quota: team"),
        parts.created().refuses(ApiServer::INTERNAL_ERROR, "etcd"),
        parts.created().is_cut_off(),
    ] {
        assert!(matches!(parts.start([trouble]).await, Err(start::Error::Create { kind: "Job", .. })));
    }
}

fn deleted(job: &Job) -> Exchange {
    delete(format!("{JOBS}/{}", job.name_any()))
        .body(json!({"preconditions": {"uid": job.uid()}, "propagationPolicy": "Background"}))
}

#[tokio::test]
async fn a_job_is_deleted_by_its_uid_and_may_be_gone() {
    let job = job(Image::Redis, "team", "demo", &active());
    let delete = async |exchange| {
        let server = ApiServer::expects([exchange]);
        start::delete(&server.client(), &job).await
    };
    delete(deleted(&job)).await.unwrap();
    delete(deleted(&job).refuses(ApiServer::NOT_FOUND, "there is none")).await.unwrap();
    delete(deleted(&job).refuses(ApiServer::CONFLICT, "another uid")).await.unwrap();
    let error = delete(deleted(&job).refuses(ApiServer::FORBIDDEN, "not you")).await.unwrap_err();
    assert!(matches!(error, start::Error::Delete { .. }));
}

#[tokio::test]
async fn who_says_to_build_for_an_instance_is_believed_if_there_is_that_instance() {
    let job = job(Image::Redis, "elsewhere", "other", &active());
    let instance = |uid: &str| {
        get("/apis/copr.fedorainfracloud.org/v1alpha1/namespaces/elsewhere/coprinstances/other").answers(json!({
            "apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata", "metadata": {"name": "other", "uid": uid},
        }))
    };
    let believed = async |job: &Job, script: Vec<Exchange>| {
        let server = ApiServer::expects(script);
        start::has_instance(&server.client(), job).await
    };
    assert!(believed(&job, vec![instance("d4e5f6")]).await.unwrap());
    assert!(!believed(&job, vec![instance("another")]).await.unwrap());
    assert!(
        !believed(&job, vec![instance("x").refuses(ApiServer::NOT_FOUND, "there is none")]).await.unwrap()
    );
    assert!(believed(&job, vec![instance("x").is_cut_off()]).await.is_err());
    let mut mislabelled = job.clone();
    mislabelled.labels_mut().insert(labels::INSTANCE.into(), "demo".into());
    assert!(!believed(&mislabelled, vec![instance("d4e5f6")]).await.unwrap());
    let mut nobodys = job;
    nobodys.metadata.owner_references = None;
    assert!(!believed(&nobodys, Vec::new()).await.unwrap());
}

#[tokio::test]
async fn of_an_image_that_has_gone_only_ones_own_jobs_that_have_ended_are_forgotten() {
    let ended = json!({"conditions": [{"type": "Complete", "status": "True"}]});
    let jobs = [
        job(Image::Redis, "team", "demo", &ended),
        job(Image::Keygen, "team", "demo", &active()),
        job(Image::Base, "elsewhere", "other", &ended),
    ];
    let query = format!("{HASH} in (a,b)");
    let all: Vec<_> = jobs.iter().map(|job| serde_json::to_value(job).unwrap()).collect();
    let listed = get("/apis/batch/v1/jobs").query("labelSelector", query).lists(&all);
    let server = ApiServer::expects([listed, deleted(&jobs[0])]);
    heal::forget_jobs(&server.client(), "team", &["a", "b"]).await.unwrap();
}
