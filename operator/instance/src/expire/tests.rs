use copr_operator_kernel::testing::{ApiServer, Exchange, delete as deletion, get, post};
use kube::runtime::events::Reporter;
use serde_json::{Value, json};

use super::*;
use crate::fixtures::{MINIMAL, parse};

const COPR: &str = "/apis/copr.fedorainfracloud.org/v1alpha1/namespaces/team";

/// An instance whose end was long ago, and was warned of.
fn expired() -> CoprInstance {
    let mut instance = serde_json::to_value(parse(MINIMAL)).unwrap();
    instance["metadata"]["creationTimestamp"] = "2020-01-01T00:00:00Z".into();
    instance["metadata"]["resourceVersion"] = "9".into();
    instance["spec"]["expiresAt"] = "2020-01-02T00:00:00Z".into();
    instance["status"] = json!({"conditions": [{
        "type": lifetime::CONDITION, "status": "True", "reason": "x", "message": "",
        "lastTransitionTime": "2020-01-01T23:00:00Z",
    }]});
    serde_json::from_value(instance).unwrap()
}

fn runs(items: &[Value]) -> Exchange {
    get(format!("{COPR}/coprtestruns")).lists(items)
}

/// Exactly the version that was read.
fn deleted() -> Exchange {
    deletion(format!("{COPR}/coprinstances/demo")).body(json!({
        "preconditions": {"uid": "0a1b2c", "resourceVersion": "9"}, "propagationPolicy": "Background",
    }))
}

async fn of(
    instance: &CoprInstance,
    script: impl IntoIterator<Item = Exchange>,
) -> Result<(Step, Option<jiff::SignedDuration>), Error> {
    let server = ApiServer::expects(script);
    let recorder = Recorder::new(server.client(), Reporter { controller: "x".into(), instance: None });
    let outlook = enforce(&server.client(), &recorder, instance).await?;
    Ok((outlook.step, outlook.look_again))
}

#[tokio::test]
async fn an_instance_whose_time_is_over_goes_and_it_is_told() {
    let told = post("/apis/events.k8s.io/v1/namespaces/team/events").body(json!({"reason": EXPIRED}));
    assert_eq!(of(&expired(), [runs(&[]), deleted(), told]).await.unwrap().0, Step::Delete);
    // Somebody else was faster.
    let gone = deleted().refuses(ApiServer::NOT_FOUND, "there is none");
    assert_eq!(of(&expired(), [runs(&[]), gone]).await.unwrap().0, Step::Delete);
}

#[tokio::test]
async fn one_that_was_written_meanwhile_may_live_longer() {
    let written = deleted().refuses(ApiServer::CONFLICT, "the ResourceVersion in the precondition differs");
    let outlook = of(&expired(), [runs(&[]), written]).await.unwrap();
    assert_eq!(outlook, (Step::Warn, Some(lifetime::AGAIN)));
}

#[tokio::test]
async fn one_that_a_run_uses_or_may_use_stays() {
    let run = json!({
        "apiVersion": "copr.fedorainfracloud.org/v1alpha1", "kind": "CoprTestRun",
        "metadata": {"name": "smoke", "namespace": "team", "creationTimestamp": "2020-01-01T12:00:00Z"},
        "spec": {"instance": {"name": "demo"}},
    });
    let step = of(&expired(), [runs(&[run])]).await.unwrap().0;
    assert_eq!(step, Step::WaitForRuns(vec!["smoke".into()]));
    let unknown = runs(&[]).refuses(ApiServer::FORBIDDEN, "not you");
    assert!(matches!(of(&expired(), [unknown]).await, Err(Error::Runs(_))));
}

#[tokio::test]
async fn one_that_can_not_be_deleted_is_no_silent_matter() {
    for trouble in [deleted().refuses(ApiServer::FORBIDDEN, "not you"), deleted().is_cut_off()] {
        assert!(matches!(of(&expired(), [runs(&[]), trouble]).await, Err(Error::Delete(_))));
    }
}

#[tokio::test]
async fn of_one_that_lives_nobody_is_asked() {
    let mut living = serde_json::to_value(expired()).unwrap();
    living["spec"]["expiresAt"] = "2999-01-01T00:00:00Z".into();
    for instance in [parse(MINIMAL), serde_json::from_value(living).unwrap()] {
        assert_eq!(of(&instance, []).await.unwrap().0, Step::Keep);
    }
}
