//! Tables of what the API server admits and refuses. Objects are applied as a dry run, so that nothing comes of them.

use anyhow::{Result, ensure};
use kube::{
    Api, Resource,
    api::{ApiResource, DynamicObject, Patch, PatchParams},
};
use serde_json::Value;

use crate::Context;

/// What is changed in a valid object: where, and to what.
pub type Change = (&'static str, Value);

/// As `kubectl apply --server-side` does.
pub async fn apply<K>(ctx: &Context, object: &Value, dry_run: bool) -> kube::Result<DynamicObject>
where
    K: Resource<DynamicType = ()>,
{
    let resource = ApiResource::erase::<K>(&());
    let api: Api<DynamicObject> = Api::namespaced_with(ctx.client.clone(), &ctx.namespace, &resource);
    let params = PatchParams { dry_run, ..PatchParams::apply("copr-e2e").force().validation_strict() };
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    api.patch(name, &params, &Patch::Apply(object)).await
}

/// Sets `at`, such as `spec.builders.max`, making what is above it; null removes it.
pub fn changed(mut object: Value, (at, to): Change) -> Value {
    let mut place = &mut object;
    let mut keys = at.split('.').peekable();
    while let Some(key) = keys.next() {
        if keys.peek().is_none() && to.is_null() {
            if let Some(map) = place.as_object_mut() {
                map.remove(key);
            }
            return object;
        }
        place = &mut place[key];
    }
    *place = to;
    object
}

/// Each change of a valid object leaves it valid.
pub async fn all_admitted<K>(ctx: &Context, base: &Value, changes: Vec<Change>) -> Result<()>
where
    K: Resource<DynamicType = ()>,
{
    let mut wrong = Vec::new();
    for change in changes {
        let told = format!("{} = {}", change.0, change.1);
        if let Err(error) = apply::<K>(ctx, &changed(base.clone(), change), true).await {
            wrong.push(format!("{told}: refused: {error}"));
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

/// No change of a valid object is admitted. The third of each: what the message must say, so that a user finds the place.
pub async fn all_refused<K>(
    ctx: &Context,
    base: &Value,
    changes: Vec<(&'static str, Value, &'static str)>,
) -> Result<()>
where
    K: Resource<DynamicType = ()>,
{
    let mut wrong = Vec::new();
    for (at, to, named) in changes {
        let told = format!("{at} = {to}");
        match apply::<K>(ctx, &changed(base.clone(), (at, to)), true).await {
            Ok(_) => wrong.push(format!("{told}: admitted")),
            Err(kube::Error::Api(status)) if status.message.contains(named) => {}
            Err(error) => wrong.push(format!("{told}: the refusal doesn't say '{named}': {error}")),
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}
