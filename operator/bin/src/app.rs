//! Wires the controllers to the process: client, events, probes, signals.

use std::sync::Arc;

use copr_operator_api::{
    labels::FIELD_MANAGER,
    v1alpha1::{CoprInstance, CoprTestRun},
};
use copr_operator_evidence as evidence;
use copr_operator_feedback as feedback;
use copr_operator_images::{Provider, sweep};
use copr_operator_instance as instance;
use copr_operator_kernel::{exchange, lease, report, served};
use copr_operator_test_run as test_run;
use futures::FutureExt as _;
use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api, Client, CustomResourceExt as _,
    api::ListParams,
    runtime::events::{Recorder, Reporter},
};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::{Notify, watch},
};

use crate::{
    args::{Args, VERSION},
    probes,
};

/// Why the operator can't run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No cluster.
    #[error("failed to find a cluster to talk to")]
    Client(#[source] kube::Error),
    /// A kind isn't served.
    #[error("failed to list {crd}; are the CRDs installed? kubectl apply -k manifests/crds")]
    Crd {
        /// The CRD.
        crd: String,
        /// What kube says.
        #[source]
        source: kube::Error,
    },
    /// The health address is taken.
    #[error("failed to listen on {address}")]
    Listen {
        /// The address.
        address: std::net::SocketAddr,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// Which kinds the cluster serves couldn't be told.
    #[error(transparent)]
    Served(served::Error),
    /// The HTTP client for repositories, registries, forges and webhooks can't be made.
    #[error("failed to prepare for HTTP to repositories, registries, forges and webhooks")]
    Http(#[source] copr_operator_kernel::http::Error),
    /// Signals can't be caught.
    #[error("failed to install a signal handler")]
    Signal(#[source] std::io::Error),
    /// What a test left couldn't be reported.
    #[error("failed to report what was kept of a test's folder")]
    Keep(#[source] std::io::Error),
    /// Another operator may act now.
    #[error("the Lease is lost: another operator may have it, so this one stops")]
    LeaseLost,
}

/// Runs until SIGTERM or SIGINT.
pub async fn run(args: &Args) -> Result<(), Error> {
    let address = args.health_address;
    let listener = probes::listen(address).await.map_err(|source| Error::Listen { address, source })?;
    let readiness = probes::Readiness::default();
    tokio::spawn(probes::serve(listener, readiness.clone()));

    // One implementation of TLS for everything; a second start in one process (a test) finds it there.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let images = Arc::new(Provider::new(args.image_builder.clone()).map_err(Error::Http)?);
    let registries = images.registries();
    let forges = exchange::client().map_err(Error::Http)?;
    let client = Client::try_default().await.map_err(Error::Client)?;
    check_crds(&client).await?;
    let served = Arc::new(served::Cache::default());
    let watched = served.get(&client).await.map_err(Error::Served)?;
    let reporter = Reporter { controller: FIELD_MANAGER.into(), instance: std::env::var("HOSTNAME").ok() };
    let recorder = Recorder::new(client.clone(), reporter);
    let shutdown = shutdown()?.shared();
    tracing::info!(version = VERSION, "Started");

    let (state, mut lease) = watch::channel(lease::State::Waiting);
    let release = Arc::new(Notify::new());
    let holding = {
        let (client, namespace, release) = (client.clone(), args.namespace.clone(), Arc::clone(&release));
        tokio::spawn(async move {
            lease::hold(client, &namespace, identity(), state, release.notified()).await;
        })
    };
    // A second operator is ready to take over, and says so.
    readiness.set();
    let first = lease.clone();
    tokio::select! {
        () = until(first, lease::State::Holding) => {}
        () = shutdown.clone() => {
            release.notify_one();
            return Ok(());
        }
    }
    let operator_image = own_image(&client, &args.namespace).await;
    let controllers = async {
        futures::join!(
            instance::run(
                instance::Context {
                    client: client.clone(),
                    recorder: recorder.clone(),
                    backoff: Arc::default(),
                    images,
                    memory: Arc::default(),
                    platforms: Arc::default(),
                    served,
                    watched,
                    dry_runs: Arc::default(),
                    incidents: Arc::default(),
                    quiet: Arc::new(instance::quiet::Quiet::new(instance::dereference::now())),
                },
                shutdown.clone()
            ),
            test_run::run(
                client.clone(),
                recorder.clone(),
                forges.clone(),
                test_run::Settings { runs_at_a_time: args.runs_at_a_time.map(Into::into), operator_image },
                shutdown.clone()
            ),
            evidence::run(client.clone(), recorder.clone(), Arc::clone(&registries), shutdown.clone()),
            feedback::run(client.clone(), recorder, forges, shutdown.clone()),
            sweep::run(client.clone(), args.namespace.clone(), registries, shutdown.clone()),
        );
    };
    // Not gracefully: what is under way might be another's by now.
    tokio::select! {
        () = controllers => {}
        changed = lease.wait_for(|state| *state == lease::State::Lost) => {
            drop(changed);
            return Err(Error::LeaseLost);
        }
    }
    release.notify_one();
    let _ = holding.await;
    tracing::info!("Stopped");
    Ok(())
}

/// Keeps what the test of this pod has left.
pub async fn keep_evidence() -> Result<(), Error> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    evidence::keep::run(shutdown()?).await.map_err(Error::Keep)
}

/// The image that this operator is, as its pod names it. One that runs elsewhere has none.
async fn own_image(client: &Client, namespace: &str) -> Option<String> {
    let name = std::env::var("HOSTNAME").ok()?;
    let pods: Api<Pod> = Api::namespaced(client.clone(), namespace);
    match pods.get_opt(&name).await {
        Ok(pod) => pod?.spec?.containers.into_iter().next()?.image,
        Err(error) => {
            let error = report::chain(&error);
            tracing::warn!(
                error,
                "Nothing is kept of tests' folders: this operator doesn't find its own pod"
            );
            None
        }
    }
}

/// Waits for a state of the Lease.
async fn until(mut lease: watch::Receiver<lease::State>, wanted: lease::State) {
    if lease.wait_for(|state| *state == wanted).await.is_err() {
        // Whoever tells the state is gone, which the other branch is told.
        std::future::pending::<()>().await;
    }
}

/// Who holds the Lease: the pod, of which there is never a second one by that name.
fn identity() -> String {
    std::env::var("HOSTNAME").unwrap_or_else(|_| instance::credentials::random())
}

async fn check_crds(client: &Client) -> Result<(), Error> {
    let one = ListParams::default().limit(1);
    // Partial metadata: an object that doesn't deserialize must not keep the operator down.
    let instances = Api::<CoprInstance>::all(client.clone());
    instances
        .list_metadata(&one)
        .await
        .map_err(|source| Error::Crd { crd: CoprInstance::crd_name().into(), source })?;
    let runs = Api::<CoprTestRun>::all(client.clone());
    runs.list_metadata(&one)
        .await
        .map_err(|source| Error::Crd { crd: CoprTestRun::crd_name().into(), source })?;
    Ok(())
}

fn shutdown() -> Result<impl Future<Output = ()> + Send + 'static, Error> {
    let mut terminate = signal(SignalKind::terminate()).map_err(Error::Signal)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Error::Signal)?;
    Ok(async move {
        futures::future::select(Box::pin(terminate.recv()), Box::pin(interrupt.recv())).await;
    })
}
