//! dnf repositories of one test, over HTTP, where pods reach them. What is served may change while the test runs; the
//! URLs don't.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context as _, Result};
use copr_operator::api::v1alpha1::Repository;
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

type Folders = Arc<Mutex<BTreeMap<String, PathBuf>>>;

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
        self.folders.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), folder.into());
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
        }
    }
}

impl Drop for Repositories {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn node_address(ctx: &Context) -> Result<String> {
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
    let found = content(path, folders);
    let status = if found.is_some() { StatusCode::OK } else { StatusCode::NOT_FOUND };
    let mut response = Response::new(Full::from(found.unwrap_or_default()));
    *response.status_mut() = status;
    response
}

fn content(path: &str, folders: &Folders) -> Option<Vec<u8>> {
    let (name, file) = path.trim_start_matches('/').split_once('/')?;
    let file = Path::new(file);
    let below = file.components().all(|part| matches!(part, std::path::Component::Normal(_)));
    let folders = folders.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = folders.get(name).filter(|_| below)?;
    std::fs::read(folder.join(file)).ok()
}
