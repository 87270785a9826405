//! Where pods run and what is written on them: what the spec says, put into a pod. Pure.

use std::collections::BTreeMap;

use copr_operator_api::{
    labels::{COMPONENT, INSTANCE, TESTED_INSTANCE},
    v1alpha1::PodSettings,
};
use k8s_openapi::{
    api::core::v1::{EnvVar, PodSpec},
    apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta},
};

/// What a block says, and below it what the defaults do: field by field; of maps, key by key.
pub fn resolved(defaults: &PodSettings, own: &PodSettings) -> PodSettings {
    let both = |base: &BTreeMap<String, String>, wins: &BTreeMap<String, String>| {
        base.iter().chain(wins).map(|(key, value)| (key.clone(), value.clone())).collect()
    };
    PodSettings {
        node_selector: both(&defaults.node_selector, &own.node_selector),
        tolerations: own.tolerations.clone().or_else(|| defaults.tolerations.clone()),
        affinity: own.affinity.clone().or_else(|| defaults.affinity.clone()),
        topology_spread_constraints: own
            .topology_spread_constraints
            .clone()
            .or_else(|| defaults.topology_spread_constraints.clone()),
        priority_class_name: own.priority_class_name.clone().or_else(|| defaults.priority_class_name.clone()),
        labels: both(&defaults.labels, &own.labels),
        annotations: both(&defaults.annotations, &own.annotations),
    }
}

/// Puts the settings into a pod. Labels and node selectors that the operator has set itself stay as they are: it finds its pods by
/// the labels, and the selector puts an image on nodes of its architecture.
pub fn apply(settings: &PodSettings, metadata: &mut ObjectMeta, pod: &mut PodSpec) {
    let labels = metadata.labels.get_or_insert_default();
    for (key, value) in &settings.labels {
        labels.entry(key.clone()).or_insert_with(|| value.clone());
    }
    if !settings.annotations.is_empty() {
        metadata.annotations.get_or_insert_default().extend(settings.annotations.clone());
    }
    if !settings.node_selector.is_empty() {
        let selector = pod.node_selector.get_or_insert_default();
        for (key, value) in &settings.node_selector {
            selector.entry(key.clone()).or_insert_with(|| value.clone());
        }
    }
    if let Some(tolerations) = settings.tolerations.as_ref().filter(|tolerations| !tolerations.is_empty()) {
        // Added, not replaced: the tolerations that the operator has set limit how long a pod stays on a node that is lost.
        pod.tolerations.get_or_insert_default().extend(tolerations.clone());
    }
    pod.affinity.clone_from(&settings.affinity);
    pod.priority_class_name.clone_from(&settings.priority_class_name);
    let own: BTreeMap<_, _> = metadata
        .labels
        .iter()
        .flatten()
        .filter(|(key, _)| [COMPONENT, INSTANCE, TESTED_INSTANCE].contains(&key.as_str()))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    pod.topology_spread_constraints =
        settings.topology_spread_constraints.as_ref().filter(|constraints| !constraints.is_empty()).map(
            |constraints| {
                let selected = constraints.iter().cloned().map(|mut constraint| {
                    constraint.label_selector.get_or_insert_with(|| LabelSelector {
                        match_labels: Some(own.clone()),
                        ..LabelSelector::default()
                    });
                    constraint
                });
                selected.collect()
            },
        );
}

/// Environment variables of a container.
pub fn variables(values: &[(String, String)]) -> impl Iterator<Item = EnvVar> + '_ {
    values.iter().map(|(name, value)| EnvVar {
        name: name.clone(),
        value: Some(value.clone()),
        ..EnvVar::default()
    })
}

/// What is wrong with the keys of labels, annotations and node selectors, which no rule of the API server can look at within its
/// budget.
pub fn check(settings: &PodSettings) -> Result<(), String> {
    let maps = [
        ("labels", &settings.labels),
        ("annotations", &settings.annotations),
        ("nodeSelector", &settings.node_selector),
    ];
    for (field, map) in maps {
        if let Some(key) = map.keys().find(|key| !is_qualified_name(key)) {
            return Err(format!(
                "{field}: {key:?} is no key of a label: an optional DNS name and '/', then at most 63 letters, digits, '-', \
                 '_' and '.', with a letter or a digit at both ends"
            ));
        }
    }
    Ok(())
}

fn is_qualified_name(key: &str) -> bool {
    let (prefix, name) = key.split_once('/').map_or((None, key), |(prefix, name)| (Some(prefix), name));
    let ends = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.ends_with(|c: char| c.is_ascii_alphanumeric())
    };
    let name_is = name.len() <= 63
        && ends(name)
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    let of_dns = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let prefix_is = prefix.is_none_or(|prefix| {
        prefix.len() <= 253 && prefix.split('.').all(|part| ends(part) && part.chars().all(of_dns))
    });
    name_is && prefix_is
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn settings(value: serde_json::Value) -> PodSettings {
        serde_json::from_value(value).unwrap()
    }

    fn put(value: serde_json::Value) -> (ObjectMeta, PodSpec) {
        let mut metadata = ObjectMeta {
            labels: Some(copr_operator_api::labels::component("demo", "builder")),
            ..ObjectMeta::default()
        };
        let mut pod = PodSpec {
            node_selector: Some([("kubernetes.io/arch".into(), "amd64".into())].into()),
            ..PodSpec::default()
        };
        apply(&settings(value), &mut metadata, &mut pod);
        (metadata, pod)
    }

    #[test]
    fn a_block_wins_field_by_field_and_of_maps_key_by_key() {
        let defaults = settings(json!({
            "nodeSelector": {"disk": "ssd", "zone": "a"}, "tolerations": [{"key": "ci", "operator": "Exists"}],
            "priorityClassName": "low", "labels": {"team": "copr"},
        }));
        let own =
            settings(json!({"nodeSelector": {"zone": "b"}, "tolerations": [], "annotations": {"a": "b"}}));
        let resolved = serde_json::to_value(resolved(&defaults, &own)).unwrap();
        assert_eq!(
            resolved,
            json!({
                "nodeSelector": {"disk": "ssd", "zone": "b"}, "tolerations": [], "priorityClassName": "low",
                "labels": {"team": "copr"}, "annotations": {"a": "b"},
            })
        );
    }

    #[test]
    fn neither_a_label_nor_the_architecture_of_the_operators_own_is_replaced() {
        let (metadata, pod) = put(json!({
            "labels": {"app.kubernetes.io/instance": "another", "team": "copr"},
            "nodeSelector": {"kubernetes.io/arch": "arm64", "disk": "ssd"},
        }));
        let labels = metadata.labels.unwrap();
        assert_eq!(
            (labels["app.kubernetes.io/instance"].as_str(), labels["team"].as_str()),
            ("demo", "copr")
        );
        let selector = pod.node_selector.unwrap();
        assert_eq!((selector["kubernetes.io/arch"].as_str(), selector["disk"].as_str()), ("amd64", "ssd"));
    }

    #[test]
    fn without_a_selector_the_pods_of_the_component_are_spread() {
        let constraint = json!({"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"});
        let (_, pod) = put(json!({"topologySpreadConstraints": [constraint]}));
        let spread = pod.topology_spread_constraints.unwrap();
        let selected = spread[0].label_selector.clone().unwrap().match_labels.unwrap();
        assert_eq!(selected, copr_operator_api::labels::selector("demo", "builder"));
    }

    #[test]
    fn a_key_that_the_api_server_would_refuse_in_each_pod_is_named() {
        for key in ["team", "example.org/team", "a.b/c_d.e"] {
            assert_eq!(check(&settings(json!({"labels": {(key): "x"}}))), Ok(()), "{key}");
        }
        for key in ["", "-a", "Example.org/a", "a/b/c", "a b", "/a"] {
            let error = check(&settings(json!({"nodeSelector": {(key): "x"}}))).unwrap_err();
            assert!(error.starts_with("nodeSelector: ") && error.contains(key), "{error}");
        }
    }
}
