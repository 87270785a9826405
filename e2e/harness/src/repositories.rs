//! dnf repositories of one test, over HTTP, where pods reach them. What is served may change while the test runs; the
//! URLs don't.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    ffi::OsStr,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use copr_operator_api::v1alpha1::Repository;
use http_body_util::Full;
use hyper::{Request, Response, StatusCode, body::Bytes, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use k8s_openapi::api::core::v1::Node;
use kube::{Api, api::ListParams};
use tokio::{
    net::TcpListener,
    task::{AbortHandle, JoinSet},
};

use crate::Context;

type Folders = Arc<Mutex<BTreeMap<String, Served>>>;

/// What is at a URL.
struct Served {
    folder: PathBuf,
    /// How long its packages can't be had, and since when: the first one that is asked for.
    away: Option<(Duration, Option<Instant>)>,
}

/// A web server, until it's dropped.
pub struct Repositories {
    address: SocketAddr,
    folders: Folders,
    server: AbortHandle,
}

impl Repositories {
    /// Starts on a free port of the node, which is this machine.
    pub async fn start(ctx: &Context) -> Result<Self> {
        let address = node_address(ctx).await?;
        let listener = TcpListener::bind((address.as_str(), 0)).await.with_context(|| {
            format!("failed to listen on {address}: this test needs the cluster of e2e/kube")
        })?;
        let address = listener.local_addr().context("a listener without an address")?;
        let folders = Folders::default();
        let server = tokio::spawn(serve(listener, Arc::clone(&folders))).abort_handle();
        Ok(Self { address, folders, server })
    }

    /// From now on the folder is what is at the URL of that name.
    pub fn serve(&self, name: &str, folder: impl Into<PathBuf>) {
        self.insert(name, Served { folder: folder.into(), away: None });
    }

    /// The same, but from the first request for a package on the packages are answered with 504 for a while, as by a CDN in
    /// front of a slow origin.
    pub fn serve_after(&self, name: &str, folder: impl Into<PathBuf>, away: Duration) {
        self.insert(name, Served { folder: folder.into(), away: Some((away, None)) });
    }

    fn insert(&self, name: &str, served: Served) {
        self.folders.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), served);
    }

    /// Where the repository of that name is, or isn't.
    pub fn url(&self, name: &str) -> String {
        format!("http://{}/{name}/", self.address)
    }

    /// The same as a spec has it. Its name is there that of the URL.
    pub fn entry(&self, name: &str, priority: i32) -> Repository {
        Repository {
            name: name.into(),
            base_url: self.url(name),
            priority,
            gpg_key: None,
            credentials_secret: None,
            ca_config_map: None,
        }
    }
}

impl Drop for Repositories {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// The address of the node, which is this machine: where its pods reach what listens here.
pub(crate) async fn node_address(ctx: &Context) -> Result<String> {
    let nodes: Api<Node> = Api::all(ctx.client.clone());
    let nodes = nodes.list(&ListParams::default()).await.context("failed to list nodes")?;
    let statuses = nodes.items.into_iter().filter_map(|node| node.status);
    let mut addresses = statuses.flat_map(|status| status.addresses.unwrap_or_default());
    let internal = addresses.find(|address| address.type_ == "InternalIP");
    Ok(internal.context("no node has an address")?.address)
}

async fn serve(listener: TcpListener, folders: Folders) {
    // Connections end with the server.
    let mut connections = JoinSet::new();
    // A client that goes away is none of the server's business.
    while let Ok((stream, _)) = listener.accept().await {
        let folders = Arc::clone(&folders);
        let service = service_fn(move |request: Request<_>| {
            let answer = answer(request.uri().path(), &folders);
            std::future::ready(Ok::<_, Infallible>(answer))
        });
        connections.spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        while connections.try_join_next().is_some() {}
    }
}

fn answer(path: &str, folders: &Folders) -> Response<Full<Bytes>> {
    let (status, content) = content(path, folders);
    let mut response = Response::new(Full::from(content));
    *response.status_mut() = status;
    response
}

fn content(path: &str, folders: &Folders) -> (StatusCode, Vec<u8>) {
    let not_found = (StatusCode::NOT_FOUND, Vec::new());
    let Some((name, file)) = path.trim_start_matches('/').split_once('/') else { return not_found };
    let file = Path::new(file);
    let below = file.components().all(|part| matches!(part, std::path::Component::Normal(_)));
    let mut folders = folders.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(served) = folders.get_mut(name).filter(|_| below) else { return not_found };
    if let Some((away, since)) = served.away.as_mut().filter(|_| file.extension() == Some(OsStr::new("rpm")))
        && since.get_or_insert_with(Instant::now).elapsed() < *away
    {
        return (StatusCode::GATEWAY_TIMEOUT, Vec::new());
    }
    std::fs::read(served.folder.join(file)).map_or(not_found, |content| (StatusCode::OK, content))
}
