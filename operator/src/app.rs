//! Wires the controllers to the process: client, events, probes, signals.

use std::sync::Arc;

use futures::FutureExt as _;
use kube::{
    Api, Client, CustomResourceExt as _,
    api::ListParams,
    runtime::events::{Recorder, Reporter},
};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};

use crate::{
    api::v1alpha1::{CoprInstance, CoprTestRun},
    args::Args,
    images::{Provider, sweep},
    instance,
    labels::FIELD_MANAGER,
    probes, test_run,
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
    /// The HTTP client for repositories and registries can't be made.
    #[error("failed to prepare for repositories and registries")]
    Http(#[source] crate::images::http::Error),
    /// Signals can't be caught.
    #[error("failed to install a signal handler")]
    Signal(#[source] std::io::Error),
}

/// Runs until SIGTERM or SIGINT.
pub async fn run(args: &Args) -> Result<(), Error> {
    let address = args.health_address;
    let listener = TcpListener::bind(address).await.map_err(|source| Error::Listen { address, source })?;
    let readiness = probes::Readiness::default();
    tokio::spawn(probes::serve(listener, readiness.clone()));

    // One implementation of TLS for everything; a second start in one process (a test) finds it there.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let images = Arc::new(Provider::new(args.image_builder.clone()).map_err(Error::Http)?);
    let registries = images.registries();
    let client = Client::try_default().await.map_err(Error::Client)?;
    check_crds(&client).await?;
    let reporter = Reporter { controller: FIELD_MANAGER.into(), instance: std::env::var("HOSTNAME").ok() };
    let recorder = Recorder::new(client.clone(), reporter);
    let shutdown = shutdown()?.shared();
    readiness.set();
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "Started");

    futures::join!(
        instance::run(
            instance::Context {
                client: client.clone(),
                recorder: recorder.clone(),
                backoff: Arc::default(),
                images,
            },
            shutdown.clone()
        ),
        test_run::run(client.clone(), recorder, shutdown.clone()),
        sweep::run(client, args.namespace.clone(), registries, shutdown),
    );
    tracing::info!("Stopped");
    Ok(())
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
