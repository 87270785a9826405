use copr_operator_api::v1alpha1::Phase;
use copr_operator_kernel::testing::{ApiServer, Exchange, put};
use serde_json::json;

use super::*;
use crate::tests::world::World;

fn run() -> CoprTestRun {
    let mut run = World::named(&["auth"]).run;
    run.metadata.resource_version = Some("9".into());
    run.status = Some(CoprTestRunStatus { phase: Phase::Running, ..CoprTestRunStatus::default() });
    run
}

/// The version that was read, and no other.
fn replaced() -> Exchange {
    put("/apis/copr.fedorainfracloud.org/v1alpha1/namespaces/ci/coprtestruns/pr-7/status")
        .query("fieldManager", FIELD_MANAGER)
        .body(json!({"metadata": {"resourceVersion": "9"}, "status": {"phase": "Passed"}}))
}

async fn passed(script: impl IntoIterator<Item = Exchange>) -> Result<(), Error> {
    let server = ApiServer::expects(script);
    let status = CoprTestRunStatus { phase: Phase::Passed, ..CoprTestRunStatus::default() };
    write(&server.client(), &run(), &status).await
}

#[tokio::test]
async fn nothing_new_is_not_written() {
    let (server, run) = (ApiServer::expects([]), run());
    write(&server.client(), &run, run.status.as_ref().unwrap()).await.unwrap();
}

#[tokio::test]
async fn a_verdict_is_written_to_the_version_that_it_was_made_of() {
    passed([replaced()]).await.unwrap();
    // Who deleted the run needs none.
    passed([replaced().refuses(ApiServer::NOT_FOUND, "there is none")]).await.unwrap();
    let changed = replaced().refuses(ApiServer::CONFLICT, "the object has been modified");
    assert!(matches!(passed([changed]).await, Err(Error::Conflict { .. })));
    for trouble in [replaced().refuses(ApiServer::INTERNAL_ERROR, "etcd"), replaced().is_cut_off()] {
        assert!(matches!(passed([trouble]).await, Err(Error::Replace { .. })));
    }
}
