//! A command against an API server that follows a script.

use std::{
    io::Write,
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use copr_operator_kernel::testing::{ApiServer, Exchange};

use serde_json::{Value, json};

use crate::cluster::Cluster;

/// A list that can be watched from then on.
pub fn list(items: &[Value]) -> Value {
    json!({"kind": "List", "apiVersion": "v1", "metadata": {"resourceVersion": "7"}, "items": items})
}

/// What a command made of it, and what it wrote.
pub async fn run<T>(
    script: impl IntoIterator<Item = Exchange>,
    command: impl AsyncFnOnce(&Cluster, &mut dyn Write) -> T,
) -> (T, String) {
    Box::pin(run_for(Duration::from_secs(60), script, command)).await
}

/// The same of one that may take longer, where time is paused.
pub async fn run_for<T>(
    limit: Duration,
    script: impl IntoIterator<Item = Exchange>,
    command: impl AsyncFnOnce(&Cluster, &mut dyn Write) -> T,
) -> (T, String) {
    let server = ApiServer::expects(script);
    let cluster = Cluster { client: server.client(), namespace: "team".into() };
    let mut out = Vec::new();
    let result = tokio::time::timeout(limit, command(&cluster, &mut out)).await.expect("it goes on and on");
    (result, String::from_utf8(out).unwrap())
}

/// A folder of a test's own.
pub struct Folder(PathBuf);

static FOLDERS: AtomicUsize = AtomicUsize::new(0);

impl Folder {
    pub fn new() -> Self {
        let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("kubectl-copr-{}-{number}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}
