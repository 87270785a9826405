use copr_operator_kernel::{
    report,
    testing::{ApiServer, Exchange, get},
};
use serde_json::{Value, json};

use super::*;
use crate::tests::world::{INSTANCE, RUN, RUN_UID, World};

const COPR: &str = "/apis/copr.fedorainfracloud.org/v1alpha1/namespaces/ci";
const PODS: &str = "/api/v1/namespaces/ci/pods";
const CONFIG_MAPS: &str = "/api/v1/namespaces/ci/configmaps";

fn run() -> CoprTestRun {
    World::named(&["auth"]).run
}

fn forges() -> Forges {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Forges::new(copr_operator_kernel::exchange::client().unwrap())
}

fn read_run() -> Exchange {
    get(format!("{COPR}/coprtestruns/{RUN}")).answers(serde_json::to_value(run()).unwrap())
}

fn read_instance() -> Exchange {
    get(format!("{COPR}/coprinstances/{INSTANCE}"))
}

fn read_secret() -> Exchange {
    get(format!("/api/v1/namespaces/ci/secrets/{INSTANCE}-client"))
}

fn read_list() -> Exchange {
    get(format!("{CONFIG_MAPS}/{RUN}-suite"))
}

fn pods(query: String, items: &[Value]) -> Exchange {
    get(PODS).query("labelSelector", query).lists(items)
}

fn pod(name: &str, run: &str, phase: &str) -> Value {
    json!({
        "metadata": {
            "name": name, "uid": format!("uid of {name}"), "creationTimestamp": "2026-11-26T00:00:00Z",
            "labels": {(labels::RUN): run},
        },
        "status": {"phase": phase},
    })
}

/// Everything that a run whose own pods are these asks for.
fn all(own: &[Value], instance: Exchange, secret: Exchange, events: Vec<Exchange>) -> Vec<Exchange> {
    let others = [pod("own", RUN, "Running"), pod("other", "another-run", "Running")];
    let mut script = vec![
        read_run(),
        instance,
        secret,
        pods(labels::run_query(RUN), own),
        pods(labels::tests_query(INSTANCE), &others),
    ];
    script.extend(events);
    script.push(read_list());
    script.push(pods(labels::instance_query(INSTANCE), &[]));
    script
}

async fn observe(script: Vec<Exchange>) -> Result<Option<Observed>, Error> {
    let server = ApiServer::expects(script);
    let (others, platforms) = (Others::default(), Platforms::default());
    let read = dereference(&server.client(), &run(), others, None, &platforms, &forges()).await?;
    Ok(read.map(|(_, observed)| observed))
}

#[tokio::test]
async fn a_run_that_is_gone_or_going_is_looked_at_no_further() {
    let mut going = serde_json::to_value(run()).unwrap();
    going["metadata"]["deletionTimestamp"] = "2026-11-26T00:00:00Z".into();
    let gone = get(format!("{COPR}/coprtestruns/{RUN}"));
    assert!(observe(vec![gone]).await.unwrap().is_none());
    assert!(observe(vec![read_run().answers(going)]).await.unwrap().is_none());
}

#[tokio::test]
async fn what_is_not_there_is_no_failure_to_read() {
    let observed = observe(all(&[], read_instance(), read_secret(), Vec::new())).await.unwrap().unwrap();
    assert!(matches!(observed.instance, Seen::Missing) && !observed.client_secret);
}

#[tokio::test]
async fn of_the_secret_only_whether_it_is_there_is_read_and_other_runs_pods_are_told_apart() {
    let metadata = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "team-copr-client"}});
    let own = [pod("own", RUN, "Running")];
    let script = all(&own, read_instance(), read_secret().answers(metadata), Vec::new());
    let observed = observe(script).await.unwrap().unwrap();
    assert!(observed.client_secret);
    let names = |pods: &[Pod]| pods.iter().map(ResourceExt::name_any).collect::<Vec<_>>();
    assert_eq!(
        (names(&observed.pods), names(&observed.other_pods)),
        (vec!["own".into()], vec!["other".into()])
    );
}

#[tokio::test]
async fn what_kind_of_cluster_it_is_is_asked_for_tests_as_root_alone() {
    for root in [false, true] {
        let list = json!({"contract": 1, "name": "own", "root": root, "tests": []}).to_string();
        let owner = json!({"apiVersion": "v1", "kind": "CoprTestRun", "name": RUN, "uid": RUN_UID});
        let kept = json!({"metadata": {"name": "pr-7-suite", "ownerReferences": [owner]}, "data": {(DOCUMENT): list, (IMAGE): "x"}});
        let version = json!({"groupVersion": "security.openshift.io/v1", "version": "v1"});
        let group =
            json!({"name": "security.openshift.io", "versions": [version], "preferredVersion": version});
        let range = json!({"openshift.io/sa.scc.uid-range": "1000100000/10000"});
        let asked = [
            get("/apis").answers(json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": [group]})),
            get("/apis/security.openshift.io/v1")
                .answers(json!({"groupVersion": "security.openshift.io/v1", "resources": []})),
            get("/api/v1/namespaces/ci").answers(json!({"metadata": {"name": "ci", "annotations": range}})),
        ];
        let mut script = all(&[], read_instance(), read_secret(), Vec::new());
        let list = script.len() - 2;
        script[list] = read_list().answers(kept);
        let rest = script.pop();
        script.extend(asked.into_iter().filter(|_| root).chain(rest));
        assert_eq!(observe(script).await.unwrap().unwrap().on_openshift, root);
    }
}

#[tokio::test]
async fn an_instance_that_can_not_be_read_is_told_as_that() {
    let malformed = json!({
        "apiVersion": "copr.fedorainfracloud.org/v1alpha1", "kind": "CoprInstance",
        "metadata": {"name": INSTANCE, "namespace": "ci"}, "spec": {"chroots": 1},
    });
    let script = all(&[], read_instance().answers(malformed), read_secret(), Vec::new());
    let observed = observe(script).await.unwrap().unwrap();
    let Seen::Unreadable(why) = observed.instance else { panic!("{:?}", observed.instance) };
    assert!(why.contains("Expected a sequence"), "{why}");
}

#[tokio::test]
async fn warnings_are_read_of_pods_that_have_been_pending_for_a_while() {
    let event = |pod: &str| json!({"metadata": {}, "involvedObject": {"uid": format!("uid of {pod}")}});
    let events = get("/api/v1/namespaces/ci/events")
        .query("fieldSelector", "type=Warning,involvedObject.kind=Pod")
        .lists(&[event("stuck"), event("own"), event("a stranger")]);
    let own = [pod("own", RUN, "Running"), pod("stuck", RUN, "Pending")];
    let observed = observe(all(&own, read_instance(), read_secret(), vec![events])).await.unwrap().unwrap();
    let about: Vec<_> = observed.warnings.iter().filter_map(|e| e.involved_object.uid.as_deref()).collect();
    assert_eq!(about, ["uid of stuck"]);
}

#[tokio::test]
async fn what_can_not_be_read_is_named() {
    let said = [
        "failed to read CoprTestRun pr-7: no",
        "failed to read CoprInstance team-copr: no",
        "failed to look for Secret team-copr-client: no",
        "failed to list the pods of CoprTestRun pr-7: no",
        "failed to list the pods of tests of CoprInstance team-copr: no",
        "failed to read the list of the suite: no",
        "failed to list the pods of CoprInstance team-copr: no",
    ];
    for (index, said) in said.into_iter().enumerate() {
        let mut script = all(&[], read_instance(), read_secret(), Vec::new());
        let refused = script.swap_remove(index).refuses(ApiServer::FORBIDDEN, "no");
        script.truncate(index);
        script.push(refused);
        assert_eq!(report::chain(&observe(script).await.unwrap_err()), said);
    }
}
