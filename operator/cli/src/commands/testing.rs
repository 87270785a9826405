//! A command against an API server that follows a script.

use std::{io::Write, time::Duration};

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
    let server = ApiServer::expects(script);
    let cluster = Cluster { client: server.client(), namespace: "team".into() };
    let mut out = Vec::new();
    let limit = Duration::from_secs(60);
    let result = tokio::time::timeout(limit, command(&cluster, &mut out)).await.expect("it goes on and on");
    (result, String::from_utf8(out).unwrap())
}
