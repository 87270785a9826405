//! dnf repositories of one test, over HTTP, where pods reach them. What is served may change while the test runs; the
//! URLs don't.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    future::ready,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::Result;
use copr_operator_api::v1alpha1::Repository;
use hyper::{Request, StatusCode};

use crate::{Context, http::Server};

type Folders = Arc<Mutex<BTreeMap<String, Served>>>;

/// What is at a URL.
struct Served {
    folder: PathBuf,
    /// How long its packages can't be had, and since when: the first one that is asked for.
    away: Option<(Duration, Option<Instant>)>,
}

/// A web server, until it's dropped.
pub struct Repositories {
    server: Server,
    folders: Folders,
}

impl Repositories {
    /// Starts on a free port of the node, which is this machine.
    pub async fn start(ctx: &Context) -> Result<Self> {
        let folders = Folders::default();
        let served = Arc::clone(&folders);
        let answer = move |request: Request<_>| ready(content(request.uri().path(), &served));
        Ok(Self { server: Server::start(ctx, answer).await?, folders })
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
        format!("http://{}/{name}/", self.server.address)
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
