//! Namespaces whose pods run as a uid that no image knows, in group 0, as under OpenShift's restricted-v2.

use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use copr_operator_api::labels;
use k8s_openapi::api::{
    admissionregistration::v1beta1::{MutatingAdmissionPolicy, MutatingAdmissionPolicyBinding},
    core::v1::{Namespace, Pod},
};
use kube::{
    Api, Resource,
    api::{ListParams, Patch, PatchParams, PostParams},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::Context;

/// What the pods run as.
pub const UID: i64 = 1_000_100_000;

const NAME: &str = "copr-e2e-uid";
const LABEL: &str = "copr-e2e/uid";
const SOON: Duration = Duration::from_secs(30);

/// Pods that are created in the namespace of the test from now on run as [`UID`]. Builders stay root of their own user
/// namespace: on OpenShift another SCC holds for them.
pub async fn assign(ctx: &Context) -> Result<()> {
    let builder = format!("object.metadata.?labels[?'{}'].orValue('') != 'builder'", labels::COMPONENT);
    let mutation = format!(
        "Object{{spec: Object.spec{{securityContext: Object.spec.securityContext{{\
         runAsUser: {UID}, runAsGroup: 0, fsGroup: {UID}}}}}}}"
    );
    let policy = json!({
        "apiVersion": "admissionregistration.k8s.io/v1beta1",
        "kind": "MutatingAdmissionPolicy",
        "metadata": {"name": NAME},
        "spec": {
            "failurePolicy": "Fail",
            "reinvocationPolicy": "Never",
            "matchConstraints": {"resourceRules": [
                {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]},
            ]},
            "matchConditions": [{"name": "no-builder", "expression": builder}],
            "mutations": [
                {"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": mutation}},
            ],
        },
    });
    let binding = json!({
        "apiVersion": "admissionregistration.k8s.io/v1beta1",
        "kind": "MutatingAdmissionPolicyBinding",
        "metadata": {"name": NAME},
        "spec": {
            "policyName": NAME,
            "matchResources": {"namespaceSelector": {"matchLabels": {LABEL: "assigned"}}},
        },
    });
    apply(&Api::<MutatingAdmissionPolicy>::all(ctx.client.clone()), &policy).await?;
    apply(&Api::<MutatingAdmissionPolicyBinding>::all(ctx.client.clone()), &binding).await?;
    let label = Patch::Merge(json!({"metadata": {"labels": {LABEL: "assigned"}}}));
    let namespaces = Api::<Namespace>::all(ctx.client.clone());
    namespaces
        .patch(&ctx.namespace, &PatchParams::default(), &label)
        .await
        .context("failed to label the namespace")?;
    tokio::time::timeout(SOON, until_it_holds(ctx)).await.context("the policy has no effect")?
}

/// The API server takes a moment to read its own policies.
async fn until_it_holds(ctx: &Context) -> Result<()> {
    let pod = serde_json::from_value(json!({
        "metadata": {"name": "probe"},
        "spec": {"containers": [{"name": "probe", "image": "probe"}]},
    }));
    let pod: Pod = pod.context("not a pod")?;
    let dry_run = PostParams { dry_run: true, ..PostParams::default() };
    loop {
        let created = ctx.api::<Pod>().create(&dry_run, &pod).await.context("failed to try the policy")?;
        if uid(&created) == Some(UID) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Every pod of the namespace but builders runs as [`UID`]. Returns how many those are.
pub async fn everywhere(ctx: &Context) -> Result<usize> {
    let pods = ctx.api::<Pod>().list(&ListParams::default()).await.context("failed to list pods")?;
    let mut found = 0_usize;
    for pod in pods {
        let name = pod.metadata.name.clone().unwrap_or_default();
        let marks = pod.metadata.labels.clone().unwrap_or_default();
        if marks.get(labels::COMPONENT).is_some_and(|component| component == "builder") {
            continue;
        }
        ensure!(uid(&pod) == Some(UID), "{name} runs as {:?}", uid(&pod));
        found += 1;
    }
    if found == 0 {
        bail!("there is no pod");
    }
    Ok(found)
}

fn uid(pod: &Pod) -> Option<i64> {
    pod.spec.as_ref()?.security_context.as_ref()?.run_as_user
}

async fn apply<K>(api: &Api<K>, object: &Value) -> Result<()>
where
    K: Resource + Clone + DeserializeOwned + std::fmt::Debug,
{
    let params = PatchParams::apply("copr-e2e").force();
    let what = || format!("failed to apply {}: does the cluster serve it?", object["kind"]);
    api.patch(NAME, &params, &Patch::Apply(object)).await.with_context(what)?;
    Ok(())
}
