//! Client required: starts builds, each once in the whole cluster.

use k8s_openapi::api::{batch::v1::Job, core::v1::ConfigMap};
use kube::{
    Api, Client, ResourceExt as _,
    api::{ListParams, Patch, PatchParams, PostParams},
};
use serde_json::json;

use super::{
    decide::is_active,
    job::{Build, HASH, IMAGE},
};
use crate::labels::FIELD_MANAGER;

/// What went wrong while a build was started.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Jobs couldn't be listed.
    #[error("failed to look for a Job that builds {image}")]
    List {
        /// The image.
        image: String,
        /// What kube says.
        #[source]
        source: kube::Error,
    },
    /// A Job whose image has gone couldn't be deleted.
    #[error("failed to delete the Job {name}")]
    Delete {
        /// Its name.
        name: String,
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
}

/// The Jobs of every namespace that build from these inputs.
pub async fn jobs(client: &Client, hashes: &[&str]) -> Result<Vec<Job>, Error> {
    let query = format!("{HASH} in ({})", hashes.join(","));
    let list = Api::<Job>::all(client.clone()).list(&ListParams::default().labels(&query)).await;
    Ok(list.map_err(|source| Error::List { image: query, source })?.items)
}

/// Starts a build unless one of the same image runs; tells whether it did. The caller sees to it that no two of these run
/// at a time.
pub async fn start(client: &Client, build: &Build<'_>) -> Result<bool, Error> {
    let wanted = build.job();
    let image = wanted.annotations().get(IMAGE).cloned();
    let present = jobs(client, &[build.hash]).await?;
    if present.iter().any(|job| job.annotations().get(IMAGE) == image.as_ref() && is_active(job)) {
        return Ok(false);
    }
    let name = build.name();
    let namespace = build.instance.1;
    let failed = |kind| {
        let name = name.clone();
        move |source| Error::Create { kind, name, source }
    };
    let jobs: Api<Job> = Api::namespaced(client.clone(), namespace);
    match jobs.create(&PostParams::default(), &wanted).await {
        Ok(job) => {
            resume(client, build, &job).await?;
            Ok(true)
        }
        // One that is on its way out; the next look finds it gone.
        Err(kube::Error::Api(status)) if status.is_already_exists() => Ok(false),
        Err(source) => Err(failed("Job")(source)),
    }
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

/// Whether a Job waits for [`resume`].
pub fn is_suspended(job: &Job) -> bool {
    is_active(job) && job.spec.as_ref().and_then(|spec| spec.suspend) == Some(true)
}
