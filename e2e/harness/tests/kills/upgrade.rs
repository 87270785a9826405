//! Instances that an earlier version of the operator made: they are taken over as they are.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context as _, Result, ensure};
use copr_e2e::{Context, fixtures, kstatus, with_namespace};
use copr_operator_api::{labels, v1alpha1::CoprInstance};
use k8s_openapi::{
    ByteString,
    api::{
        apps::v1::StatefulSet,
        core::v1::{PersistentVolumeClaim, Pod, Secret},
    },
};
use kube::{
    Api, Resource, ResourceExt,
    api::{ApiResource, DynamicObject, ListParams, Patch, PatchParams},
};
use serde::Deserialize as _;
use serde_json::{Value, json};

/// What version 0.1 made of an instance with prebuilt images: its own part of each object, and the status. The instance's spec is the
/// same in the shape of this version, as its user has to write it.
const OBJECTS: &str = include_str!("../../../upgrade/objects-0.1.yaml");
/// The namespace that they were recorded in.
const RECORDED: &str = "recorded";
const INSTANCE: &str = "old";
/// Who applied them.
const MANAGER: &str = "copr-operator";

const SOON: Duration = Duration::from_secs(60);
const START: Duration = Duration::from_secs(5 * 60);

/// The recorded objects, with the namespace and the images of this test.
fn recorded(namespace: &str) -> Result<Vec<Value>> {
    let text = OBJECTS.replace(&format!(".{RECORDED}.svc"), &format!(".{namespace}.svc"));
    let mut documents = Vec::new();
    for document in
        serde_saphyr::from_multiple::<Value>(&text).context("failed to read the recorded objects")?
    {
        let mut object = with_images(Value::deserialize(document)?);
        if object["kind"] == "Secret" {
            relocate(&mut object["data"], namespace)?;
        }
        documents.push(object);
    }
    Ok(documents)
}

/// Secrets name hosts of the namespace, too, and their values are encoded.
fn relocate(data: &mut Value, namespace: &str) -> Result<()> {
    for value in data.as_object_mut().into_iter().flat_map(|map| map.values_mut()) {
        let ByteString(bytes) = serde_json::from_value(value.clone())?;
        let text = String::from_utf8(bytes)?;
        let moved = text.replace(&format!(".{RECORDED}.svc"), &format!(".{namespace}.svc"));
        *value = serde_json::to_value(ByteString(moved.into_bytes()))?;
    }
    Ok(())
}

/// Images are called `…/copr-NAME:TAG`; those of this test have other registries and tags.
fn with_images(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(image(&text).unwrap_or(text)),
        Value::Array(items) => items.into_iter().map(with_images).collect(),
        Value::Object(map) => map.into_iter().map(|(key, value)| (key, with_images(value))).collect(),
        other => other,
    }
}

fn image(text: &str) -> Option<String> {
    let (_, name) = text.rsplit_once("/copr-").filter(|(host, _)| host.contains(":5000"))?;
    let (name, _) = name.split_once(':')?;
    let images = fixtures::images();
    Some(format!("{}/copr-{name}:{}", images.registry?, images.tag))
}

async fn pods(ctx: &Context) -> Result<BTreeMap<String, String>> {
    let query = ListParams::default().labels(&labels::instance_query(INSTANCE));
    let pods = ctx.api::<Pod>().list(&query).await?;
    // Of the components: what looks into the builder image comes with this version.
    let of_components = pods.into_iter().filter(|pod| pod.name_any().ends_with("-0"));
    Ok(of_components.map(|pod| (pod.name_any(), pod.uid().unwrap_or_default())).collect())
}

/// What must be the same afterwards: which volume each claim has, and what the credentials are.
async fn kept(ctx: &Context) -> Result<(Vec<String>, Option<Value>)> {
    let claims = ctx.api::<PersistentVolumeClaim>().list(&ListParams::default()).await?;
    let credentials = ctx.api::<Secret>().get("old-credentials").await?;
    Ok((claims.iter().filter_map(ResourceExt::uid).collect(), Some(serde_json::to_value(credentials.data)?)))
}

/// Creates what the earlier version made, in its order, as it did. No operator runs.
async fn make(ctx: &Context) -> Result<()> {
    let mut owner = None;
    for mut object in recorded(&ctx.namespace)? {
        let kind = object["kind"].as_str().unwrap_or_default().to_owned();
        let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        if kind == "CoprInstance" {
            let made: CoprInstance =
                serde_json::from_value(object.clone()).context("the recorded instance")?;
            let mut bare = made.clone();
            bare.status = None;
            let created = ctx.create(&bare).await?;
            owner = created.controller_owner_ref(&());
            let status = json!({"apiVersion": object["apiVersion"], "kind": kind, "status": made.status});
            let params = PatchParams::apply(MANAGER).force();
            ctx.api::<CoprInstance>().patch_status(&name, &params, &Patch::Apply(status)).await?;
            continue;
        }
        object["metadata"]["ownerReferences"] = json!([owner]);
        let version = object["apiVersion"].as_str().unwrap_or_default();
        let (group, version) = version.split_once('/').unwrap_or(("", version));
        let kind = kube::core::GroupVersionKind::gvk(group, version, &kind);
        let resource = ApiResource::from_gvk(&kind);
        let api: Api<DynamicObject> = Api::namespaced_with(ctx.client.clone(), &ctx.namespace, &resource);
        let applied = api.patch(&name, &PatchParams::apply(MANAGER).force(), &Patch::Apply(&object)).await;
        applied.with_context(|| format!("failed to make {} {name}", resource.kind))?;
    }
    Ok(())
}

#[tokio::test]
#[ignore = "needs a cluster with the operator: ./check e2e"]
async fn an_instance_of_version_0_1_is_taken_over_without_a_restart() -> Result<()> {
    with_namespace("upgrade", |ctx| async move {
        let operator = ctx.operator();
        operator.scale(0).await?;
        let made = make(&ctx).await;
        let before = match made {
            Ok(()) => {
                for name in ["database", "frontend", "backend", "dist-git", "keygen", "resalloc", "redis"] {
                    let ready = |set: &StatefulSet| {
                        set.status.as_ref().is_some_and(|status| status.ready_replicas == Some(1))
                    };
                    ctx.until::<StatefulSet>(&format!("old-{name}"), "ready", START, ready).await?;
                }
                Ok((pods(&ctx).await?, kept(&ctx).await?))
            }
            Err(error) => Err(error),
        };
        operator.scale(1).await?;
        let (pods_before, kept_before) = before?;

        // Version 0.1 said Ready, too, and knew no Available.
        let by_this_one = |instance: &CoprInstance| {
            let conditions = instance.status.iter().flat_map(|status| &status.conditions);
            fixtures::ready(instance) && conditions.into_iter().any(|c| c.type_ == "Available")
        };
        let taken = ctx.until::<CoprInstance>(INSTANCE, "taken over", START, by_this_one).await?;
        let types = taken.status.iter().flat_map(|status| &status.conditions).map(|c| c.type_.as_str());
        let types: Vec<_> = types.filter(|type_| type_.starts_with("Frontend")).collect();
        ensure!(types.is_empty(), "conditions of version 0.1 are still there: {types:?}");
        ensure!(kstatus(&taken)? == "Current", "{:?}", taken.status);
        ensure!(pods(&ctx).await? == pods_before, "pods were replaced");
        ensure!(kept(&ctx).await? == kept_before, "volumes or credentials were made anew");

        // What its user changes afterwards concerns what it concerns, and nothing else.
        let edit = json!({"keygen": {"resources": {"requests": {"memory": "70Mi"}}}, "builders": {"max": 5}});
        ctx.change::<CoprInstance>(INSTANCE, edit).await?;
        let keygen = pods_before.get("old-keygen-0").context("no pod of keygen")?.clone();
        let replaced = move |pod: &Pod| {
            pod.uid().is_some_and(|uid| uid != keygen)
                && pod.status.as_ref().is_some_and(|s| s.phase.as_deref() == Some("Running"))
        };
        ctx.until::<Pod>("old-keygen-0", "another one", SOON, replaced).await?;
        ctx.until::<CoprInstance>(INSTANCE, "ready again", SOON, fixtures::ready).await?;
        let mut after = pods(&ctx).await?;
        after.retain(|name, uid| pods_before.get(name) != Some(uid));
        ensure!(
            after.keys().collect::<Vec<_>>() == ["old-keygen-0"],
            "more was replaced than keygen: {after:?}"
        );
        ensure!(kept(&ctx).await? == kept_before, "volumes or credentials were made anew");
        Ok(())
    })
    .await
}
