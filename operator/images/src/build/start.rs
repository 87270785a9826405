//! Client required: starts builds, each once in the whole cluster, and ends those that nobody wants any more.

use copr_operator_api::{
    labels::{self, FIELD_MANAGER},
    v1alpha1::CoprInstance,
};
use k8s_openapi::api::{
    batch::v1::Job,
    core::v1::{ConfigMap, Event, Pod},
};
use kube::{
    Api, Client, ResourceExt as _,
    api::{DeleteParams, ListParams, Patch, PatchParams, PostParams, Preconditions},
};
use serde_json::json;

use super::{
    decide::progress::is_active,
    job::{Build, HASH},
};

/// What went wrong while a build was started or looked at.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Something couldn't be listed or read.
    #[error("failed to look for {what}")]
    Look {
        /// What was looked for.
        what: String,
        /// What kube says.
        #[source]
        source: kube::Error,
    },
    /// The Job or its files couldn't be made.
    #[error("failed to create {kind} {name}")]
    Create {
        /// Kind of the object.
        kind: &'static str,
        /// Its name.
        name: String,
        /// What kube says.
        #[source]
        source: kube::Error,
    },
    /// Something of somebody else has the Job's name.
    #[error("the Job {0} exists and is not of this instance: delete it, or let it end")]
    Taken(String),
    /// A Job couldn't be deleted.
    #[error("failed to delete the Job {name}")]
    Delete {
        /// Its name.
        name: String,
        /// What kube says.
        #[source]
        source: kube::Error,
    },
}

fn looking(what: impl Into<String>) -> impl FnOnce(kube::Error) -> Error {
    let what = what.into();
    move |source| Error::Look { what, source }
}

/// The Jobs of every namespace that build from these inputs.
pub async fn jobs(client: &Client, hashes: &[&str]) -> Result<Vec<Job>, Error> {
    let query = format!("{HASH} in ({})", hashes.join(","));
    let list = Api::<Job>::all(client.clone()).list(&ListParams::default().labels(&query)).await;
    Ok(list.map_err(looking(format!("Jobs that build {query}")))?.items)
}

/// The pods of builds of an instance.
pub async fn pods(client: &Client, namespace: &str, query: &str) -> Result<Vec<Pod>, Error> {
    let pods: Api<Pod> = Api::namespaced(client.clone(), namespace);
    Ok(pods.list(&ListParams::default().labels(query)).await.map_err(looking("pods of builds"))?.items)
}

/// The Jobs of builds of an instance, whatever they build.
pub async fn jobs_of(client: &Client, namespace: &str, query: &str) -> Result<Vec<Job>, Error> {
    let jobs: Api<Job> = Api::namespaced(client.clone(), namespace);
    Ok(jobs.list(&ListParams::default().labels(query)).await.map_err(looking("Jobs of builds"))?.items)
}

/// The warnings about an object.
pub async fn warnings(client: &Client, namespace: &str, uid: &str) -> Result<Vec<Event>, Error> {
    let events: Api<Event> = Api::namespaced(client.clone(), namespace);
    let query = ListParams::default().fields(&format!("involvedObject.uid={uid},type=Warning"));
    Ok(events.list(&query).await.map_err(looking("events of builds"))?.items)
}

/// Whether the instance that a Job says to be made for exists. Anybody can write a label.
pub async fn has_instance(client: &Client, job: &Job) -> Result<bool, Error> {
    let namespace = job.namespace().unwrap_or_default();
    let owners = job.owner_references().iter().filter(|owner| owner.kind == "CoprInstance");
    let Some(owner) = owners.into_iter().find(|owner| owner.controller == Some(true)) else {
        return Ok(false);
    };
    let instances: Api<CoprInstance> = Api::namespaced(client.clone(), &namespace);
    let found = instances.get_metadata_opt(&owner.name).await.map_err(looking("another instance"))?;
    Ok(found.is_some_and(|instance| {
        instance.uid().as_ref() == Some(&owner.uid) && job.labels().get(labels::INSTANCE) == Some(&owner.name)
    }))
}

/// Makes the Job of a build, or finds it made; tells whether it is at work. It isn't if one of its name is on its way out.
pub async fn start(client: &Client, build: &Build<'_>) -> Result<bool, Error> {
    let wanted = build.job();
    let name = wanted.name_any();
    let jobs: Api<Job> = Api::namespaced(client.clone(), build.instance.1);
    let failed = |source| Error::Create { kind: "Job", name: name.clone(), source };
    let job = match jobs.create(&PostParams::default(), &wanted).await {
        Ok(job) => job,
        Err(kube::Error::Api(status)) if status.is_already_exists() => {
            let Some(present) = jobs.get_opt(&name).await.map_err(failed)? else { return Ok(false) };
            if !present.owner_references().iter().any(|owner| owner.uid == build.owner.uid) {
                return Err(Error::Taken(name));
            }
            present
        }
        Err(source) => return Err(failed(source)),
    };
    if !is_active(&job) {
        return Ok(false);
    }
    if is_suspended(&job) {
        resume(client, build, &job).await?;
    }
    Ok(true)
}

/// Gives a suspended Job its files, and lets it run. An operator that was killed in between does it when it's back.
pub async fn resume(client: &Client, build: &Build<'_>, job: &Job) -> Result<(), Error> {
    let (name, namespace) = (job.name_any(), job.namespace().unwrap_or_default());
    let failed = |kind| {
        let name = name.clone();
        move |source| Error::Create { kind, name, source }
    };
    let params = PatchParams::apply(FIELD_MANAGER).force();
    let files: Api<ConfigMap> = Api::namespaced(client.clone(), &namespace);
    files.patch(&name, &params, &Patch::Apply(build.files(job))).await.map_err(failed("ConfigMap"))?;
    let jobs: Api<Job> = Api::namespaced(client.clone(), &namespace);
    let running = Patch::Merge(json!({"spec": {"suspend": false}}));
    jobs.patch(&name, &PatchParams::default(), &running).await.map_err(failed("Job"))?;
    Ok(())
}

/// Deletes a Job with its pods, unless it is another one by now. One that is gone is no error.
pub async fn delete(client: &Client, job: &Job) -> Result<(), Error> {
    let name = job.name_any();
    let jobs: Api<Job> = Api::namespaced(client.clone(), &job.namespace().unwrap_or_default());
    let params = DeleteParams::background()
        .preconditions(Preconditions { uid: job.uid(), ..Preconditions::default() });
    match jobs.delete(&name, &params).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.is_not_found() || status.is_conflict() => Ok(()),
        Err(source) => Err(Error::Delete { name, source }),
    }
}

/// Whether a Job waits for [`resume`].
pub fn is_suspended(job: &Job) -> bool {
    is_active(job) && job.spec.as_ref().and_then(|spec| spec.suspend) == Some(true)
}
