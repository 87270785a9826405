//! Client required: packages of this machine, served in the cluster until the last run that reads them is gone.

mod archive;
mod folder;
mod send;

use std::{cell::RefCell, io::Write, time::Duration};

use copr_operator_api::v1alpha1::CoprTestRun;
use k8s_openapi::api::{
    apps::v1::Deployment,
    core::v1::{PersistentVolumeClaim, Service},
};
use kube::{
    Api,
    api::{DeleteParams, ListParams, Patch, PatchParams},
};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::Instant;

pub use folder::Found;
use folder::Repository;
pub use send::Exec;
use send::{SendError, Sender};

use super::{end::Interruption, say};
use crate::{
    args::Serve,
    cluster::Cluster,
    error::{self, Error},
    model::{
        packages::{self, Wanted},
        verdict::Exit,
    },
};

/// How long a pod may take to run, its image included, and what is in the way for longer than that.
const RUNS: Duration = Duration::from_secs(300);
const PATIENCE: Duration = Duration::from_secs(30);
/// How long it may take to answer when it has everything.
const ANSWERS: Duration = Duration::from_secs(60);
const AGAIN: Duration = Duration::from_secs(1);
/// Connections are cut, and pods are moved.
const TRIES: usize = 3;
const MANAGER: &str = "kubectl-copr";

/// How packages are served.
pub struct Settings<'a> {
    pub image: &'a str,
    pub pull_secret: Option<&'a str>,
    /// The program that makes the metadata.
    pub createrepo: &'a str,
}

impl<'a> Settings<'a> {
    pub fn new(image: &'a str, pull_secret: Option<&'a str>) -> Self {
        Self { image, pull_secret, createrepo: folder::CREATEREPO }
    }
}

/// Until somebody deletes it, whatever runs read it meanwhile.
pub async fn run(cluster: &Cluster, args: &Serve, out: &mut dyn Write) -> Result<Exit, Error> {
    let found = Found::look(&args.dir)?;
    let settings = Settings::new(&args.packages_image, args.pull_secret.as_deref());
    let sender = Exec(cluster.pods());
    let mut interruption = Interruption::new()?;
    let made = Made::default();
    let served = tokio::select! {
        served = serve(cluster, &found, &settings, &sender, &made) => served,
        () = interruption.comes() => Err(Error::Said("interrupted: nothing is served".into())),
    };
    if let Err(error) = served {
        discard(cluster, &made).await;
        return Err(error);
    }
    keep(cluster, &found.name()).await.map_err(of("keep"))?;
    error::tell(&format!(
        "until it is deleted: kubectl delete deployment,service,persistentvolumeclaim {} --namespace {}",
        found.name(),
        cluster.namespace
    ));
    say(out, &packages::url(&found.name(), &cluster.namespace))?;
    Ok(Exit::Fine)
}

async fn keep(cluster: &Cluster, name: &str) -> kube::Result<()> {
    let (params, kept) = (PatchParams::default(), Patch::Merge(packages::kept()));
    claims(cluster).patch(name, &params, &kept).await?;
    services(cluster).patch(name, &params, &kept).await?;
    deployments(cluster).patch(name, &params, &kept).await.map(drop)
}

/// What this call made, by name, and so what it may take away again: others may be about to use what was there.
#[derive(Default)]
pub struct Made(RefCell<Vec<String>>);

/// Serves packages, if nobody does yet; what is interrupted goes on with the next call.
pub async fn serve(
    cluster: &Cluster,
    found: &Found,
    settings: &Settings<'_>,
    sender: &impl Sender,
    made: &Made,
) -> Result<(), Error> {
    let name = found.name();
    let there = deployments(cluster).get_opt(&name).await.map_err(of("read"))?;
    if there.as_ref().is_some_and(packages::is_served) {
        error::tell(&format!("{} are served already, as {name}", found.describe()));
        return Ok(());
    }
    going(cluster, &name).await?;
    // Before anything is made in the cluster.
    let repository = found.repository(settings.createrepo)?;
    error::tell(&format!("serving {}, as {name}", found.describe()));
    let groups =
        cluster.client.list_api_groups().await.map_err(Error::api("read the API groups of the cluster"))?;
    let wanted = Wanted {
        name: &name,
        bytes: found.bytes,
        image: settings.image,
        pull_secret: settings.pull_secret,
        openshift: groups.groups.iter().any(|group| group.name == "security.openshift.io"),
    };
    if there.is_none_or(|there| there.metadata.deletion_timestamp.is_some()) {
        made.0.borrow_mut().push(name.clone());
    }
    apply(&claims(cluster), &name, MANAGER, &packages::claim(&wanted)).await.map_err(refused)?;
    apply(&services(cluster), &name, MANAGER, &packages::service(&wanted)).await.map_err(refused)?;
    apply(&deployments(cluster), &name, MANAGER, &packages::deployment(&wanted)).await.map_err(refused)?;
    send(cluster, &name, &repository, sender).await?;
    answers(cluster, &name).await
}

/// Waits until those of before that are being deleted are gone: what is applied to them goes with them.
async fn going(cluster: &Cluster, name: &str) -> Result<(), Error> {
    let until = Instant::now() + RUNS;
    loop {
        let claim = claims(cluster).get_opt(name).await.map_err(of("read"))?;
        let service = services(cluster).get_opt(name).await.map_err(of("read"))?;
        let deployment = deployments(cluster).get_opt(name).await.map_err(of("read"))?;
        let metadata =
            [claim.map(|c| c.metadata), service.map(|s| s.metadata), deployment.map(|d| d.metadata)];
        if metadata.into_iter().flatten().all(|metadata| metadata.deletion_timestamp.is_none()) {
            return Ok(());
        }
        if Instant::now() >= until {
            return Err(Error::Said(format!(
                "{name} of a run before is still being deleted after {} seconds: 'kubectl describe persistentvolumeclaim {name} --namespace {}' says what holds it",
                RUNS.as_secs(),
                cluster.namespace
            )));
        }
        tokio::time::sleep(AGAIN).await;
    }
}

/// Gives what is served to a run. The run goes on if that fails, so it's only said.
pub async fn give(cluster: &Cluster, names: &[String], run: &CoprTestRun) {
    for name in names {
        let manager = format!("{MANAGER}-{}", run.metadata.name.as_deref().unwrap_or_default());
        let [(_, claim), (_, service), (_, deployment)] = packages::owned(name, run);
        let given = async {
            if packages::stays(&deployments(cluster).get(name).await?) {
                return Ok(());
            }
            apply(&claims(cluster), name, &manager, &claim).await?;
            apply(&services(cluster), name, &manager, &service).await?;
            apply(&deployments(cluster), name, &manager, &deployment).await
        };
        if let Err(error) = given.await {
            error::tell(&format!(
                "{name} won't go with the run ({}); delete it later: kubectl delete deployment,service,persistentvolumeclaim {name} --namespace {}",
                Error::api("give it to the run")(error).text(),
                cluster.namespace
            ));
        }
    }
}

/// Deletes what was made and no run has been given.
pub async fn discard(cluster: &Cluster, made: &Made) {
    for name in &made.0.take() {
        let gone = async {
            match deployments(cluster).get_opt(name).await? {
                Some(there) if there.metadata.owner_references.is_some() || packages::stays(&there) => {
                    return Ok(());
                }
                _ => {}
            }
            delete(&deployments(cluster), name).await?;
            delete(&services(cluster), name).await?;
            delete(&claims(cluster), name).await
        };
        if let Err(error) = gone.await {
            error::tell(&format!(
                "{name} is left ({}); later: kubectl delete deployment,service,persistentvolumeclaim {name} --namespace {}",
                Error::api("delete it")(error).text(),
                cluster.namespace
            ));
        }
    }
}

/// That all of it is there, for another run that is to read it.
pub async fn check(cluster: &Cluster, names: &[String]) -> Result<(), Error> {
    for name in names {
        if deployments(cluster).get_opt(name).await.map_err(of("read"))?.is_none() {
            return Err(Error::Said(format!(
                "the packages of {name} went with the last run that had them: give them again, with 'kubectl copr run --packages DIR'"
            )));
        }
    }
    Ok(())
}

/// As soon as there is a pod that takes it.
async fn send(
    cluster: &Cluster,
    name: &str,
    repository: &Repository,
    sender: &impl Sender,
) -> Result<(), Error> {
    let mut tries = 0;
    loop {
        let pod = running(cluster, name).await?;
        let error = match sender.send(&pod, repository).await {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        tries += 1;
        if tries >= TRIES || !matches!(error, SendError::Failed(_)) {
            return Err(Error::Said(format!("the packages can't be sent into the pod {pod}: {error}")));
        }
        tokio::time::sleep(AGAIN).await;
    }
}

/// The pod, when it runs.
async fn running(cluster: &Cluster, name: &str) -> Result<String, Error> {
    let until = Instant::now() + RUNS;
    let mut since = Instant::now();
    loop {
        let params = ListParams::default().labels(&packages::selector(name));
        let pods = cluster.pods().list(&params).await.map_err(of("list the pods of"))?.items;
        if let Some(pod) = packages::receiver(&pods) {
            return Ok(pod.metadata.name.clone().unwrap_or_default());
        }
        let deployment = deployments(cluster).get(name).await.map_err(of("read"))?;
        let claim = claims(cluster).get(name).await.map_err(of("read"))?;
        let found = packages::obstacle(&deployment, &claim, &pods);
        if found.is_none() {
            since = Instant::now();
        }
        let is_over = Instant::now() >= until;
        match found {
            Some(obstacle) if is_over || (!obstacle.may_take_long && since.elapsed() >= PATIENCE) => {
                return Err(Error::Said(format!(
                    "the packages can't be served as {name}: {}",
                    obstacle.said
                )));
            }
            None if is_over => {
                return Err(Error::Said(format!(
                    "the packages can't be served as {name}: its pod doesn't run after {} seconds; 'kubectl describe pods --selector {} --namespace {}' says more",
                    RUNS.as_secs(),
                    packages::selector(name),
                    cluster.namespace
                )));
            }
            _ => tokio::time::sleep(AGAIN).await,
        }
    }
}

async fn answers(cluster: &Cluster, name: &str) -> Result<(), Error> {
    let until = Instant::now() + ANSWERS;
    while Instant::now() < until {
        if packages::is_served(&deployments(cluster).get(name).await.map_err(of("read"))?) {
            return Ok(());
        }
        tokio::time::sleep(AGAIN).await;
    }
    Err(Error::Said(format!(
        "{name} has the packages and doesn't answer: 'kubectl logs deployment/{name} --namespace {}' says why",
        cluster.namespace
    )))
}

fn claims(cluster: &Cluster) -> Api<PersistentVolumeClaim> {
    Api::namespaced(cluster.client.clone(), &cluster.namespace)
}

fn services(cluster: &Cluster) -> Api<Service> {
    Api::namespaced(cluster.client.clone(), &cluster.namespace)
}

fn deployments(cluster: &Cluster) -> Api<Deployment> {
    Api::namespaced(cluster.client.clone(), &cluster.namespace)
}

async fn apply<K>(api: &Api<K>, name: &str, manager: &str, object: &Value) -> kube::Result<()>
where
    K: Clone + DeserializeOwned + std::fmt::Debug,
{
    api.patch(name, &PatchParams::apply(manager).force(), &Patch::Apply(object)).await.map(drop)
}

async fn delete<K>(api: &Api<K>, name: &str) -> kube::Result<()>
where
    K: Clone + DeserializeOwned + std::fmt::Debug,
{
    match api.delete(name, &DeleteParams::background()).await {
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        deleted => deleted.map(drop),
    }
}

fn of(doing: &str) -> impl FnOnce(kube::Error) -> Error {
    Error::api(format!("{doing} what serves the packages"))
}

fn refused(source: kube::Error) -> Error {
    let hint = match &source {
        kube::Error::Api(status) => packages::refusal_hint(&status.message),
        _ => None,
    };
    let error = of("make")(source);
    match hint {
        Some(hint) => Error::Said(format!("{}; {hint}", error.text())),
        None => error,
    }
}

#[cfg(test)]
mod tests;
