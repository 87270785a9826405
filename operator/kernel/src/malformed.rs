//! Client required: conditions of an object that isn't of the kind of this version, which the API server admitted nevertheless: it is
//! older than a rule, or of a later version of the CRD.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{
    Api, Client, Resource, ResourceExt as _,
    api::{ApiResource, Patch, PatchParams},
    core::DynamicObject,
};
use serde_json::json;

/// The reason of conditions and events.
pub const REASON: &str = "Malformed";

/// Writes what `say` makes of the conditions, given the generation of the object, where the API server takes a status of it. One that
/// breaks its own schema can't be applied to, and perhaps not be written at all. Everything else in the status stays; where nothing is
/// said, the generation stays unobserved, too.
pub async fn write<K>(
    client: &Client,
    (namespace, name): (&str, &str),
    say: impl FnOnce(&mut Vec<Condition>, Option<i64>),
) -> Result<(), kube::Error>
where
    K: Resource<DynamicType = ()>,
{
    let resource = ApiResource::erase::<K>(&());
    let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), namespace, &resource);
    let Some(object) = api.get_opt(name).await? else { return Ok(()) };
    let generation = object.metadata.generation;
    let known = object.data.get("status").and_then(|status| status.get("conditions")).cloned();
    // If the conditions can't be read, either, they are replaced.
    let known: Vec<Condition> = known.and_then(|list| serde_json::from_value(list).ok()).unwrap_or_default();
    let mut conditions = known.clone();
    say(&mut conditions, generation);
    if conditions == known {
        return Ok(());
    }
    let patch = json!({
        "metadata": {"resourceVersion": object.resource_version()},
        "status": {"conditions": conditions, "observedGeneration": generation},
    });
    api.patch_status(name, &PatchParams::default(), &Patch::Merge(patch)).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use copr_operator_api::v1alpha1::CoprInstance;
    use k8s_openapi::jiff::Timestamp;
    use serde_json::Value;

    use super::*;
    use crate::{
        conditions::{self, Finding},
        testing::{ApiServer, Exchange, get, patch},
    };

    const OBJECT: &str = "/apis/copr.fedorainfracloud.org/v1alpha1/namespaces/team/coprinstances/demo";
    const STATUS: &str = "/apis/copr.fedorainfracloud.org/v1alpha1/namespaces/team/coprinstances/demo/status";

    /// An object that has this for its conditions.
    fn there(conditions: &Value) -> Exchange {
        get(OBJECT).answers(json!({
            "apiVersion": "copr.fedorainfracloud.org/v1alpha1", "kind": "CoprInstance",
            "metadata": {"name": "demo", "namespace": "team", "generation": 3, "resourceVersion": "9"},
            "spec": {"chroots": 1}, "status": {"conditions": conditions, "builders": "what nobody reads"},
        }))
    }

    async fn tell(server: &ApiServer) -> Result<(), kube::Error> {
        let say = |conditions: &mut Vec<Condition>, generation| {
            let finding = Finding::no(REASON, "spec.chroots: not a list");
            conditions::set(conditions, "Available", finding, generation, Timestamp::UNIX_EPOCH);
        };
        write::<CoprInstance>(&server.client(), ("team", "demo"), say).await
    }

    #[tokio::test]
    async fn it_is_told_once_and_to_the_version_that_was_read() {
        let told = patch(STATUS).body(json!({
            "metadata": {"resourceVersion": "9"},
            "status": {"observedGeneration": 3, "conditions": [{"type": "Available", "reason": REASON}]},
        }));
        let server = ApiServer::expects([there(&json!([])), told]);
        tell(&server).await.unwrap();
        let patch = server.requests()[1].body.clone();
        // What can't be read of the rest isn't touched.
        assert_eq!(patch["status"].as_object().unwrap().len(), 2);
        drop(server);

        let server = ApiServer::expects([there(&patch["status"]["conditions"])]);
        tell(&server).await.unwrap();
    }

    #[tokio::test]
    async fn conditions_that_can_not_be_read_are_made_anew() {
        let server = ApiServer::expects([there(&json!({"Ready": true})), patch(STATUS)]);
        tell(&server).await.unwrap();
    }

    #[tokio::test]
    async fn an_object_that_is_gone_needs_no_condition() {
        tell(&ApiServer::expects([get(OBJECT)])).await.unwrap();
    }

    #[tokio::test]
    async fn what_the_api_server_does_not_take_is_an_error() {
        for refusal in [ApiServer::INVALID, ApiServer::CONFLICT, ApiServer::INTERNAL_ERROR] {
            let server = ApiServer::expects([there(&json!([])), patch(STATUS).refuses(refusal, "no")]);
            assert!(tell(&server).await.is_err());
        }
    }
}
