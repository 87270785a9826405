//! Client required: deletes an instance whose time is over, as [`super::lifetime`] decides.

use copr_operator_api::v1alpha1::{CoprInstance, CoprTestRun};
use copr_operator_kernel::{conditions, report};
use k8s_openapi::api::core::v1::ObjectReference;
use kube::{
    Api, Client, Resource as _, ResourceExt as _,
    api::{DeleteParams, ListParams, Preconditions},
    core::DeserializeGuard,
    runtime::events::{Event, EventType, Recorder},
};

use super::{
    dereference::now,
    lifetime::{self, Life, Outlook, Situation, Step},
};
/// The reason of the event that tells of the deletion.
const EXPIRED: &str = "Expired";

/// What couldn't be done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Whether a run uses the instance is unknown.
    #[error("failed to list the CoprTestRuns that may use the instance")]
    Runs(#[source] kube::Error),
    /// The instance's time is over, and it couldn't be deleted.
    #[error("failed to delete the expired instance")]
    Delete(#[source] kube::Error),
}

/// What becomes of the instance. After [`Step::Delete`] it is gone.
pub async fn enforce(
    client: &Client,
    recorder: &Recorder,
    instance: &CoprInstance,
) -> Result<Outlook, Error> {
    // A `ttl` that isn't a duration gives no end; it is `validate` that reports it.
    let Ok(Some(life)) = lifetime::of(instance) else { return Ok(Outlook::default()) };
    let known = instance.status.as_ref().map(|status| status.conditions.as_slice()).unwrap_or_default();
    let warned = conditions::get(known, lifetime::CONDITION).filter(|condition| condition.status == "True");
    let now = now();
    let runs = if now < life.end { Vec::new() } else { runs(client, instance, life).await? };
    let outlook = lifetime::decide(
        life,
        Situation {
            now,
            warned_since: warned.map(|condition| condition.last_transition_time.0),
            paused: instance.spec.paused,
            runs: &runs,
        },
    );
    if outlook.step == Step::Delete && !delete(client, recorder, instance).await? {
        // Somebody changed the instance after it was read, perhaps to let it live longer: look again soon.
        return Ok(Outlook { step: Step::Warn, look_again: Some(lifetime::AGAIN), ..outlook });
    }
    Ok(outlook)
}

async fn runs(client: &Client, instance: &CoprInstance, life: Life) -> Result<Vec<String>, Error> {
    let namespace = instance.namespace().unwrap_or_default();
    let api: Api<DeserializeGuard<CoprTestRun>> = Api::namespaced(client.clone(), &namespace);
    let all = api.list(&ListParams::default()).await.map_err(Error::Runs)?;
    let readable = all.iter().filter_map(|run| run.0.as_ref().ok());
    Ok(lifetime::users(readable, instance, life.end))
}

/// Deletes exactly what was decided on. Returns whether that is what there was.
async fn delete(client: &Client, recorder: &Recorder, instance: &CoprInstance) -> Result<bool, Error> {
    let api: Api<CoprInstance> = Api::namespaced(client.clone(), &instance.namespace().unwrap_or_default());
    let params = DeleteParams {
        preconditions: Some(Preconditions {
            uid: instance.uid(),
            resource_version: instance.resource_version(),
        }),
        ..DeleteParams::background()
    };
    match api.delete(&instance.name_any(), &params).await {
        Ok(_) => {}
        Err(kube::Error::Api(answer)) if answer.is_not_found() => return Ok(true),
        Err(kube::Error::Api(answer)) if answer.is_conflict() => return Ok(false),
        Err(source) => return Err(Error::Delete(source)),
    }
    tracing::info!("Deleted an instance whose time is over");
    tell(recorder, &instance.object_ref(&())).await;
    Ok(true)
}

async fn tell(recorder: &Recorder, instance: &ObjectReference) {
    let event = Event {
        type_: EventType::Normal,
        reason: EXPIRED.into(),
        note: Some("deleted, as its ttl or expiresAt says".into()),
        action: "Delete".into(),
        secondary: None,
    };
    if let Err(error) = recorder.publish(&event, instance).await {
        tracing::warn!(error = report::chain(&error), "Failed to publish an event");
    }
}

#[cfg(test)]
mod tests;
