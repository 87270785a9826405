//! Client required: tells of an object that isn't a CoprInstance of this version, which the API server admitted nevertheless: it is
//! older than a rule, or of a later version of the CRD.

use kube::{
    Api, ResourceExt as _,
    api::ApiResource,
    core::{DynamicObject, error_boundary::InvalidObject},
};

use super::{
    Context,
    dereference::now,
    status::{self, READY, RECONCILED},
};
use crate::{
    api::v1alpha1::{CoprInstance, CoprInstanceStatus},
    conditions::{self, Verdict},
    report::truncate,
};

/// The reason of the conditions.
pub const REASON: &str = "Malformed";

/// Writes the conditions. What the components last were stays.
pub async fn report(context: &Context, invalid: &InvalidObject) -> Result<(), status::Error> {
    let metadata = &invalid.metadata;
    let (name, namespace) =
        (metadata.name.clone().unwrap_or_default(), metadata.namespace.clone().unwrap_or_default());
    let resource = ApiResource::erase::<CoprInstance>(&());
    let api: Api<DynamicObject> = Api::namespaced_with(context.client.clone(), &namespace, &resource);
    let Some(object) = api.get_opt(&name).await.map_err(status::Error::Read)? else { return Ok(()) };
    // A status that is what can't be read is made anew.
    let old: CoprInstanceStatus = object
        .data
        .get("status")
        .and_then(|status| serde_json::from_value(status.clone()).ok())
        .unwrap_or_default();
    let mut new = old.clone();
    let (now, generation) = (now(), object.metadata.generation);
    let message = truncate(format!("the object can't be read as a CoprInstance: {}", invalid.error), 1024);
    let verdict = Verdict::no(REASON, message);
    if conditions::get(&new.conditions, READY).is_none() {
        conditions::set(&mut new.conditions, READY, verdict.clone(), generation, now);
    }
    conditions::set(&mut new.conditions, RECONCILED, verdict, generation, now);
    if new == old {
        return Ok(());
    }
    status::write_to(context, (&namespace, &name), object.uid(), &new).await
}
