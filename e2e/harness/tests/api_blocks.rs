//! API-server tests: what may be said of each component, of all of them and of their pods.

use anyhow::{Context as _, Result};
use copr_e2e::{
    admission::{all_admitted, all_refused},
    fixtures::{CHROOT, instance_json},
    with_namespace,
};
use copr_operator_api::v1alpha1::CoprInstance;
use serde_json::{Value, json};

/// The smallest instance whose images are named one by one.
fn images_one_by_one() -> Value {
    let image = json!({"image": "quay.io/me/image@sha256:0"});
    let mut instance = instance_json("copr");
    instance["spec"] = json!({"chroots": [CHROOT], "backend": {"httpdImage": "quay.io/me/httpd:1"}});
    for block in ["frontend", "backend", "keygen", "distGit", "resalloc", "builders", "database", "redis"] {
        instance["spec"][block]["image"] = image["image"].clone();
    }
    instance
}

/// What may be said of a pod, with the deepest of each.
fn everything_of_a_pod() -> Value {
    let selector = json!({"matchLabels": {"app": "x"}, "matchExpressions": [{"key": "a", "operator": "In", "values": ["b"]}]});
    let term = json!({"labelSelector": selector, "topologyKey": "zone", "namespaces": ["team"], "namespaceSelector": {}});
    let nodes = json!({"matchExpressions": [{"key": "disk", "operator": "NotIn", "values": ["hdd"]}]});
    json!({
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "tolerations": [{"key": "ci", "operator": "Equal", "value": "yes", "effect": "NoExecute", "tolerationSeconds": 30}],
        "affinity": {
            "nodeAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [nodes]},
                "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "preference": nodes}],
            },
            "podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]},
            "podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 100, "podAffinityTerm": term}]},
        },
        "topologySpreadConstraints": [
            {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule", "labelSelector": selector},
        ],
        "priorityClassName": "low",
        "labels": {"team": "copr", "example.org/cost": ""},
        "annotations": {"example.org/note": "anything, even a sentence"},
    })
}

#[tokio::test]
#[ignore = "needs an API server: ./check api"]
async fn a_block_may_be() -> Result<()> {
    with_namespace("block-admitted", |ctx| async move {
        let changes = vec![
            ("spec.defaults.storage", json!({"className": "fast"})),
            ("spec.backend.storage", json!({"className": "fast", "size": "1Ti"})),
            ("spec.database.storage.size", json!(2_000_000_000_u64)),
            ("spec.redis.storage.size", json!("0.5Gi")),
            ("spec.keygen.storage.size", json!("1e9")),
            ("spec.distGit.resources", json!({"requests": {"cpu": "100m"}})),
            (
                "spec.backend.resources",
                json!({"requests": {"cpu": 1, "memory": "1Gi"}, "limits": {"cpu": "1.5"}}),
            ),
            ("spec.defaults.resources", json!({"limits": {"memory": "2Gi"}})),
            ("spec.tests", json!({"image": "quay.io/me/sanity:1", "resources": {"limits": {"cpu": 2}}})),
            ("spec.resalloc", json!({"image": "quay.io/me/resalloc:1", "pod": everything_of_a_pod()})),
            ("spec.builders.pod", everything_of_a_pod()),
            ("spec.tests.pod", everything_of_a_pod()),
            ("spec.defaults.pod", everything_of_a_pod()),
            ("spec.keygen.pod", json!({"tolerations": []})),
            ("spec.proxy", json!({"http": "http://proxy.example:3128", "noProxy": [".example.org", "10.0.0.0/8", "[fd00::1]"]})),
            ("spec.proxy", json!({"https": "http://[fd00::1]:3128/"})),
        ];
        all_admitted::<CoprInstance>(&ctx, &instance_json("copr"), changes).await?;
        let external = vec![
            ("spec.tests.image", json!("quay.io/me/sanity:1")),
            ("spec.database", json!({"externalSecret": {"name": "pg"}})),
            ("spec.redis", json!({"externalSecret": {"name": "redis"}})),
        ];
        all_admitted::<CoprInstance>(&ctx, &images_one_by_one(), external).await
    })
    .await
}

#[tokio::test]
#[ignore = "needs an API server: ./check api"]
async fn a_block_may_not_be() -> Result<()> {
    with_namespace("block-refused", |ctx| async move {
        let changes = vec![
            ("spec.resources", json!({"keygen": {}}), "spec.resources"),
            ("spec.storage", json!({"backend": "1Ti"}), "spec.storage"),
            ("spec.keygen.imaeg", json!("x"), "spec.keygen.imaeg"),
            ("spec.keygen.httpdImage", json!("x"), "spec.keygen.httpdImage"),
            ("spec.builders.pod.nodeselector", json!({}), "spec.builders.pod.nodeselector"),
            ("spec.tests.pod.affinity", json!({"nodeAfinity": {}}), "spec.tests.pod.affinity.nodeAfinity"),
            ("spec.backend.resources", json!({"requests": {"cpu": "lots"}}), "spec.backend.resources"),
            ("spec.keygen.resources", json!({"requests": {"cpu": "-2"}}), "spec.keygen.resources"),
            ("spec.defaults.resources", json!({"limits": {"cpu": "x"}}), "spec.defaults.resources"),
            ("spec.builders.resources", json!({"limits": {"memory": "much"}}), "spec.builders.resources"),
            ("spec.database.storage.size", json!("lots"), "spec.database.storage.size"),
            ("spec.backend.storage.size", json!("0"), "spec.backend.storage.size"),
            ("spec.keygen.storage.size", json!("-1Gi"), "spec.keygen.storage.size"),
            ("spec.redis.storage.size", json!([]), "spec.redis.storage.size"),
            // What is the operator's own, and what no pod could have.
            (
                "spec.keygen.pod.labels",
                json!({"app.kubernetes.io/name": "x"}),
                "pod.labels: app.kubernetes.io/",
            ),
            (
                "spec.builders.pod.labels",
                json!({"copr.fedorainfracloud.org/run": "x"}),
                "spec.builders.pod.labels",
            ),
            (
                "spec.tests.pod.annotations",
                json!({"copr.fedorainfracloud.org/template-hash": "x"}),
                "pod.annotations: app.kubernetes.io/",
            ),
            (
                "spec.defaults.pod.labels",
                json!({"app.kubernetes.io/instance": "x"}),
                "spec.defaults.pod.labels",
            ),
            ("spec.keygen.pod.labels", json!({"team": "a b"}), "spec.keygen.pod.labels"),
            ("spec.keygen.pod.nodeSelector", json!({"disk": 3}), "spec.keygen.pod.nodeSelector"),
            (
                "spec.redis.pod.tolerations",
                json!(vec![json!({"key": "a"}); 17]),
                "spec.redis.pod.tolerations",
            ),
            (
                "spec.redis.pod.topologySpreadConstraints",
                json!([{"maxSkew": 1, "topologyKey": "zone"}]),
                "whenUnsatisfiable",
            ),
            ("spec.redis.pod.affinity", json!({"podAffinity": 1}), "spec.redis.pod.affinity.podAffinity"),
            ("spec.redis.pod.priorityClassName", json!(""), "spec.redis.pod.priorityClassName"),
            // Proxies.
            ("spec.proxy", json!({}), "proxy needs http or https"),
            (
                "spec.proxy.http",
                json!("http://me:secret@proxy.example:3128"),
                "proxy.http must not hold credentials",
            ),
            (
                "spec.proxy.https",
                json!("http://token@proxy.example:3128"),
                "proxy.https must not hold credentials",
            ),
            ("spec.proxy.http", json!("proxy.example:3128"), "proxy.http is an http or https URL"),
            ("spec.proxy.https", json!("socks5://proxy.example"), "proxy.https is an http or https URL"),
            ("spec.proxy.http", json!("http://proxy.example:3128/a b"), "proxy.http is an http or https URL"),
            ("spec.proxy", json!({"http": "http://p", "noProxy": ["a,b"]}), "spec.proxy.noProxy"),
            ("spec.proxy", json!({"http": "http://p", "noProxy": "a"}), "spec.proxy.noProxy"),
        ];
        all_refused::<CoprInstance>(&ctx, &instance_json("copr"), changes).await
    })
    .await
}

#[tokio::test]
#[ignore = "needs an API server: ./check api"]
async fn without_registry_and_packages_every_image_is_named() -> Result<()> {
    with_namespace("block-images", |ctx| async move {
        let blocks =
            ["frontend", "backend", "keygen", "distGit", "resalloc", "builders", "database", "redis"];
        for block in blocks {
            let mut incomplete = images_one_by_one();
            incomplete["spec"][block].as_object_mut().context("no block")?.remove("image");
            let refused = vec![("metadata.name", json!("copr"), "an image for each of")];
            all_refused::<CoprInstance>(&ctx, &incomplete, refused).await.context(block)?;
        }
        let httpd = vec![("spec.backend.httpdImage", Value::Null, "an image for each of")];
        all_refused::<CoprInstance>(&ctx, &images_one_by_one(), httpd).await
    })
    .await
}
