//! Scripts of the suite `upstream`, in a git repository that a pod serves.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context as _, Result};
use copr_operator_api::v1alpha1::{CoprTestRun, SuiteGit, SuiteName};
use k8s_openapi::api::core::v1::{ConfigMap, Pod, Service};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::{Context, fixtures};

const START: Duration = Duration::from_secs(120);

/// Makes a repository of the scripts, in the folder where Copr's has them, and serves it. Keys of a ConfigMap can't be any name, so
/// these are numbers, and `names` says whose.
const SERVE: &str = r#"
set -e
folder=/tmp/git/copr/beaker-tests/Sanity/copr-cli-basic-operations
mkdir -p "$folder"
number=0
while IFS= read -r name; do
	cp "/scripts/$number" "$folder/$name.sh"
	number=$((number + 1))
done </scripts/names
cd /tmp/git/copr
git init --quiet --initial-branch main
git add .
git -c user.name=e2e -c user.email=e2e@localhost commit --quiet --message scripts
exec git daemon --reuseaddr --export-all --base-path=/tmp/git
"#;

/// Serves scripts, given by the names of their tests, from a pod of that name.
pub async fn serve(ctx: &Context, pod: &str, scripts: &[(&str, &str)]) -> Result<()> {
    let numbered = scripts.iter().enumerate().map(|(number, (_, text))| (number.to_string(), *text));
    let names: String = scripts.iter().map(|(name, _)| format!("{name}\n")).collect();
    let data: BTreeMap<_, _> = numbered.chain([("names".to_owned(), names.as_str())]).collect();
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
                "volumeMounts": [{"name": "scripts", "mountPath": "/scripts"}],
                "readinessProbe": {"tcpSocket": {"port": 9418}},
            }],
            "volumes": [{"name": "scripts", "configMap": {"name": pod}}],
        },
    });
    ctx.create(&of_kind::<Pod>(server)?).await?;
    let is_ready = |pod: &Pod| {
        let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_ref());
        conditions.is_some_and(|all| all.iter().any(|c| c.type_ == "Ready" && c.status == "True"))
    };
    ctx.until::<Pod>(pod, "ready", START, is_ready).await?;
    Ok(())
}

/// A run of what that pod serves, against the instance `copr`.
pub fn run(ctx: &Context, name: &str, pod: &str) -> CoprTestRun {
    let mut run = fixtures::run_against(name, "copr", &[]);
    run.spec.suite.name = SuiteName::Upstream;
    let url = format!("git://{pod}.{}.svc/copr", ctx.namespace);
    run.spec.suite.git = Some(SuiteGit { url, reference: Some("main".into()) });
    run.spec.suite.retries = 0;
    run
}

fn of_kind<K: DeserializeOwned>(object: Value) -> Result<K> {
    serde_json::from_value(object).context("not an object of its kind")
}
