//! What a cluster can and can't, from what was asked of it; and what mends it.

mod cluster;
mod namespace;

use jiff::Timestamp;
use k8s_openapi::{
    api::{
        apps::v1::DaemonSet,
        coordination::v1::Lease,
        core::v1::{Node, Pod, Secret},
        storage::v1::StorageClass,
    },
    apimachinery::pkg::version::Info,
};

use super::tables;

/// What was answered; or why there was no answer, in the API server's words.
pub type Asked<T> = Result<T, String>;

/// Everything that was asked.
#[derive(Debug)]
pub struct Facts {
    pub namespace: String,
    pub operator_namespace: String,
    pub now: Timestamp,
    pub version: Asked<Info>,
    /// Whether the API server knows runs and instances.
    pub served: Asked<bool>,
    /// By which one operator acts at a time; none if there is none.
    pub lease: Asked<Option<Lease>>,
    /// What one may do, as `verb resource`.
    pub rights: Vec<(&'static str, Asked<bool>)>,
    /// What the API server made of a pod as builders are, which was not created.
    pub pod: Asked<Pod>,
    pub nodes: Asked<Vec<Node>>,
    pub daemon_sets: Asked<Vec<DaemonSet>>,
    pub classes: Asked<Vec<StorageClass>>,
    /// Whether it has OpenShift's images.
    pub openshift: Asked<bool>,
    /// The Secret of the registry, if one was named.
    pub registry_secret: Option<(String, Asked<Option<Secret>>)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Yes,
    /// It works, with a drawback.
    But,
    /// It can't be told from here.
    Unknown,
    No,
}

/// One thing that runs need.
#[derive(Clone, Debug)]
pub struct Finding {
    pub what: &'static str,
    pub answer: Answer,
    pub said: String,
    /// The line that mends it.
    pub mend: Option<String>,
}

impl Finding {
    fn yes(what: &'static str, said: impl Into<String>) -> Self {
        Self { what, answer: Answer::Yes, said: said.into(), mend: None }
    }

    fn no(what: &'static str, said: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { what, answer: Answer::No, said: said.into(), mend: Some(mend.into()) }
    }

    fn but(what: &'static str, said: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { what, answer: Answer::But, said: said.into(), mend: Some(mend.into()) }
    }

    fn unknown(what: &'static str, said: impl Into<String>) -> Self {
        Self { what, answer: Answer::Unknown, said: said.into(), mend: None }
    }
}

/// All that is found.
pub fn findings(facts: &Facts) -> Vec<Finding> {
    vec![
        cluster::version(facts),
        cluster::api(facts),
        cluster::operator(facts),
        namespace::rights(facts),
        namespace::builders(facts),
        cluster::user_namespaces(facts),
        cluster::network_policies(facts),
        cluster::volumes(facts),
        namespace::registry(facts),
    ]
}

pub fn words(findings: &[Finding]) -> String {
    let mut text = String::new();
    let rows = findings.iter().map(|finding| {
        let answer = match finding.answer {
            Answer::Yes => "yes",
            Answer::But => "yes, but",
            Answer::Unknown => "?",
            Answer::No => "NO",
        };
        vec![answer.to_owned(), finding.what.to_owned(), finding.said.clone()]
    });
    text.push_str(&tables::table(&[], rows));
    let mends: Vec<_> = findings.iter().filter_map(|f| f.mend.as_ref().map(|mend| (f.what, mend))).collect();
    if !mends.is_empty() {
        text.push_str("\nWhat mends it:\n");
        for (what, mend) in mends {
            text.extend([format!("- {what}: {mend}\n")]);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn parse<T: serde::de::DeserializeOwned>(value: Value) -> T {
        serde_json::from_value(value).unwrap()
    }

    fn node(kernel: &str, runtime: bool) -> Value {
        json!({"metadata": {"name": "n1"}, "status": {
            "nodeInfo": {"kernelVersion": kernel, "kubeletVersion": "v1.34.1", "architecture": "amd64", "bootID": "", "containerRuntimeVersion": "containerd://2.1",
                         "kubeProxyVersion": "", "machineID": "", "operatingSystem": "linux", "osImage": "Fedora", "systemUUID": ""},
            "runtimeHandlers": [{"name": "", "features": {"userNamespaces": runtime}}]}})
    }

    fn good() -> Facts {
        let version = json!({"major": "1", "minor": "34", "gitVersion": "v1.34.1", "gitCommit": "", "gitTreeState": "", "buildDate": "",
                             "goVersion": "", "compiler": "", "platform": "linux/amd64"});
        let lease = json!({"metadata": {"name": "copr-operator"}, "spec": {
            "holderIdentity": "copr-operator-1", "leaseDurationSeconds": 30, "renewTime": "2026-11-26T10:00:00.000000Z"}});
        Facts {
            namespace: "team".into(),
            operator_namespace: "copr-operator".into(),
            now: "2026-11-26T10:00:10Z".parse().unwrap(),
            version: Ok(parse(version)),
            served: Ok(true),
            lease: Ok(Some(parse(lease))),
            rights: vec![("create coprtestruns", Ok(true)), ("get secrets", Ok(true))],
            pod: Ok(parse(json!({"spec": {"hostUsers": false, "containers": []}}))),
            nodes: Ok(vec![parse(node("6.12.5-200.fc44.x86_64", true))]),
            daemon_sets: Ok(vec![parse(
                json!({"metadata": {"name": "calico-node", "namespace": "kube-system"}}),
            )]),
            classes: Ok(vec![parse(
                json!({"metadata": {"name": "standard", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
                                          "provisioner": "p", "allowVolumeExpansion": true}),
            )]),
            openshift: Ok(false),
            registry_secret: Some((
                "push".into(),
                // {"auths":{"quay.io":{"auth":"hunter2"}}}
                Ok(Some(parse(json!({"type": "kubernetes.io/dockerconfigjson", "data": {
                    ".dockerconfigjson": "eyJhdXRocyI6eyJxdWF5LmlvIjp7ImF1dGgiOiJodW50ZXIyIn19fQ=="}})))),
            )),
        }
    }

    #[test]
    fn a_cluster_that_has_all() {
        let text = words(&findings(&good()));
        assert!(!text.contains("hunter2"));
        insta::assert_snapshot!(text);
    }

    #[test]
    fn a_cluster_that_has_nothing() {
        let old = json!({"major": "1", "minor": "31+", "gitVersion": "v1.31.2", "gitCommit": "", "gitTreeState": "", "buildDate": "",
                         "goVersion": "", "compiler": "", "platform": ""});
        let facts = Facts {
            version: Ok(parse(old)),
            served: Ok(false),
            lease: Ok(None),
            rights: vec![("create coprtestruns", Ok(false)), ("get secrets", Ok(true))],
            pod: Err(
                "pods \"x\" is forbidden: violates PodSecurity \"baseline:latest\": non-default capabilities"
                    .into(),
            ),
            nodes: Ok(vec![parse(node("5.14.0-503.el9", true)), parse(node("6.12.5", false))]),
            daemon_sets: Ok(vec![parse(json!({"metadata": {"name": "kube-flannel-ds"}}))]),
            classes: Ok(vec![parse(json!({"metadata": {"name": "slow"}, "provisioner": "p"}))]),
            registry_secret: Some(("push".into(), Ok(None))),
            ..good()
        };
        insta::assert_snapshot!(words(&findings(&facts)));
    }

    #[test]
    fn a_cluster_that_one_may_not_look_at() {
        let no = || "you may not".to_owned();
        let facts = Facts {
            version: Err(no()),
            served: Err(no()),
            lease: Err(no()),
            rights: vec![("create coprtestruns", Err(no()))],
            pod: Err(
                "pods is forbidden: User \"me\" cannot create resource \"pods\" in the namespace \"team\""
                    .into(),
            ),
            nodes: Err(no()),
            daemon_sets: Err(no()),
            classes: Err(no()),
            openshift: Err(no()),
            registry_secret: None,
            ..good()
        };
        let findings = findings(&facts);
        assert!(findings.iter().all(|finding| finding.answer == Answer::Unknown), "{findings:#?}");
        insta::assert_snapshot!(words(&findings));
    }

    #[test]
    fn what_a_pod_became_tells_of_user_namespaces() {
        let of = |pod: Asked<Pod>| findings(&Facts { pod, ..good() }).remove(4);
        let dropped = of(Ok(parse(json!({"spec": {"containers": []}}))));
        assert_eq!(dropped.answer, Answer::No);
        assert!(dropped.said.contains("hostUsers"), "{}", dropped.said);
        let quota = of(Err("pods \"x\" is forbidden: exceeded quota: small".into()));
        assert!(quota.mend.unwrap().contains("resourcequota"));
    }

    #[test]
    fn an_operator_that_is_silent_does_not_run() {
        let facts = Facts { now: "2026-11-26T10:05:00Z".parse().unwrap(), ..good() };
        let operator = findings(&facts).remove(2);
        assert_eq!(operator.answer, Answer::No);
        assert!(operator.said.contains("5m0s"), "{}", operator.said);
    }
}
