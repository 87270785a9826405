//! Client required: a cluster, asked what it can. Nothing is changed.

use std::io::Write;

use copr_operator_api::v1alpha1::{GROUP, Isolation};
use copr_operator_kernel::isolation;
use k8s_openapi::api::{
    apps::v1::DaemonSet,
    authorization::v1::{ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec},
    coordination::v1::Lease,
    core::v1::{Container, Node, Pod, PodSpec},
    storage::v1::StorageClass,
};
use kube::{
    Api,
    api::{ListParams, ObjectMeta, PostParams},
};

use super::say;
use crate::{
    args::Preflight,
    clock,
    cluster::Cluster,
    error::Error,
    model::{
        preflight::{self, Answer, Asked, Facts},
        verdict::Exit,
    },
};

/// What the commands here do: shown as it is written, group, resource, subresource, verb.
const RIGHTS: [(&str, &str, &str, &str, &str); 8] = [
    ("create coprtestruns", GROUP, "coprtestruns", "", "create"),
    ("patch coprtestruns", GROUP, "coprtestruns", "", "patch"),
    ("get coprtestruns", GROUP, "coprtestruns", "", "get"),
    ("watch coprtestruns", GROUP, "coprtestruns", "", "watch"),
    ("watch coprinstances", GROUP, "coprinstances", "", "watch"),
    ("get configmaps", "", "configmaps", "", "get"),
    ("get pods/log", "", "pods", "log", "get"),
    ("get secrets", "", "secrets", "", "get"),
];

pub async fn run(cluster: &Cluster, args: &Preflight, out: &mut dyn Write) -> Result<Exit, Error> {
    // Whoever gives no answer to this gives none at all.
    let version = cluster.client.apiserver_version().await;
    let version = match version {
        Err(error) if !matches!(error, kube::Error::Api(_)) => {
            return Err(Error::api("reach the API server")(error));
        }
        answer => said(answer),
    };
    let facts = Facts { version, ..ask(cluster, args).await };
    let findings = preflight::findings(&facts);
    say(out, &preflight::words(&findings))?;
    let missing = findings.iter().any(|finding| finding.answer == Answer::No);
    Ok(if missing { Exit::Trouble } else { Exit::Fine })
}

async fn ask(cluster: &Cluster, args: &Preflight) -> Facts {
    let client = || cluster.client.clone();
    let groups = said(client().list_api_groups().await.map(|list| list.groups));
    let has = |group: &str| groups.clone().map(|groups| groups.iter().any(|g| g.name == group));
    let (served, openshift) = (has(GROUP), has("image.openshift.io"));
    let leases: Api<Lease> = Api::namespaced(client(), &args.operator_namespace);
    let lease = said(leases.get_opt("copr-operator").await);
    let mut rights = Vec::new();
    for right in RIGHTS {
        rights.push((right.0, may(cluster, right).await));
    }
    let params = PostParams { dry_run: true, ..PostParams::default() };
    let pod = said(cluster.pods().create(&params, &builder()).await);
    let nodes = list::<Node>(Api::all(client())).await;
    let daemon_sets = list::<DaemonSet>(Api::all(client())).await;
    let classes = list::<StorageClass>(Api::all(client())).await;
    let registry_secret = match &args.registry_secret {
        Some(name) => Some((name.clone(), said(cluster.secrets().get_opt(name).await))),
        None => None,
    };
    Facts {
        namespace: cluster.namespace.clone(),
        operator_namespace: args.operator_namespace.clone(),
        now: clock::now(),
        version: Err(String::new()),
        served,
        lease,
        rights,
        pod,
        nodes,
        daemon_sets,
        classes,
        openshift,
        registry_secret,
    }
}

/// In the API server's words.
fn said<T>(answer: kube::Result<T>) -> Asked<T> {
    answer.map_err(|error| match error {
        kube::Error::Api(status) => status.message,
        error => error.to_string(),
    })
}

async fn list<K>(api: Api<K>) -> Asked<Vec<K>>
where
    K: Clone + serde::de::DeserializeOwned + std::fmt::Debug,
{
    said(api.list(&ListParams::default()).await.map(|list| list.items))
}

async fn may(
    cluster: &Cluster,
    (_, group, resource, subresource, verb): (&str, &str, &str, &str, &str),
) -> Asked<bool> {
    let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let review = SelfSubjectAccessReview {
        spec: SelfSubjectAccessReviewSpec {
            resource_attributes: Some(ResourceAttributes {
                namespace: Some(cluster.namespace.clone()),
                group: given(group),
                resource: given(resource),
                subresource: given(subresource),
                verb: given(verb),
                ..ResourceAttributes::default()
            }),
            ..SelfSubjectAccessReviewSpec::default()
        },
        ..SelfSubjectAccessReview::default()
    };
    let reviews: Api<SelfSubjectAccessReview> = Api::all(cluster.client.clone());
    let answer = said(reviews.create(&PostParams::default(), &review).await)?;
    Ok(answer.status.is_some_and(|status| status.allowed))
}

/// A pod with the rights of a builder, which is only tried.
fn builder() -> Pod {
    Pod {
        metadata: ObjectMeta { name: Some("kubectl-copr-preflight".into()), ..ObjectMeta::default() },
        spec: Some(PodSpec {
            host_users: isolation::host_users(Isolation::UserNamespace),
            security_context: Some(isolation::pod()),
            automount_service_account_token: Some(false),
            containers: vec![Container {
                name: "builder".into(),
                image: Some("none".into()),
                security_context: Some(isolation::container(Isolation::UserNamespace, &[])),
                ..Container::default()
            }],
            ..PodSpec::default()
        }),
        ..Pod::default()
    }
}

#[cfg(test)]
mod tests {
    use copr_operator_kernel::testing::{ApiServer, Exchange, get, post};
    use serde_json::json;

    use super::*;
    use crate::commands::testing;

    fn script() -> Vec<Exchange> {
        let version = json!({"major": "1", "minor": "34", "gitVersion": "v1.34.1", "gitCommit": "", "gitTreeState": "", "buildDate": "",
                             "goVersion": "", "compiler": "", "platform": ""});
        let group = json!({"name": GROUP, "versions": [{"groupVersion": format!("{GROUP}/v1alpha1"), "version": "v1alpha1"}]});
        let mut script = vec![
            get("/version").answers(version),
            get("/apis").answers(json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": [group]})),
            get("/apis/coordination.k8s.io/v1/namespaces/copr-operator/leases/copr-operator")
                .refuses(ApiServer::FORBIDDEN, "you may not"),
        ];
        let reviews = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
        script.extend(RIGHTS.map(|(_, _, resource, ..)| {
            let body = json!({"spec": {"resourceAttributes": {"namespace": "team", "resource": resource}}});
            post(reviews).body(body).answers(json!({"spec": {}, "status": {"allowed": true}}))
        }));
        // As the API server answers: with what was sent.
        let pod = json!({"spec": {"hostUsers": false}});
        script.push(post("/api/v1/namespaces/team/pods").query("dryRun", "All").body(pod));
        let lists = ["/api/v1/nodes", "/apis/apps/v1/daemonsets", "/apis/storage.k8s.io/v1/storageclasses"];
        script.extend(lists.map(|path| get(path).lists(&[])));
        script
    }

    #[tokio::test]
    async fn everything_is_asked_and_nothing_is_made() {
        let args = Preflight { operator_namespace: "copr-operator".into(), registry_secret: None };
        let (exit, text) = testing::run(script(), async |cluster, out| run(cluster, &args, out).await).await;
        // There is no StorageClass.
        assert_eq!(exit.unwrap(), Exit::Trouble);
        insta::assert_snapshot!(text);
    }

    #[tokio::test]
    async fn of_a_cluster_that_is_away_nothing_is_said() {
        let args = Preflight { operator_namespace: "copr-operator".into(), registry_secret: None };
        let script = [get("/version").is_cut_off()];
        let (result, text) = testing::run(script, async |cluster, out| run(cluster, &args, out).await).await;
        assert!(result.unwrap_err().text().starts_with("failed to reach the API server"));
        assert_eq!(text, "");
    }
}
