//! What is asked of the API server.

use copr_operator_kernel::testing::{ApiServer, Exchange, patch};

use super::*;

/// By server-side apply, to the object of that uid alone.
fn written() -> Exchange {
    patch("/apis/copr.fedorainfracloud.org/v1alpha1/namespaces/team/coprinstances/demo/status")
        .query("fieldManager", FIELD_MANAGER)
        .query("force", "true")
        .body(json!({"metadata": {"name": "demo", "uid": "0a1b2c"}, "status": {"observedGeneration": 3}}))
}

async fn write(exchange: Exchange) -> Result<(), Error> {
    let server = ApiServer::expects([exchange]);
    let status = CoprInstanceStatus { observed_generation: Some(3), ..CoprInstanceStatus::default() };
    write_to(&server.client(), ("team", "demo"), Some("0a1b2c".into()), &status).await
}

#[tokio::test]
async fn the_status_of_an_instance_that_is_gone_or_another_by_now_needs_no_writing() {
    let object = serde_json::to_value(parse(MINIMAL)).unwrap();
    write(written().answers(object)).await.unwrap();
    write(written().refuses(ApiServer::NOT_FOUND, "there is none")).await.unwrap();
    write(written().refuses(ApiServer::CONFLICT, "the UID in the precondition differs")).await.unwrap();
}

#[tokio::test]
async fn one_that_is_not_taken_is_an_error() {
    for refusal in [ApiServer::FORBIDDEN, ApiServer::INVALID, ApiServer::INTERNAL_ERROR] {
        let error = write(written().refuses(refusal, "no")).await.unwrap_err();
        assert_eq!(report::chain(&error), "failed to write the status: no");
    }
    assert!(write(written().is_cut_off()).await.is_err());
}
