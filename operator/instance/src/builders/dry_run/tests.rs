use copr_operator_kernel::testing::{ApiServer, Exchange, post};
use kube::core::Status;

use super::*;

fn answer(code: u16, message: &str) -> Answer {
    let status = Status { code, message: message.into(), ..Status::default() };
    classify(Err(kube::Error::Api(Box::new(status))))
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

#[test]
fn a_refusal_is_told_in_the_words_of_the_api_server() {
    let security = "pods \"demo-builder-dry-run\" is forbidden: violates PodSecurity \"baseline:latest\": non-default capabilities";
    let Answer::Refused(why) = answer(403, security) else { panic!("not refused") };
    assert_eq!(why, "violates PodSecurity \"baseline:latest\": non-default capabilities");
    let webhook = "admission webhook \"policy.example\" denied the request: no builders here";
    assert_eq!(answer(400, webhook), Answer::Refused(webhook.into()));
}

#[test]
fn what_is_not_about_builders_says_nothing_about_them() {
    for (code, message) in [
        (
            403,
            "pods is forbidden: User \"system:serviceaccount:copr-operator\" cannot create resource \"pods\"",
        ),
        (400, "admission webhook \"x.example\" does not support dry run"),
        (409, "already exists"),
        (429, "slow down"),
        (500, "etcd"),
    ] {
        assert!(matches!(answer(code, message), Answer::Silent(_)), "{code} {message}");
    }
    assert_eq!(classify(Ok(())), Answer::Admitted);
}

#[test]
fn it_is_repeated_while_there_is_trouble_and_when_the_builders_change() {
    let known = |refused: Option<&str>| Known {
        hash: "a".into(),
        outcome: Outcome { refused: refused.map(str::to_owned), at: at(100) },
    };
    assert!(!is_due(&known(None), "a", false, at(699)));
    assert!(is_due(&known(None), "a", false, at(700)));
    assert!(is_due(&known(None), "b", false, at(101)));
    assert!(!is_due(&known(None), "a", true, at(129)));
    assert!(is_due(&known(None), "a", true, at(130)));
    assert!(is_due(&known(Some("no")), "a", false, at(130)));
}

#[test]
fn the_name_is_none_of_a_builder_and_the_pod_is_a_builders() {
    let instance = crate::fixtures::minimal();
    let pods = pods(&instance);
    assert_eq!(pods.len(), 1);
    assert_eq!(pods[0].metadata.name.as_deref(), Some("demo-builder-dry-run"));
    assert_eq!(pods[0].spec, build::builder_pod(&instance, &instance.pools[0]).spec);
}

const PODS: &str = "/api/v1/namespaces/team/pods";

/// A builder that isn't made.
fn asked() -> Exchange {
    post(PODS).query("dryRun", "All")
}

#[tokio::test]
async fn what_was_said_counts_for_a_while() {
    let instance = crate::fixtures::minimal();
    let dry_runs = DryRuns::default();
    let refused = || asked().refuses(ApiServer::FORBIDDEN, "violates PodSecurity");
    let server = ApiServer::expects([asked(), refused(), refused(), asked()]);
    let client = server.client();
    let refusal = async |second| {
        let outcome = dry_runs.check(&client, &instance, false, at(second)).await.unwrap();
        (outcome.refusal(true).map(str::to_owned), server.requests().len())
    };
    let no = || Some("violates PodSecurity".to_owned());
    assert_eq!(refusal(0).await, (None, 1));
    assert_eq!(refusal(599).await, (None, 1));
    assert_eq!(refusal(600).await, (no(), 2));
    assert_eq!(refusal(629).await, (no(), 2));
    assert_eq!(refusal(630).await, (no(), 3));
    assert_eq!(refusal(660).await, (None, 4));
}

#[tokio::test]
async fn no_answer_is_none_and_it_is_asked_again() {
    let instance = crate::fixtures::minimal();
    let dry_runs = DryRuns::default();
    let server = ApiServer::expects([
        asked().refuses(ApiServer::INTERNAL_ERROR, "etcd"),
        asked().is_cut_off(),
        asked().refuses(ApiServer::FORBIDDEN, "User \"x\" cannot create resource \"pods\""),
        asked(),
    ]);
    for _ in 0..3 {
        assert_eq!(dry_runs.check(&server.client(), &instance, false, at(0)).await, None);
    }
    assert!(dry_runs.check(&server.client(), &instance, false, at(0)).await.is_some());
}

#[tokio::test]
async fn after_one_pool_is_refused_no_other_is_asked_about() {
    let instance =
        crate::fixtures::valid(crate::fixtures::EXTERNAL, &crate::fixtures::with_secrets()).unwrap();
    assert_eq!(instance.pools.len(), 2);
    let server = ApiServer::expects([asked(), asked()]);
    DryRuns::default().check(&server.client(), &instance, false, at(0)).await.unwrap();
    drop(server);
    let server = ApiServer::expects([asked().refuses(ApiServer::INVALID, "spec.containers[0]: no")]);
    let outcome = DryRuns::default().check(&server.client(), &instance, false, at(0)).await.unwrap();
    assert_eq!(outcome.refusal(true), Some("spec.containers[0]: no"));
}
