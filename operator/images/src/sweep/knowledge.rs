//! Client required: everything in the cluster that may use an image.

use copr_operator_api::{
    labels::PART_OF,
    v1alpha1::{CoprInstance, CoprTestRun},
};
use k8s_openapi::api::{apps::v1::StatefulSet, batch::v1::Job, core::v1::Pod};
use kube::{
    Api, Client, Resource,
    api::{ApiResource, DynamicObject, ListParams},
    runtime::reflector::ObjectRef,
};
use serde_json::Value;

use super::used::Used;

/// So many objects of a kind are held at a time.
const PAGE: u32 = 200;

/// What is known of the cluster.
#[derive(Debug, Default)]
pub struct Knowledge {
    /// What is used.
    pub used: Used,
    /// All instances that can be read.
    pub instances: Vec<CoprInstance>,
    /// Instances and runs that can't be: nobody knows what they use.
    pub unreadable: Vec<String>,
}

/// Something couldn't be listed, so nothing is known.
#[derive(Debug, thiserror::Error)]
#[error("failed to list every {kind}")]
pub struct Error {
    kind: String,
    #[source]
    source: kube::Error,
}

/// All instances.
pub async fn instances(client: &Client) -> Result<Knowledge, Error> {
    let mut knowledge = Knowledge::default();
    each::<CoprInstance>(client, None, |name, object| match serde_json::from_value(object.clone()) {
        Ok(instance) => {
            knowledge.used.add(&object);
            knowledge.instances.push(instance);
        }
        Err(_) => knowledge.unreadable.push(name),
    })
    .await?;
    Ok(knowledge)
}

/// All else that may use an image: runs, and what was made for instances and runs.
pub async fn rest(client: &Client, knowledge: &mut Knowledge) -> Result<(), Error> {
    let Knowledge { used, unreadable, .. } = knowledge;
    each::<CoprTestRun>(client, None, |name, object| {
        used.add(&object);
        if serde_json::from_value::<CoprTestRun>(object).is_err() {
            unreadable.push(name);
        }
    })
    .await?;
    let ours = format!("{PART_OF}=copr");
    each::<StatefulSet>(client, Some(&ours), |_, object| used.add(&object)).await?;
    each::<Job>(client, Some(&ours), |_, object| used.add(&object)).await?;
    each::<Pod>(client, Some(&ours), |_, object| used.add(&object)).await
}

async fn each<K: Resource<DynamicType = ()>>(
    client: &Client,
    labels: Option<&str>,
    mut take: impl FnMut(String, Value),
) -> Result<(), Error> {
    let kind = ApiResource::erase::<K>(&());
    let failed = |source| Error { kind: kind.kind.clone(), source };
    let api: Api<DynamicObject> = Api::all_with(client.clone(), &kind);
    let mut params = ListParams::default().limit(PAGE);
    if let Some(labels) = labels {
        params = params.labels(labels);
    }
    loop {
        let mut page = api.list(&params).await.map_err(failed)?;
        // Items of a list don't say what they are.
        let types = kube::api::TypeMeta { api_version: kind.api_version.clone(), kind: kind.kind.clone() };
        for mut object in page.items {
            object.types = Some(types.clone());
            let name = format!("{} {}", kind.kind, ObjectRef::from_obj_with(&object, kind.clone()));
            let value =
                serde_json::to_value(object).map_err(|source| failed(kube::Error::SerdeError(source)))?;
            take(name, value);
        }
        params.continue_token = page.metadata.continue_.take().filter(|token| !token.is_empty());
        if params.continue_token.is_none() {
            return Ok(());
        }
    }
}
