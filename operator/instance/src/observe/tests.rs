use copr_operator_api::v1alpha1::Expose;
use copr_operator_kernel::{
    report,
    testing::{ApiServer, Exchange, get},
};
use serde_json::json;

use super::*;
use crate::build::expose::kind;

/// The four lists.
fn lists() -> [Exchange; 4] {
    let ours =
        |path: &str, item| get(path).query("labelSelector", labels::instance_query("demo")).lists(&[item]);
    let waiting = json!([{
        "name": "x", "image": "r/copr-frontend@sha256:0", "imageID": "", "ready": false, "restartCount": 0,
        "state": {"waiting": {"reason": "ImagePullBackOff"}},
    }]);
    [
        ours("/apis/apps/v1/namespaces/team/statefulsets", json!({"metadata": {"name": "demo-frontend"}})),
        ours(
            "/api/v1/namespaces/team/pods",
            json!({
                "metadata": {"name": "demo-frontend-0", "labels": {COMPONENT: "frontend"}},
                "status": {"containerStatuses": waiting},
            }),
        ),
        ours(
            "/api/v1/namespaces/team/persistentvolumeclaims",
            json!({"metadata": {"name": "demo-database"}}),
        ),
        get("/api/v1/namespaces/team/events")
            .query("fieldSelector", "type=Warning")
            .query("limit", "500")
            .lists(&[json!({"metadata": {}, "involvedObject": {"uid": "1"}, "reason": "Unhealthy"})]),
    ]
}

#[tokio::test]
async fn an_instance_that_nothing_exposes_is_four_lists() {
    let server = ApiServer::expects(lists());
    let seen = Seen::read(&server.client(), ("team", "demo"), None).await.unwrap();
    assert!(seen.workload("demo", Component::Frontend).is_some() && seen.pod("frontend").is_some());
    assert_eq!((seen.claims.len(), seen.warnings.len()), (1, 1));
    assert_eq!(seen.unpullable_images(), ["r/copr-frontend@sha256:0"]);
}

#[tokio::test]
async fn what_can_not_be_listed_is_named() {
    let [sets, pods, claims, events] = lists();
    let refused = events.refuses(ApiServer::FORBIDDEN, "events is forbidden");
    let server = ApiServer::expects([sets, pods, claims, refused]);
    let error = Seen::read(&server.client(), ("team", "demo"), None).await.unwrap_err();
    assert_eq!(report::chain(&error), "failed to list the Events of the instance: events is forbidden");
}

#[tokio::test]
async fn what_exposes_an_instance_is_a_fifth_list_of_the_kind_that_the_spec_says() {
    let kinds = [
        (Expose::Ingress, "/apis/networking.k8s.io/v1/namespaces/team/ingresses"),
        (Expose::Route, "/apis/route.openshift.io/v1/namespaces/team/routes"),
        (Expose::Gateway, "/apis/gateway.networking.k8s.io/v1/namespaces/team/httproutes"),
    ];
    for (expose, path) in kinds {
        let query = format!("{},{COMPONENT}=expose", labels::instance_query("demo"));
        let objects = || get(path).query("labelSelector", query.clone());
        let answered = objects().lists(&[json!({"metadata": {"name": "demo-frontend"}})]);
        let kind = kind(expose);
        let server = ApiServer::expects(lists().into_iter().chain([answered]));
        let seen = Seen::read(&server.client(), ("team", "demo"), kind.as_ref()).await.unwrap();
        assert_eq!(seen.exposed[0].name_any(), "demo-frontend");
        let forbidden = objects().refuses(ApiServer::FORBIDDEN, "forbidden");
        let server = ApiServer::expects(lists().into_iter().chain([forbidden]));
        let error = Seen::read(&server.client(), ("team", "demo"), kind.as_ref()).await.unwrap_err();
        let what = path.rsplit_once('/').unwrap().1;
        assert_eq!(report::chain(&error), format!("failed to list the {what} of the instance: forbidden"));
    }
}
