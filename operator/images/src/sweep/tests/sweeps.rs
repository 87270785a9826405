//! Whole sweeps, of a cluster that is a list of objects behind a small API server.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use jiff::{SignedDuration, Timestamp};
use kube::{
    Client, Config,
    runtime::events::{Recorder, Reporter},
};
use serde_json::{Value, json};

use super::{DELETING, HASH, REPOSITORY, Style, pushed, start};
use crate::{
    registry::tests::{
        registries,
        server::{Content, Request, Response, Server, response},
    },
    sweep::{Sweeper, ledger},
};

/// What is in the cluster, by the last part of the kind's path.
#[derive(Clone, Default)]
struct Cluster {
    objects: Arc<Mutex<BTreeMap<&'static str, Vec<Value>>>>,
    ledger: Arc<Mutex<BTreeMap<String, String>>>,
    /// A kind that can't be listed.
    broken: &'static str,
}

impl Cluster {
    fn with(self, kind: &'static str, object: Value) -> Self {
        self.objects.lock().unwrap().entry(kind).or_default().push(object);
        self
    }

    fn answer(&self, request: &Request) -> Response {
        let kind = request.bare_path().rsplit('/').next().unwrap().to_owned();
        match (request.method.as_str(), kind.as_str()) {
            ("GET", kind) if kind == self.broken => response(500).body(
                json!({"kind": "Status", "code": 500, "status": "Failure", "message": "no", "reason": "x"})
                    .to_string(),
            ),
            ("GET", "copr-operator-images") => {
                let data = self.ledger.lock().unwrap().clone();
                response(200).body(json!({"metadata": {"name": "x"}, "data": data}).to_string())
            }
            ("PATCH", "copr-operator-images") => {
                let map: Value = serde_json::from_str(&request.body).unwrap();
                *self.ledger.lock().unwrap() = serde_json::from_value(map["data"].clone()).unwrap();
                response(200).body(request.body.clone())
            }
            ("GET", kind) => {
                let items = self.objects.lock().unwrap().get(kind).cloned().unwrap_or_default();
                response(200).body(
                    json!({"kind": "List", "apiVersion": "v1", "metadata": {}, "items": items}).to_string(),
                )
            }
            _ => response(201).body(request.body.clone()),
        }
    }
}

/// An image that was last used a long time ago, in a registry that asks for deletion.
fn long_unused(registry: &Server) -> Cluster {
    let url = format!("{}/team", registry.host);
    #[expect(clippy::disallowed_methods, reason = "sweeps look at the clock")]
    let long_ago = Timestamp::now() - SignedDuration::from_hours(48);
    let stock = json!({
        "namespace": "team",
        "registry": {"url": url, "insecure": true, "retention": "1h", "deleteUnused": true},
        "images": {format!("copr-x:{HASH}"): long_ago},
    });
    let cluster = Cluster::default();
    cluster.ledger.lock().unwrap().insert(ledger::key("team", &url), stock.to_string());
    cluster
}

fn instance(registry: &Server, status: &Value) -> Value {
    json!({
        "metadata": {"name": "demo", "namespace": "team", "uid": "1"},
        "spec": {
            "packages": {"repositories": [{"name": "main", "baseURL": "https://example.org/"}]},
            "registry": {"url": format!("{}/team", registry.host), "insecure": true, "retention": "1h", "deleteUnused": true},
            "chroots": ["fedora-44-x86_64"],
        },
        "status": status,
    })
}

/// Sweeps so many times; returns the API server.
async fn sweep(cluster: &Cluster, times: usize) -> (Server, Vec<bool>) {
    let all = cluster.clone();
    let server = Server::start(move |request| all.answer(request)).await;
    let client = Client::try_from(Config::new(format!("http://{}", server.host).parse().unwrap())).unwrap();
    let recorder = Recorder::new(client.clone(), Reporter { controller: "x".into(), instance: None });
    let mut sweeper = Sweeper {
        client,
        recorder,
        namespace: "copr-operator".into(),
        registries: Arc::new(registries()),
        unreadable: Vec::new(),
    };
    let mut went_well = Vec::new();
    for _ in 0..times {
        went_well.push(sweeper.sweep(&BTreeMap::new()).await.is_ok());
    }
    (server, went_well)
}

#[tokio::test]
async fn what_nothing_has_used_for_long_goes_and_is_forgotten() {
    for style in DELETING {
        let (content, _) = pushed();
        let registry = start(style, &content).await;
        let cluster = long_unused(&registry);
        assert_eq!(sweep(&cluster, 1).await.1, [true]);
        assert!(content.tags(REPOSITORY).is_empty(), "{style:?}");
        assert!(!cluster.ledger.lock().unwrap().values().any(|text| text.contains(HASH)));
    }
}

async fn stays(content: &Content, registry: &Server, cluster: Cluster) {
    sweep(&cluster, 2).await;
    assert!(content.has(REPOSITORY, HASH));
    assert_eq!(registry.count("DELETE"), 0);
}

#[tokio::test]
async fn what_anything_uses_stays() {
    let (content, digest) = pushed();
    let registry = start(Style::ByTag, &content).await;
    let image = format!("{}/{REPOSITORY}:{HASH}@{digest}", registry.host);
    let by_digest = format!("mirror.example/x@{digest}");
    let cases = [
        ("coprinstances", instance(&registry, &json!({"images": {"keygen": image}}))),
        (
            "coprinstances",
            instance(
                &registry,
                &json!({"packages": {"images": [{"component": "keygen", "inputHash": HASH}]}}),
            ),
        ),
        (
            "coprtestruns",
            json!({"metadata": {"name": "r", "namespace": "elsewhere"}, "spec": {
            "instance": {"template": {"chroots": ["x-1-x86_64"], "images": {"keygen": by_digest}}}, "suite": {"name": "smoke"}}}),
        ),
        (
            "pods",
            json!({"metadata": {"name": "p", "namespace": "elsewhere"}, "status": {"containerStatuses": [{"imageID": by_digest}]}}),
        ),
        (
            "statefulsets",
            json!({"metadata": {"name": "s"}, "spec": {"template": {"spec": {"containers": [{"image": image}]}}}}),
        ),
        (
            "jobs",
            json!({"metadata": {"name": "j", "labels": {"copr.fedorainfracloud.org/input-hash": HASH}}}),
        ),
    ];
    for (kind, object) in cases {
        stays(&content, &registry, long_unused(&registry).with(kind, object)).await;
    }
}

#[tokio::test]
async fn while_anything_is_unknown_nothing_goes() {
    let (content, _) = pushed();
    let registry = start(Style::ByTag, &content).await;
    for broken in ["coprinstances", "coprtestruns", "statefulsets", "jobs", "pods"] {
        stays(&content, &registry, Cluster { broken, ..long_unused(&registry) }).await;
    }
    for kind in ["coprinstances", "coprtestruns"] {
        let malformed = json!({"metadata": {"name": "m", "namespace": "elsewhere"}, "spec": {"chroots": 1}});
        stays(&content, &registry, long_unused(&registry).with(kind, malformed)).await;
    }
}

#[tokio::test]
async fn a_registry_that_refuses_is_asked_once_and_its_users_are_told_once() {
    let (content, _) = pushed();
    let registry = start(Style::Never(405, "UNSUPPORTED"), &content).await;
    let cluster = long_unused(&registry).with("coprinstances", instance(&registry, &json!({})));
    let (api, _) = sweep(&cluster, 3).await;
    assert!(registry.count("DELETE") <= 3, "{:?}", registry.asked());
    assert_eq!(api.count("POST /apis/events.k8s.io"), 1);
    let requests = api.requests.lock().unwrap();
    let event = requests.iter().find(|request| request.path.contains("events")).unwrap();
    assert!(
        event.body.contains("405 UNSUPPORTED") && event.body.contains("registry.deleteUnused"),
        "{}",
        event.body
    );
    assert!(cluster.ledger.lock().unwrap().values().any(|text| text.contains("405 UNSUPPORTED")));
}

#[tokio::test]
async fn where_nobody_asks_for_deletion_nothing_is_looked_at() {
    let (content, _) = pushed();
    let registry = start(Style::ByTag, &content).await;
    let mut quiet = instance(&registry, &json!({}));
    quiet["spec"]["registry"].as_object_mut().unwrap().remove("deleteUnused");
    let cluster = Cluster::default().with("coprinstances", quiet);
    let (api, _) = sweep(&cluster, 1).await;
    assert_eq!((api.count("pods"), api.count("PATCH"), registry.asked().len()), (0, 0, 0));
}
