//! Packages of a user's machine, as a dnf repository that the cluster reads: a volume with it, a pod that serves it, and a Service. All
//! of it is named after the packages, as the URL of a repository is an input of every image that is built from it.

use copr_operator_api::v1alpha1::{CoprTestRun, GROUP};
use copr_operator_kernel::pods;
use k8s_openapi::api::{
    apps::v1::Deployment,
    core::v1::{PersistentVolumeClaim, Pod},
};
use kube::Resource as _;
use serde_json::{Value, json};

pub const PORT: u16 = 8080;
/// Where the volume is, and in it the folder that is served: it is there when it is complete.
pub const VOLUME: &str = "/srv/packages";
pub const FOLDER: &str = "repository";
/// Where there are no ranges of uids for namespaces, as OpenShift has them.
const USER: i64 = 65532;
const PREFIX: &str = "packages-";
/// Of a Deployment that belongs to no run: somebody wants it to stay.
const STAYS: &str = "copr.fedorainfracloud.org/stays";
const MEBIBYTE: u64 = 1 << 20;

/// What is to be served, and how.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    pub name: &'a str,
    /// Of all packages.
    pub bytes: u64,
    pub image: &'a str,
    pub pull_secret: Option<&'a str>,
    pub openshift: bool,
}

/// The name of what serves packages with this hash.
pub fn name(hash: &str) -> String {
    format!("{PREFIX}{hash}")
}

/// What of a run's spec is served so in its namespace.
pub fn names_in(spec: &Value, namespace: &str) -> Vec<String> {
    let repositories = spec.pointer("/instance/template/packages/repositories").and_then(Value::as_array);
    let urls = repositories.into_iter().flatten().filter_map(|repository| repository["baseURL"].as_str());
    let of_host = |url: &str| {
        let name = url.strip_prefix("http://")?.split('.').next()?.to_owned();
        (name.starts_with(PREFIX) && self::url(&name, namespace) == url).then_some(name)
    };
    urls.filter_map(of_host).collect()
}

pub fn url(name: &str, namespace: &str) -> String {
    format!("http://{name}.{namespace}.svc:{PORT}/")
}

/// What selects the pod.
pub fn selector(name: &str) -> String {
    format!("app.kubernetes.io/instance={name}")
}

/// Room for the packages, what createrepo_c makes of them, another upload of the same at the same time, and what a file system takes
/// for itself.
fn size(bytes: u64) -> String {
    format!("{}Mi", (2 * (bytes + bytes / 4)).div_ceil(MEBIBYTE) + 128)
}

fn metadata(name: &str) -> Value {
    json!({
        "name": name,
        "labels": {"app.kubernetes.io/name": "copr-packages", "app.kubernetes.io/instance": name},
    })
}

pub fn claim(wanted: &Wanted<'_>) -> Value {
    json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata(wanted.name),
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size(wanted.bytes)}}},
    })
}

pub fn service(wanted: &Wanted<'_>) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service", "metadata": metadata(wanted.name),
        "spec": {
            "selector": {"app.kubernetes.io/instance": wanted.name},
            "ports": [{"name": "http", "port": PORT, "targetPort": "http"}],
        },
    })
}

pub fn deployment(wanted: &Wanted<'_>) -> Value {
    let metadata = metadata(wanted.name);
    let labels = metadata["labels"].clone();
    let mut security = json!({"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}});
    if !wanted.openshift {
        security["runAsUser"] = USER.into();
        security["runAsGroup"] = 0.into();
        security["fsGroup"] = 0.into();
    }
    let port = PORT.to_string();
    let folder = format!("{VOLUME}/{FOLDER}");
    let mut pod = json!({
        "automountServiceAccountToken": false,
        "enableServiceLinks": false,
        // Python as the first process of a container takes no notice of SIGTERM.
        "terminationGracePeriodSeconds": 1,
        "securityContext": security,
        "containers": [{
            "name": "http",
            "image": wanted.image,
            "command": ["python3", "-m", "http.server", port, "--directory", folder],
            "ports": [{"name": "http", "containerPort": PORT}],
            "readinessProbe": {
                "httpGet": {"path": "/repodata/repomd.xml", "port": "http"},
                "periodSeconds": 1,
                "timeoutSeconds": 5,
            },
            "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "128Mi"}},
            "securityContext": {
                "allowPrivilegeEscalation": false,
                "readOnlyRootFilesystem": true,
                "capabilities": {"drop": ["ALL"]},
            },
            "terminationMessagePolicy": "FallbackToLogsOnError",
            "volumeMounts": [{"name": "packages", "mountPath": VOLUME}],
        }],
        "volumes": [{"name": "packages", "persistentVolumeClaim": {"claimName": wanted.name}}],
    });
    if let Some(secret) = wanted.pull_secret {
        pod["imagePullSecrets"] = json!([{"name": secret}]);
    }
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata,
        "spec": {
            "replicas": 1,
            // Of a volume for one node there can't be two pods at a time.
            "strategy": {"type": "Recreate"},
            "selector": {"matchLabels": {"app.kubernetes.io/instance": wanted.name}},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    })
}

/// What gives all of it to a run, so that it goes with the last run that reads it. Owners of different field managers add up.
pub fn owned(name: &str, run: &CoprTestRun) -> [(&'static str, Value); 3] {
    let owner = json!({
        "apiVersion": format!("{GROUP}/v1alpha1"), "kind": "CoprTestRun",
        "name": run.meta().name, "uid": run.meta().uid,
    });
    [("v1", "PersistentVolumeClaim"), ("v1", "Service"), ("apps/v1", "Deployment")].map(|(version, kind)| {
        let metadata = json!({"name": name, "ownerReferences": [owner]});
        (kind, json!({"apiVersion": version, "kind": kind, "metadata": metadata}))
    })
}

/// What takes it from the runs that have it.
pub fn kept() -> Value {
    json!({"metadata": {"labels": {STAYS: "true"}, "ownerReferences": null}})
}

/// Whether it stays when runs go.
pub fn stays(deployment: &Deployment) -> bool {
    deployment.metadata.labels.as_ref().is_some_and(|labels| labels.contains_key(STAYS))
}

/// Whether the packages are served.
pub fn is_served(deployment: &Deployment) -> bool {
    let stays = deployment.metadata.deletion_timestamp.is_none();
    let status = deployment.status.as_ref();
    stays && status.and_then(|status| status.available_replicas).is_some_and(|number| number > 0)
}

/// The pod that takes packages.
pub fn receiver(pods: &[Pod]) -> Option<&Pod> {
    pods.iter().find(|pod| {
        let containers = pod.status.iter().flat_map(|status| status.container_statuses.iter().flatten());
        let runs = containers.filter_map(|container| container.state.as_ref()?.running.as_ref()).count() > 0;
        pod.metadata.deletion_timestamp.is_none() && runs
    })
}

/// What keeps a pod from running, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obstacle {
    pub said: String,
    /// It may pass by itself after minutes, where a cluster makes nodes as they are needed.
    pub may_take_long: bool,
}

pub fn obstacle(deployment: &Deployment, claim: &PersistentVolumeClaim, pods: &[Pod]) -> Option<Obstacle> {
    refused(deployment).or_else(|| without_class(claim)).or_else(|| pods.iter().find_map(of_pod))
}

fn refused(deployment: &Deployment) -> Option<Obstacle> {
    let conditions = deployment.status.as_ref()?.conditions.as_deref().unwrap_or_default();
    let failure = conditions.iter().find(|c| c.type_ == "ReplicaFailure" && c.status == "True")?;
    let words = failure.message.as_deref().unwrap_or_default();
    let hint = refusal_hint(words).unwrap_or("this cluster refuses the pod that serves them");
    Some(Obstacle { said: format!("{words}; {hint}"), may_take_long: false })
}

/// What to do about what the API server says to one of the objects.
pub fn refusal_hint(words: &str) -> Option<&'static str> {
    if words.contains("exceeded quota") {
        Some("make room in the ResourceQuota of the namespace, or name another one with --namespace")
    } else if words.contains("must specify") || words.contains("failed quota") {
        Some("the ResourceQuota of the namespace asks for what isn't set: add a LimitRange with defaults")
    } else {
        None
    }
}

fn without_class(claim: &PersistentVolumeClaim) -> Option<Obstacle> {
    let phase = claim.status.as_ref()?.phase.as_deref();
    let named = claim.spec.as_ref().is_some_and(|spec| spec.storage_class_name.is_some());
    (phase == Some("Pending") && !named).then(|| Obstacle {
        said: "the cluster has no default StorageClass for their volume: annotate one with \
               storageclass.kubernetes.io/is-default-class=true ('kubectl get storageclasses' lists them)"
            .into(),
        may_take_long: false,
    })
}

fn of_pod(pod: &Pod) -> Option<Obstacle> {
    let trouble = pods::trouble(pod)?;
    let hint = match trouble.reason {
        pods::IMAGE_PULL_FAILED => {
            "; name an image with python3 and tar that the cluster can pull with --packages-image"
        }
        pods::CONTAINER_FAILED | pods::CRASHING => {
            "; the image needs python3, tar and sh: name another one with --packages-image"
        }
        _ => "",
    };
    let may_take_long = trouble.reason == pods::UNSCHEDULABLE;
    Some(Obstacle { said: format!("{}{hint}", trouble.message), may_take_long })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fixtures;

    fn wanted() -> Wanted<'static> {
        Wanted {
            name: "packages-0123456789ab",
            bytes: 100 << 20,
            image: "registry.example/python",
            pull_secret: Some("push"),
            openshift: false,
        }
    }

    fn parse<T: serde::de::DeserializeOwned>(value: Value) -> T {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn the_objects() {
        let wanted = wanted();
        let objects = [claim(&wanted), service(&wanted), deployment(&wanted)];
        insta::assert_yaml_snapshot!(objects);
        parse::<PersistentVolumeClaim>(claim(&wanted));
        parse::<Deployment>(deployment(&wanted));
    }

    #[test]
    fn on_openshift_the_cluster_says_who_runs_it() {
        let wanted = Wanted { openshift: true, pull_secret: None, ..wanted() };
        let security = deployment(&wanted)["spec"]["template"]["spec"]["securityContext"].clone();
        assert_eq!(security, json!({"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}}));
    }

    #[test]
    fn there_is_room_for_more_than_the_packages() {
        assert_eq!((size(0), size(1), size(4 << 30)), ("128Mi".into(), "129Mi".into(), "10368Mi".into()));
    }

    #[test]
    fn what_a_run_reads_is_found_again_by_its_urls() {
        let repository = |url: &str| json!({"name": "x", "baseURL": url});
        let urls = [
            "https://r.example/a/",
            "http://packages-0123456789ab.team.svc:8080/",
            "http://packages-0123456789ab.other.svc:8080/",
        ];
        let spec = json!({"instance": {"template": {"packages": {"repositories": urls.map(repository)}}}});
        assert_eq!(names_in(&spec, "team"), ["packages-0123456789ab"]);
        assert!(names_in(&json!({"instance": {"name": "mine"}}), "team").is_empty());
    }

    #[test]
    fn each_of_the_objects_gets_the_run_as_an_owner() {
        let objects = owned("packages-0123456789ab", &fixtures::red());
        for (kind, object) in &objects {
            assert_eq!(object["kind"], *kind);
            assert_eq!(object["metadata"]["ownerReferences"][0]["uid"], "0b1d");
        }
    }

    #[test]
    fn a_pod_takes_packages_when_it_runs_and_is_not_about_to_go() {
        let running = json!({"status": {"containerStatuses": [{"name": "http", "ready": false, "restartCount": 0, "image": "i", "imageID": "i",
            "state": {"running": {}}}]}});
        let mut going = running.clone();
        going["metadata"] = json!({"deletionTimestamp": "2026-11-26T09:00:00Z"});
        assert!(receiver(&[parse(running)]).is_some());
        assert!(receiver(&[parse(going), Pod::default()]).is_none());
    }

    #[test]
    fn what_is_in_the_way_is_said_with_what_to_do() {
        let said = |deployment: Value, claim: Value, pod: Value| {
            obstacle(&parse(deployment), &parse(claim), &[parse(pod)])
        };
        let none = || json!({});
        let failure = |message: &str| json!({"status": {"conditions": [{"type": "ReplicaFailure", "status": "True", "message": message}]}});
        let waiting = |reason: &str, message: &str| {
            json!({"metadata": {"name": "p"}, "status": {"containerStatuses": [{"name": "http", "ready": false, "restartCount": 0, "image": "i",
                "imageID": "", "state": {"waiting": {"reason": reason, "message": message}}}]}})
        };
        let pending = json!({"status": {"phase": "Pending"}});
        let bound = json!({"spec": {"storageClassName": "fast"}, "status": {"phase": "Pending"}});
        let scheduled = json!({"metadata": {"name": "p"}, "status": {"conditions": [
            {"type": "PodScheduled", "status": "False", "message": "0/1 nodes are available"}]}});
        assert_eq!(said(none(), bound.clone(), none()), None);
        for (found, words) in [
            (
                said(failure("pods is forbidden: exceeded quota: q"), none(), none()),
                "make room in the ResourceQuota",
            ),
            (said(failure("violates PodSecurity"), none(), none()), "refuses the pod"),
            (said(none(), pending, none()), "no default StorageClass"),
            (said(none(), bound.clone(), waiting("ImagePullBackOff", "no such host")), "--packages-image"),
            (said(none(), bound, waiting("RunContainerError", "python3: not found")), "needs python3"),
        ] {
            let found = found.unwrap();
            assert!(found.said.contains(words) && !found.may_take_long, "{found:?}");
        }
        assert!(said(none(), none(), scheduled).unwrap().may_take_long);
    }
}
