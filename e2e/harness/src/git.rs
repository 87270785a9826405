//! A git repository that a pod serves.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context as _, Result};
use k8s_openapi::api::core::v1::{ConfigMap, Pod, Service};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::{Context, fixtures};

const START: Duration = Duration::from_secs(120);

/// Makes a repository of the files, on the branch main, and serves it. Keys of a ConfigMap can't be any path, so these are numbers, and
/// `paths` says whose.
const SERVE: &str = r#"
set -e
mkdir -p /tmp/git/tests
cd /tmp/git/tests
number=0
while IFS= read -r path; do
	mkdir -p "$(dirname "$path")"
	cp "/files/$number" "$path"
	number=$((number + 1))
done </files/paths
git init --quiet --initial-branch main
git add .
git -c user.name=e2e -c user.email=e2e@localhost commit --quiet --message tests
exec git daemon --reuseaddr --export-all --base-path=/tmp/git
"#;

/// Serves files, given by their paths in the repository, from a pod of that name; returns the URL.
pub async fn serve(ctx: &Context, pod: &str, files: &[(String, &str)]) -> Result<String> {
    let numbered = files.iter().enumerate().map(|(number, (_, text))| (number.to_string(), *text));
    let paths: String = files.iter().map(|(path, _)| format!("{path}\n")).collect();
    let data: BTreeMap<_, _> = numbered.chain([("paths".to_owned(), paths.as_str())]).collect();
    ctx.create(&of_kind::<ConfigMap>(json!({"metadata": {"name": pod}, "data": data}))?).await?;
    let service =
        json!({"metadata": {"name": pod}, "spec": {"selector": {"app": pod}, "ports": [{"port": 9418}]}});
    ctx.create(&of_kind::<Service>(service)?).await?;
    let images = fixtures::images();
    let server = json!({
        "metadata": {"name": pod, "labels": {"app": pod}},
        "spec": {
            "containers": [{
                "name": "git",
                "image": format!("{}/copr-sanity-upstream:{}", images.registry.unwrap_or_default(), images.tag),
                "command": ["bash", "-c", SERVE],
                "volumeMounts": [{"name": "files", "mountPath": "/files"}],
                "readinessProbe": {"tcpSocket": {"port": 9418}},
            }],
            "volumes": [{"name": "files", "configMap": {"name": pod}}],
        },
    });
    ctx.create(&of_kind::<Pod>(server)?).await?;
    ctx.until::<Pod>(pod, "ready", START, fixtures::pod_ready).await?;
    Ok(format!("git://{pod}.{}.svc/tests", ctx.namespace))
}

fn of_kind<K: DeserializeOwned>(object: Value) -> Result<K> {
    serde_json::from_value(object).context("not an object of its kind")
}
