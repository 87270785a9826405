//! Which pods are replaced, and when. Pure.
//!
//! | Pod | What becomes of it |
//! |---|---|
//! | is as it would be made now | stays |
//! | differs only because another version of the operator made it | stays as it is until it starts next |
//! | differs because the spec, a Secret or an image changed | is replaced at once |
//! | the same, of the backend or resalloc, while builds run | is replaced a minute after the last builder, as they would die with it |
//! | the same, when it doesn't work anyway, or its credentials are no longer accepted | is replaced at once |

use std::collections::BTreeMap;

use copr_operator_api::{
    component::{BUILDER, Component},
    labels::COMPONENT,
};
use copr_operator_kernel::pods;
use k8s_openapi::api::{apps::v1::StatefulSet, core::v1::Pod};
use kube::ResourceExt as _;

use super::{
    build::{CREDENTIALS_HASH, RENDERER, TEMPLATE_HASH},
    observe::Seen,
};

/// What becomes of a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing.
    Keep,
    /// It stays, and its annotations are updated, so that it counts as made by this version from now on.
    Adopt(BTreeMap<String, String>),
    /// It is deleted, and made anew by its StatefulSet.
    Replace,
    /// It is replaced later; why.
    Wait(String),
}

/// What a decision depends on beside the pod.
#[derive(Clone, Copy, Debug)]
pub struct Situation {
    /// Whether the present spec was applied completely before this reconcile, so that a difference isn't the spec's.
    pub spec_was_applied: bool,
    /// How many builders there are.
    pub builders: usize,
    /// Whether there has been none for a while, so that no build is between two of them, or being published.
    pub quiet: bool,
}

impl Situation {
    /// Counts the builders among the pods of the instance.
    pub fn new(spec_was_applied: bool, pods: &[Pod], quiet: bool) -> Self {
        let is_builder = |pod: &&Pod| pod.labels().get(COMPONENT).is_some_and(|c| c == BUILDER);
        let runs = |pod: &&Pod| pod.metadata.deletion_timestamp.is_none() && !pods::has_ended(pod);
        Self { spec_was_applied, builders: pods.iter().filter(is_builder).filter(runs).count(), quiet }
    }
}

/// Whether a restart waits for builders. Those that are kept ready for builds to come are given up for it, or it would wait for ever.
pub fn waits_for_builders(instance: &str, wanted: &[StatefulSet], seen: &Seen, situation: Situation) -> bool {
    [Component::Backend, Component::Resalloc].into_iter().any(|component| {
        let name = format!("{instance}-{}", component.name());
        let set = wanted.iter().find(|set| set.name_any() == name);
        set.zip(seen.pod(component.name()))
            .is_some_and(|(set, pod)| matches!(decide(component, set, pod, situation), Step::Wait(_)))
    })
}

/// Decides about the pod of a component. `wanted` is its StatefulSet as it was applied.
pub fn decide(component: Component, wanted: &StatefulSet, pod: &Pod, situation: Situation) -> Step {
    if pod.metadata.deletion_timestamp.is_some() {
        return Step::Keep;
    }
    let template = wanted.spec.as_ref().and_then(|spec| spec.template.metadata.clone()).unwrap_or_default();
    let wants = template.annotations.unwrap_or_default();
    let same = |key: &str| pod.annotations().get(key) == wants.get(key);
    if same(TEMPLATE_HASH) {
        return Step::Keep;
    }
    let same_credentials = same(CREDENTIALS_HASH) || !pod.annotations().contains_key(CREDENTIALS_HASH);
    if !same(RENDERER) && situation.spec_was_applied && same_credentials {
        return Step::Adopt(wants);
    }
    let kills_builds = matches!(component, Component::Backend | Component::Resalloc);
    let busy = situation.builders > 0 || !situation.quiet;
    if kills_builds && busy && same_credentials && pods::is_ready(pod) {
        let what = match situation.builders {
            0 => "there has been no builder for a minute".to_owned(),
            1 => "1 builder is done".to_owned(),
            number => format!("{number} builders are done"),
        };
        return Step::Wait(format!(
            "{} is restarted with the present spec when {what}; kubectl delete pod {} does it now, and ends what is \
             being built",
            component.name(),
            pod.name_any()
        ));
    }
    Step::Replace
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{build, fixtures::minimal};

    fn wanted(component: Component) -> StatefulSet {
        let sets = build::build(&minimal()).stateful_sets;
        sets.into_iter().find(|set| set.name_any() == format!("demo-{}", component.name())).unwrap()
    }

    fn annotations(component: Component) -> BTreeMap<String, String> {
        wanted(component).spec.unwrap().template.metadata.unwrap().annotations.unwrap()
    }

    /// A pod that is ready and has the annotations of the wanted one, but for these.
    fn pod(component: Component, changes: &[(&str, Option<&str>)]) -> Pod {
        let mut annotations = annotations(component);
        for (key, value) in changes {
            match value {
                Some(value) => _ = annotations.insert((*key).to_owned(), (*value).to_owned()),
                None => _ = annotations.remove(*key),
            }
        }
        serde_json::from_value(json!({
            "metadata": {"name": "demo-x-0", "annotations": annotations},
            "status": {"conditions": [{"type": "Ready", "status": "True"}]},
        }))
        .unwrap()
    }

    fn builder(state: &Value) -> Pod {
        serde_json::from_value(json!({"metadata": {"labels": {(COMPONENT): BUILDER}}, "status": state}))
            .unwrap()
    }

    fn step(component: Component, pod: &Pod, applied: bool, builders: usize) -> Step {
        let quiet = builders == 0;
        decide(component, &wanted(component), pod, Situation { spec_was_applied: applied, builders, quiet })
    }

    const CHANGED: (&str, Option<&str>) = (TEMPLATE_HASH, Some("before"));

    #[test]
    fn a_pod_as_wanted_stays_and_a_changed_spec_replaces_it() {
        let component = Component::Frontend;
        assert_eq!(step(component, &pod(component, &[]), false, 3), Step::Keep);
        assert_eq!(step(component, &pod(component, &[CHANGED]), false, 3), Step::Replace);
    }

    #[test]
    fn another_version_of_the_operator_restarts_nothing() {
        let component = Component::Database;
        // As the version before these annotations left it, and as another rendering did.
        let ancient = pod(component, &[(TEMPLATE_HASH, None), (RENDERER, None), (CREDENTIALS_HASH, None)]);
        let older = pod(component, &[CHANGED, (RENDERER, Some("other"))]);
        for pod in [ancient, older] {
            assert_eq!(step(component, &pod, true, 0), Step::Adopt(annotations(component)));
            // The spec changed meanwhile, so the difference may be the spec's.
            assert_eq!(step(component, &pod, false, 0), Step::Replace);
        }
    }

    #[test]
    fn what_would_kill_builds_waits_for_them_unless_it_does_not_work() {
        for component in [Component::Backend, Component::Resalloc] {
            let changed = pod(component, &[CHANGED]);
            assert!(
                matches!(step(component, &changed, false, 2), Step::Wait(why) if why.contains("2 builders are"))
            );
            assert_eq!(step(component, &changed, false, 0), Step::Replace);
            let mut broken = changed.clone();
            broken.status = None;
            assert_eq!(step(component, &broken, false, 2), Step::Replace);
            let rotated = pod(component, &[CHANGED, (CREDENTIALS_HASH, Some("before"))]);
            assert_eq!(step(component, &rotated, true, 2), Step::Replace);
        }
    }

    #[test]
    fn what_is_built_may_be_between_two_builders_or_being_published() {
        let changed = pod(Component::Backend, &[CHANGED]);
        let situation = Situation { spec_was_applied: false, builders: 0, quiet: false };
        let step = decide(Component::Backend, &wanted(Component::Backend), &changed, situation);
        assert!(matches!(step, Step::Wait(why) if why.contains("no builder for a minute")));
    }

    #[test]
    fn only_a_restart_that_waits_costs_warm_builders() {
        let mut idle = builder(&json!({"phase": "Running"}));
        idle.metadata.name = Some("demo-builder-1".into());
        let sets = build::build(&minimal()).stateful_sets;
        let waits = |changes: &[(Component, (&str, Option<&str>))]| {
            let of_components = changes.iter().map(|(component, change)| {
                let mut pod = pod(*component, &[*change]);
                pod.labels_mut().insert(COMPONENT.into(), component.name().into());
                pod
            });
            let pods: Vec<_> = of_components.chain([idle.clone()]).collect();
            let situation = Situation::new(false, &pods, false);
            waits_for_builders("demo", &sets, &Seen { pods, ..Seen::default() }, situation)
        };
        let same = (TEMPLATE_HASH, annotations(Component::Backend)[TEMPLATE_HASH].clone());
        let same = (same.0, Some(same.1.as_str()));
        assert!(!waits(&[(Component::Backend, same)]));
        assert!(
            !waits(&[(Component::Frontend, CHANGED), (Component::Backend, same)]),
            "no build dies with it"
        );
        assert!(waits(&[(Component::Backend, CHANGED)]));
        assert!(waits(&[(Component::Backend, same), (Component::Resalloc, CHANGED)]));
        assert!(!waits(&[(Component::Backend, (CREDENTIALS_HASH, Some("before")))]), "that waits for nobody");
    }

    #[test]
    fn only_builders_that_may_run_a_build_count() {
        let ended = builder(&json!({"phase": "Failed"}));
        let running = builder(&json!({"phase": "Running"}));
        let mut going = running.clone();
        going.metadata.deletion_timestamp = Some(k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(
            k8s_openapi::jiff::Timestamp::UNIX_EPOCH,
        ));
        assert_eq!(Situation::new(true, &[ended, running, going], true).builders, 1);
    }
}
