//! Whether somebody serves what `spec.expose` makes, as Ingress controllers, routers and Gateways say it. Pure.

use copr_operator_api::{
    status::exposed::{ADMITTED, CONDITION, NOT_ADMITTED, PENDING},
    v1alpha1::{CoprInstance, CoprInstanceStatus, Expose},
};
use copr_operator_kernel::{
    conditions::{self, Finding},
    event,
    report::truncate,
};
use k8s_openapi::{
    api::networking::v1::{IngressSpec, IngressStatus},
    jiff::Timestamp,
};
use kube::{ResourceExt as _, api::DynamicObject};
use serde::{Deserialize, de::DeserializeOwned};

use crate::{
    build::expose::{kind, targets},
    observe::Seen,
};

/// What is known of an object.
enum Answer {
    /// It is served: by whom, or where.
    Admitted(String),
    /// It is refused: by whom, and why.
    Refused(String),
    /// Nobody has answered yet: who should.
    Pending(String),
}

/// Writes the condition, or removes it where there is nothing to tell of.
pub fn report(instance: &CoprInstance, seen: &Seen, status: &mut CoprInstanceStatus, now: Timestamp) {
    match assess(instance, seen) {
        Some(finding) => {
            let generation = instance.metadata.generation;
            conditions::set(&mut status.conditions, CONDITION, finding, generation, now);
        }
        None => status.conditions.retain(|condition| condition.type_ != CONDITION),
    }
}

/// Whether the objects of all hosts are served: nothing where none are asked for.
fn assess(instance: &CoprInstance, seen: &Seen) -> Option<Finding> {
    let spec = &instance.spec;
    let (kind, url) = (kind(spec.expose)?.kind, spec.url.as_ref()?);
    let (mut admitted, mut refused, mut pending) = (Vec::new(), Vec::new(), Vec::new());
    for target in targets(url) {
        let name = format!("{}-{}", instance.name_any(), target.name);
        let object = seen.exposed.iter().find(|object| object.name_any() == name);
        let answer = match (object, spec.expose) {
            (None, _) => Answer::Pending("it doesn't exist yet".into()),
            (Some(object), Expose::None | Expose::Ingress) => ingress(object, seen),
            (Some(object), Expose::Route) => route(object),
            (Some(object), Expose::Gateway) => http_route(object),
        };
        let (list, said) = match answer {
            Answer::Admitted(said) => (&mut admitted, said),
            Answer::Refused(said) => (&mut refused, said),
            Answer::Pending(said) => (&mut pending, said),
        };
        list.push(format!("{kind} {name} ({}): {said}", target.host));
    }
    let message = |list: &[String]| truncate(list.join("; "), super::MESSAGE_MAX);
    Some(if !refused.is_empty() {
        Finding::no(NOT_ADMITTED, message(&refused))
    } else if !pending.is_empty() {
        Finding::unknown(PENDING, message(&pending))
    } else {
        Finding::yes(ADMITTED, message(&admitted))
    })
}

/// An Ingress has no conditions: a controller that serves it writes its own address into the status. One that doesn't may say
/// why by an event.
fn ingress(object: &DynamicObject, seen: &Seen) -> Answer {
    let IngressSpec { ingress_class_name, .. } = part(object, "spec");
    let IngressStatus { load_balancer } = part(object, "status");
    let entries = load_balancer.and_then(|served| served.ingress).unwrap_or_default();
    let addresses: Vec<_> = entries.into_iter().filter_map(|entry| entry.ip.or(entry.hostname)).collect();
    if !addresses.is_empty() {
        return Answer::Admitted(format!("at {}", addresses.join(", ")));
    }
    let class = match ingress_class_name {
        Some(class) => format!("IngressClass {class}"),
        None => "the cluster's default IngressClass".to_owned(),
    };
    let said = event::newest(&seen.warnings, object.metadata.uid.as_ref(), |_| true);
    let said = said.and_then(|event| event.message.as_ref());
    let said = said.map(|message| format!(": {message}")).unwrap_or_default();
    Answer::Pending(format!("no Ingress controller has given it an address ({class}){said}"))
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RouteStatus {
    ingress: Vec<Router>,
}

/// What a router of OpenShift says.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Router {
    #[serde(rename = "routerName")]
    name: String,
    host: String,
    conditions: Vec<Condition>,
}

/// A condition that another project's controller wrote, so any of its fields may be missing.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Condition {
    #[serde(rename = "type")]
    type_: String,
    status: String,
    reason: String,
    message: String,
    observed_generation: Option<i64>,
}

impl Condition {
    fn said(&self) -> String {
        format!("{}: {}", self.reason, self.message)
    }
}

/// Several routers may answer for a Route, and one that admits it is enough. An answer about another host is about an earlier spec.
fn route(object: &DynamicObject) -> Answer {
    let RouteStatus { ingress } = part(object, "status");
    let host = object.data.pointer("/spec/host").and_then(serde_json::Value::as_str).unwrap_or_default();
    let routers = ingress.iter().filter(|router| router.host == host);
    let said: Vec<_> = routers
        .filter_map(|router| Some((&router.name, condition(&router.conditions, "Admitted")?)))
        .collect();
    if let Some((router, _)) = said.iter().find(|(_, admitted)| admitted.status == "True") {
        return Answer::Admitted(format!("by the router {router}"));
    }
    match said.iter().find(|(_, admitted)| admitted.status == "False") {
        Some((router, refused)) => Answer::Refused(format!("router {router}: {}", refused.said())),
        None => Answer::Pending("no router has answered for it".into()),
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct HTTPRouteStatus {
    parents: Vec<Parent>,
}

/// What a controller says of an HTTPRoute at a Gateway.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Parent {
    #[serde(rename = "parentRef")]
    gateway: ParentRef,
    controller_name: String,
    conditions: Vec<Condition>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct HTTPRouteSpec {
    #[serde(rename = "parentRefs")]
    parent_refs: Vec<ParentRef>,
}

#[derive(Deserialize, Default, PartialEq, Eq)]
#[serde(default, rename_all = "camelCase")]
struct ParentRef {
    name: String,
    namespace: Option<String>,
    section_name: Option<String>,
}

impl ParentRef {
    /// The same, with the HTTPRoute's own namespace where none is given.
    fn in_namespace(mut self, namespace: Option<&String>) -> Self {
        self.namespace = self.namespace.or_else(|| namespace.cloned());
        self
    }
}

/// An HTTPRoute is served once a Gateway has accepted it and found the Services behind it. What was said of an older
/// generation doesn't count, nor what is said of Gateways that the spec doesn't name any more.
fn http_route(object: &DynamicObject) -> Answer {
    let HTTPRouteStatus { parents } = part(object, "status");
    let HTTPRouteSpec { parent_refs } = part(object, "spec");
    let namespace = object.metadata.namespace.as_ref();
    let Some(gateway) = parent_refs.into_iter().next().map(|parent| parent.in_namespace(namespace)) else {
        return Answer::Pending("it has no parentRefs".into());
    };
    let name = format!("Gateway {}/{}", gateway.namespace.as_deref().unwrap_or_default(), gateway.name);
    let mut refused = None;
    for Parent { gateway: answering, controller_name, mut conditions } in parents {
        if answering.in_namespace(namespace) != gateway {
            continue;
        }
        let is_current = |told: i64| Some(told) >= object.metadata.generation;
        conditions.retain(|condition| condition.observed_generation.is_none_or(is_current));
        let both = ["Accepted", "ResolvedRefs"].map(|type_| condition(&conditions, type_));
        let false_one = both.iter().flatten().find(|condition| condition.status == "False");
        refused = refused.or_else(|| false_one.map(|condition| format!("{name}: {}", condition.said())));
        if both.iter().all(|condition| condition.is_some_and(|condition| condition.status == "True")) {
            return Answer::Admitted(format!("by the {name} ({controller_name})"));
        }
    }
    match refused {
        Some(said) => Answer::Refused(said),
        None => Answer::Pending(format!("the {name} hasn't answered for it")),
    }
}

fn condition<'a>(conditions: &'a [Condition], type_: &str) -> Option<&'a Condition> {
    conditions.iter().find(|condition| condition.type_ == type_)
}

/// A field of an object. Others write it: if it isn't as its kind says, it counts as absent, so that it can't hold up a reconcile.
fn part<T: DeserializeOwned + Default>(object: &DynamicObject, field: &str) -> T {
    object.data.get(field).and_then(|value| T::deserialize(value).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
