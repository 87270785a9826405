use copr_operator_kernel::testing::{ApiServer, get, patch};
use serde_json::json;

use super::*;

const MAP: &str = "/api/v1/namespaces/copr-operator/configmaps/copr-operator-images";

#[tokio::test]
async fn a_ledger_that_is_not_there_is_empty_and_one_that_can_not_be_read_is_no_empty_one() {
    let server = ApiServer::expects([get(MAP)]);
    assert_eq!(read(&server.client(), "copr-operator").await.unwrap(), Ledger::default());
    for trouble in [get(MAP).refuses(ApiServer::FORBIDDEN, "not you"), get(MAP).is_cut_off()] {
        let server = ApiServer::expects([trouble]);
        assert!(matches!(read(&server.client(), "copr-operator").await, Err(Error::Read(_))));
    }
}

#[tokio::test]
async fn what_can_not_be_read_of_it_is_written_back() {
    let data = json!({"data": {"of-a-later-version": "{}"}});
    let written =
        || patch(MAP).query("fieldManager", FIELD_MANAGER).query("force", "true").body(data.clone());
    let refused = written().refuses((413, "RequestEntityTooLarge"), "limit is 3145728");
    let server = ApiServer::expects([get(MAP).answers(data.clone()), written(), refused]);
    let ledger = read(&server.client(), "copr-operator").await.unwrap();
    write(&server.client(), "copr-operator", &ledger).await.unwrap();
    assert!(matches!(write(&server.client(), "copr-operator", &ledger).await, Err(Error::Write(_))));
}
