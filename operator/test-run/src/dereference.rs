//! First step: reads everything that the decision needs, the clock included. Changes nothing.

use copr_operator_api::{
    labels, names,
    v1alpha1::{CoprInstance, CoprTestRun, CoprTestRunSpec},
};
use copr_operator_kernel::platform::{self, Platform, Platforms};
use copr_operator_source::Forges;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Event, Pod, Secret};
use kube::{
    Client, ResourceExt,
    api::{Api, ListParams},
    core::DeserializeGuard,
};

mod suite;

pub use self::suite::{DOCUMENT, IMAGE, SuiteSeen, key};
use super::{
    decide::Other,
    pod,
    source::{self, Asked},
    verdict,
};

/// What couldn't be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The run itself.
    #[error("failed to read CoprTestRun {name}")]
    Run {
        /// Name of the run.
        name: String,
        /// What kube says.
        #[source]
        source: kube::Error,
    },
    /// Its instance.
    #[error("failed to read CoprInstance {name}")]
    Instance {
        /// Name of the instance.
        name: String,
        /// What kube says.
        #[source]
        source: kube::Error,
    },
    /// The Secret with the client's configuration.
    #[error("failed to look for Secret {name}")]
    ClientSecret {
        /// Name of the Secret.
        name: String,
        /// What kube says.
        #[source]
        source: kube::Error,
    },
    /// What kind of cluster it is.
    #[error("failed to tell whether the suite's tests, which run as root, need an SCC of OpenShift")]
    Platform(#[source] platform::Error),
    /// The list of the suite.
    #[error("failed to read the list of the suite")]
    Suite(#[source] kube::Error),
    /// The run to be run again.
    #[error("failed to read CoprTestRun {name}, which rerunOf names")]
    RerunOf {
        /// Name of the run.
        name: String,
        /// What kube says.
        #[source]
        source: kube::Error,
    },
    /// Events.
    #[error("failed to list the events of the run's pods")]
    Events(#[source] kube::Error),
    /// Pods.
    #[error("failed to list the pods of {of}")]
    Pods {
        /// What they belong to.
        of: String,
        /// What kube says.
        #[source]
        source: kube::Error,
    },
}

/// The cluster at one moment, as far as a run is concerned.
#[derive(Clone, Debug)]
pub struct Observed {
    /// The moment, in whole seconds as the API keeps them.
    pub now: Timestamp,
    /// The instance that the run names, or that has the name of the run.
    pub instance: Seen,
    /// Whether the Secret with the client's configuration exists.
    pub client_secret: bool,
    /// The run's own pods.
    pub pods: Vec<Pod>,
    /// The instance's pods.
    pub instance_pods: Vec<Pod>,
    /// The pods of other runs' tests on the same instance.
    pub other_pods: Vec<Pod>,
    /// Warnings about the run's own pods, while one of them doesn't start.
    pub warnings: Vec<Event>,
    /// Whether the cluster is an OpenShift, if the suite's tests run as root.
    pub on_openshift: bool,
    /// The operator's own image, if it knows it.
    pub operator_image: Option<String>,
    /// The list of the suite, or how far it is.
    pub suite: SuiteSeen,
    /// What the run to be run again left red, while that is to be known.
    pub red: Red,
    /// What the forge said of the run's packages, if it was asked now.
    pub asked: Asked,
    /// When the run was made.
    pub created: Timestamp,
    /// The other runs of the namespace that haven't ended.
    pub runs: Vec<Other>,
    /// How many runs of a namespace may go on at a time, if that is limited.
    pub runs_at_a_time: Option<usize>,
}

/// What the run that `rerunOf` names left red.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Red {
    /// There is no such run, or none is named.
    Missing,
    /// It goes on.
    Unfinished,
    /// These tests.
    Tests(Vec<String>),
}

/// What is known of other runs without asking the API server.
#[derive(Clone, Debug, Default)]
pub struct Others {
    /// Those of the namespace that haven't ended.
    pub runs: Vec<Other>,
    /// How many of a namespace may go on at a time, if that is limited.
    pub at_a_time: Option<usize>,
}

/// What is there under the name of the instance.
#[derive(Clone, Debug)]
pub enum Seen {
    /// Nothing.
    Missing,
    /// Something that isn't a CoprInstance of this version, and why.
    Unreadable(String),
    /// An instance.
    Found(Box<CoprInstance>),
}

/// The instance's name: the one given, or the run's own for a template.
pub fn instance_name(run: &str, spec: &CoprTestRunSpec) -> String {
    spec.instance.name.clone().unwrap_or_else(|| run.to_owned())
}

/// Reads the run afresh and what belongs to it; nothing if the run is gone or going.
///
/// The run given may be older than the operator's own last write of its status; a verdict that is
/// already recorded would then be judged again.
pub async fn dereference(
    client: &Client,
    run: &CoprTestRun,
    others: Others,
    operator_image: Option<&str>,
    platforms: &Platforms,
    forges: &Forges,
) -> Result<Option<(CoprTestRun, Observed)>, Error> {
    let (name, namespace) = (run.name_any(), run.namespace().unwrap_or_default());
    let runs: Api<CoprTestRun> = Api::namespaced(client.clone(), &namespace);
    let fresh = runs.get_opt(&name).await.map_err(|source| Error::Run { name: name.clone(), source })?;
    let Some(run) = fresh.filter(|fresh| fresh.metadata.deletion_timestamp.is_none()) else {
        return Ok(None);
    };
    let target = instance_name(&name, &run.spec);
    let instance = instance(client, &namespace, &target).await?;
    let secret = client_secret(&target, &instance);
    let secrets: Api<Secret> = Api::namespaced(client.clone(), &namespace);
    let client_secret = secrets
        .get_metadata_opt(&secret)
        .await
        .map_err(|source| Error::ClientSecret { name: secret, source })?
        .is_some();
    let of_run =
        pods(client, &namespace, &labels::run_query(&name), || format!("CoprTestRun {name}")).await?;
    let (lists, own): (Vec<_>, Vec<_>) = of_run.into_iter().partition(pod::is_list);
    let mut other_pods =
        pods(client, &namespace, &labels::tests_query(&target), || format!("tests of CoprInstance {target}"))
            .await?;
    other_pods.retain(|pod| pod.labels().get(labels::RUN).is_none_or(|run| *run != name));
    let warnings = warnings(client, &namespace, own.iter().chain(&lists), now()).await?;
    let suite = suite::read(client, &run, &instance, lists).await?;
    let ended = run.status.as_ref().is_some_and(|status| status.phase.is_final());
    let on_openshift = !ended
        && suite.is_root()
        && platforms.of(client, &namespace).await.map_err(Error::Platform)? != Platform::Kubernetes;
    let observed = Observed {
        warnings,
        on_openshift,
        suite,
        red: red(client, &run).await?,
        asked: ask(client, &run, &instance, forges).await,
        created: run.metadata.creation_timestamp.as_ref().map_or_else(now, |time| time.0),
        runs: others.runs,
        runs_at_a_time: others.at_a_time,
        pods: own,
        other_pods,
        instance_pods: pods(client, &namespace, &labels::instance_query(&target), || {
            format!("CoprInstance {target}")
        })
        .await?,
        instance,
        client_secret,
        operator_image: operator_image.map(str::to_owned),
        // Last, so that nothing observed is younger than the moment that it is judged by.
        now: now(),
    };
    Ok(Some((run, observed)))
}

#[expect(clippy::disallowed_methods, reason = "this is where the clock enters the reconcile of a run")]
pub fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}

/// The Secret with the client's configuration: where the instance says, else where it will be.
pub fn client_secret(target: &str, instance: &Seen) -> String {
    let told = match instance {
        Seen::Found(instance) => instance.status.as_ref().and_then(|status| status.client_secret.clone()),
        Seen::Missing | Seen::Unreadable(_) => None,
    };
    told.unwrap_or_else(|| names::client(target))
}

async fn instance(client: &Client, namespace: &str, name: &str) -> Result<Seen, Error> {
    let api: Api<DeserializeGuard<CoprInstance>> = Api::namespaced(client.clone(), namespace);
    let found =
        api.get_opt(name).await.map_err(|source| Error::Instance { name: name.to_owned(), source })?;
    Ok(match found {
        None => Seen::Missing,
        Some(DeserializeGuard(Err(invalid))) => Seen::Unreadable(invalid.error),
        Some(DeserializeGuard(Ok(instance))) => Seen::Found(Box::new(instance)),
    })
}

/// What the kubelet says of pods that it has and that don't run: volumes and sandboxes are in no status.
async fn warnings<'a>(
    client: &Client,
    namespace: &str,
    pods: impl Iterator<Item = &'a Pod> + Clone + Send,
    now: Timestamp,
) -> Result<Vec<Event>, Error> {
    let pending = |pod: &Pod| {
        let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
        let created = pod.metadata.creation_timestamp.as_ref().map_or(now, |time| time.0);
        phase == Some("Pending")
            && pod.metadata.deletion_timestamp.is_none()
            && created + verdict::TROUBLE_GRACE <= now
    };
    if !pods.clone().any(pending) {
        return Ok(Vec::new());
    }
    let api: Api<Event> = Api::namespaced(client.clone(), namespace);
    let query = ListParams::default().fields("type=Warning,involvedObject.kind=Pod");
    let uids: Vec<_> = pods.filter(|pod| pending(pod)).filter_map(ResourceExt::uid).collect();
    let mut list = api.list(&query).await.map_err(Error::Events)?.items;
    list.retain(|event| event.involved_object.uid.as_ref().is_some_and(|uid| uids.contains(uid)));
    Ok(list)
}

/// Asks the forge which packages the run needs, if that isn't known and it's time.
async fn ask(client: &Client, run: &CoprTestRun, instance: &Seen, forges: &Forges) -> Asked {
    let spec = run.spec.source.as_ref().and_then(|source| Some((source, source.packages.as_ref()?)));
    let Some((of, packages)) = spec.filter(|_| source::is_due(run, instance, now())) else {
        return Asked::Not;
    };
    let namespace = run.namespace().unwrap_or_default();
    forges.ask((client, &namespace), of, packages).await.into()
}

/// What the run that `rerunOf` names left red. Once the suite is listed, the status has it.
async fn red(client: &Client, run: &CoprTestRun) -> Result<Red, Error> {
    let listed = run.status.as_ref().is_some_and(|status| status.suite.is_some());
    let Some(name) = run.spec.rerun_of.as_ref().filter(|_| !listed) else { return Ok(Red::Missing) };
    let runs: Api<CoprTestRun> = Api::namespaced(client.clone(), &run.namespace().unwrap_or_default());
    let found = runs.get_opt(name).await.map_err(|source| Error::RerunOf { name: name.clone(), source })?;
    let Some(status) = found.map(|run| run.status.unwrap_or_default()) else { return Ok(Red::Missing) };
    if !status.phase.is_final() {
        return Ok(Red::Unfinished);
    }
    let red = status.tests.into_iter().filter(|test| test.outcome.is_red());
    Ok(Red::Tests(red.map(|test| test.name).collect()))
}

async fn pods(
    client: &Client,
    namespace: &str,
    query: &str,
    of: impl Fn() -> String,
) -> Result<Vec<Pod>, Error> {
    let api: Api<Pod> = Api::namespaced(client.clone(), namespace);
    let list = api
        .list(&ListParams::default().labels(query))
        .await
        .map_err(|source| Error::Pods { of: of(), source })?;
    Ok(list.items)
}

#[cfg(test)]
mod tests;
