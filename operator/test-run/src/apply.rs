//! Fourth step: makes the cluster what the plan says, in two halves. What the status speaks of is created
//! before it is written; what the status speaks of as over is deleted after.

use std::collections::BTreeMap;

use copr_operator_api::v1alpha1::{CoprInstance, CoprTestRun, CoprTestRunStatus};
use copr_operator_kernel::{
    apply::{self, Lifetime, memory::Memory},
    openshift, report,
};
use k8s_openapi::{
    NamespaceResourceScope,
    api::core::v1::{ConfigMap, Pod},
    serde::de::DeserializeOwned,
};
use kube::{
    Client, Resource, ResourceExt,
    api::{Api, DeleteParams, PostParams, Preconditions, PropagationPolicy},
};
use serde::Serialize;

use super::{
    decide::{self, Deletions, Doomed, Plan},
    grant::Grant,
};

/// What couldn't be done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An object couldn't be created, for no reason of its own.
    #[error("failed to create {kind} {name}")]
    Create {
        /// Kind of the object.
        kind: String,
        /// Its name.
        name: String,
        /// What kube says.
        #[source]
        source: kube::Error,
    },
    /// The right of the tests' pods couldn't be applied.
    #[error("failed to give the tests' pods their service account")]
    Grant(#[source] apply::Error),
    /// The report couldn't be applied.
    #[error("failed to write the report of the run")]
    Report(#[source] apply::Error),
    /// An object couldn't be deleted.
    #[error("failed to delete {kind} {name}")]
    Delete {
        /// Kind of the object.
        kind: String,
        /// Its name.
        name: String,
        /// What kube says.
        #[source]
        source: kube::Error,
    },
}

/// What the API server would not have, such as a pod beyond a quota. Nobody is helped by a reconcile that
/// ends there: the status has to tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refusals {
    /// Why there is no instance.
    pub instance: Option<String>,
    /// By pod, why there is none.
    pub pods: BTreeMap<String, String>,
    /// Why there is no report.
    pub junit: Option<String>,
}

impl Refusals {
    /// Whether something is to be tried again.
    pub fn any(&self) -> bool {
        self.instance.is_some() || !self.pods.is_empty()
    }

    /// Corrects what the plan wanted to report; `old` is what was reported before.
    pub fn correct(&self, plan: &mut Plan, old: &CoprTestRunStatus, now: jiff::Timestamp) {
        let status = &mut plan.status;
        if let Some(why) = &self.instance {
            decide::instance_refused(status, why, now);
        }
        for (pod, why) in &self.pods {
            decide::not_created(status, &old.tests, pod, why, now);
        }
        if !self.pods.is_empty() {
            decide::pods_refused(status, plan.waits.as_deref(), now);
        }
        if self.junit.is_some() {
            status.junit = None;
        }
    }
}

/// Creates what the plan has.
pub async fn create(client: &Client, namespace: &str, plan: &Plan) -> Result<Refusals, Error> {
    // Without `..`: a new field of the plan must not be forgotten here. Status and deletions come after,
    // and `requeue` is the caller's.
    let Plan { instance, grant, pods, list, junit, status: _, waits: _, deletions: _, requeue: _ } = plan;
    let mut refusals = Refusals::default();
    if let Some(instance) = instance {
        refusals.instance = create_one::<CoprInstance>(client, namespace, instance).await?;
    }
    if let Some(list) = list
        && let Some(why) = create_one::<ConfigMap>(client, namespace, list).await?
    {
        // It is read from its pod's log again.
        tracing::warn!(namespace, why, "The list of a suite can't be kept");
    }
    let ungranted = match grant {
        Some(grant) => give(client, namespace, grant).await?,
        None => None,
    };
    for pod in pods {
        let refused = match &ungranted {
            Some(why) => Some(why.clone()),
            None => create_one::<Pod>(client, namespace, pod).await?,
        };
        if let Some(why) = refused {
            tracing::warn!(namespace, pod = pod.name_any(), why, "The API server refused a pod");
            refusals.pods.insert(pod.name_any(), why);
        }
    }
    if let Some(junit) = junit {
        let planned = apply::planned(junit, Lifetime::Reconcile).map_err(Error::Report)?;
        let applied =
            apply::apply_all(client, &owner(namespace, junit), &[planned], &Memory::default()).await;
        match applied.result() {
            Ok(_) => {}
            Err(error) if error.is_final() => {
                let why = report::chain(&error);
                tracing::warn!(namespace, why, "The report of a run can't be written");
                refusals.junit = Some(why);
            }
            Err(error) => return Err(Error::Report(error)),
        }
    }
    Ok(refusals)
}

/// Applies what lets pods be admitted; returns why the API server would not have it.
async fn give(client: &Client, namespace: &str, grant: &Grant) -> Result<Option<String>, Error> {
    let Grant { service_account, role_binding } = grant;
    let planned = [
        apply::planned(service_account, Lifetime::Reconcile).map_err(Error::Grant)?,
        apply::planned(role_binding, Lifetime::Reconcile).map_err(Error::Grant)?,
    ];
    let owner = owner(namespace, service_account);
    match apply::apply_all(client, &owner, &planned, &Memory::default()).await.result() {
        Ok(_) => Ok(None),
        Err(error) if error.is_final() => Ok(Some(told(&report::chain(&error)))),
        Err(error) => Err(Error::Grant(error)),
    }
}

/// What the API server says, and how to mend it where that is known.
fn told(message: &str) -> String {
    let said = report::truncate(message.to_owned(), 256);
    match openshift::hint(message) {
        Some(hint) => format!("{hint}: {said}"),
        None => said,
    }
}

fn owner(namespace: &str, object: &impl ResourceExt) -> apply::Owner {
    let reference = object.owner_references().first().cloned().unwrap_or_default();
    apply::Owner { reference, namespace: namespace.to_owned() }
}

/// Creates an object; one that is there already is what an earlier reconcile left. Returns why the API
/// server would not have it.
async fn create_one<K>(client: &Client, namespace: &str, object: &K) -> Result<Option<String>, Error>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + std::fmt::Debug
        + Serialize
        + DeserializeOwned,
{
    let api: Api<K> = Api::namespaced(client.clone(), namespace);
    match api.create(&PostParams::default(), object).await {
        Ok(_) => Ok(None),
        Err(kube::Error::Api(answer)) if answer.is_already_exists() => Ok(None),
        Err(kube::Error::Api(answer)) if is_told(&answer) => Ok(Some(told(&answer.message))),
        Err(source) => Err(Error::Create { kind: K::kind(&()).into(), name: object.name_any(), source }),
    }
}

/// Whether an answer is why an object isn't there, for a run that goes on telling and whose time goes on. An API server that is
/// unwell, or can't reach somebody's webhook, may stay so.
fn is_told(answer: &kube::core::Status) -> bool {
    apply::is_refusal(answer) || apply::is_unwell(answer)
}

/// Deletes what has to go.
pub async fn delete(client: &Client, namespace: &str, deletions: &Deletions) -> Result<(), Error> {
    let Deletions { pods, instance, run } = deletions;
    for pod in pods {
        delete_one::<Pod>(client, namespace, pod).await?;
    }
    if let Some(instance) = instance {
        delete_one::<CoprInstance>(client, namespace, instance).await?;
    }
    // Last: the garbage collector takes with it whatever the run owns.
    if let Some(run) = run {
        delete_one::<CoprTestRun>(client, namespace, run).await?;
    }
    Ok(())
}

async fn delete_one<K>(client: &Client, namespace: &str, doomed: &Doomed) -> Result<(), Error>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + std::fmt::Debug
        + DeserializeOwned,
{
    let api: Api<K> = Api::namespaced(client.clone(), namespace);
    let params = DeleteParams {
        propagation_policy: Some(PropagationPolicy::Background),
        preconditions: Some(Preconditions { uid: doomed.uid.clone(), resource_version: None }),
        ..DeleteParams::default()
    };
    let kind = K::kind(&());
    match api.delete(&doomed.name, &params).await {
        Ok(_) => {
            tracing::info!(namespace, %kind, name = doomed.name, "Deleted what the run no longer needs");
            Ok(())
        }
        // Gone, or another object of that name.
        Err(kube::Error::Api(answer)) if answer.is_not_found() || answer.is_conflict() => Ok(()),
        Err(source) => Err(Error::Delete { kind: kind.into(), name: doomed.name.clone(), source }),
    }
}

#[cfg(test)]
mod tests;
