//! What containers ask for and may use: what the operator says, what the spec says, and how the two become one. Pure.
//!
//! Each request and each limit is taken for itself: of several places that give it, the most specific counts. Where a request of
//! one place is then above a limit of another, the less specific gives way, so that a spec with a limit alone never makes a
//! pod that the API server refuses. Within one place that is a mistake, which [`check`] names.

use std::collections::BTreeMap;

use k8s_openapi::{api::core::v1::ResourceRequirements, apimachinery::pkg::api::resource::Quantity};

use crate::quantity::is_less;

/// Requests and limits of a container where the spec says nothing.
#[derive(Clone, Copy, Debug)]
pub struct Amounts {
    /// CPU that is kept free for it.
    pub cpu: &'static str,
    /// MiB that are kept free for it.
    pub mebibytes: i32,
    /// CPU that it may use.
    pub most_cpu: &'static str,
    /// MiB that it may use.
    pub most_mebibytes: i32,
}

impl Amounts {
    /// As a container has them.
    pub fn requirements(self) -> ResourceRequirements {
        let amounts = |cpu: &str, mebibytes: i32| {
            BTreeMap::from([
                ("cpu".to_owned(), Quantity(cpu.into())),
                ("memory".to_owned(), Quantity(format!("{mebibytes}Mi"))),
            ])
        };
        ResourceRequirements {
            requests: Some(amounts(self.cpu, self.mebibytes)),
            limits: Some(amounts(self.most_cpu, self.most_mebibytes)),
            ..ResourceRequirements::default()
        }
    }
}

/// What `wins` says, and below it what `base` does.
pub fn merge(base: ResourceRequirements, wins: Option<&ResourceRequirements>) -> ResourceRequirements {
    let Some(wins) = wins else { return base };
    let mut requests = base.requests.unwrap_or_default();
    let mut limits = base.limits.unwrap_or_default();
    for (key, request) in wins.requests.iter().flatten() {
        requests.insert(key.clone(), request.clone());
        if limits.get(key).is_some_and(|limit| is_less(&limit.0, &request.0)) {
            limits.insert(key.clone(), request.clone());
        }
    }
    for (key, limit) in wins.limits.iter().flatten() {
        limits.insert(key.clone(), limit.clone());
        if requests.get(key).is_some_and(|request| is_less(&limit.0, &request.0)) {
            requests.insert(key.clone(), limit.clone());
        }
    }
    ResourceRequirements {
        requests: (!requests.is_empty()).then_some(requests),
        limits: (!limits.is_empty()).then_some(limits),
        claims: wins.claims.clone().or(base.claims),
    }
}

/// The same of several places, the most specific last.
pub fn merged<'a>(
    base: ResourceRequirements,
    places: impl IntoIterator<Item = Option<&'a ResourceRequirements>>,
) -> ResourceRequirements {
    places.into_iter().fold(base, merge)
}

/// What is wrong with requests and limits that one place gives.
pub fn check(requirements: Option<&ResourceRequirements>) -> Result<(), String> {
    let Some(requirements) = requirements else { return Ok(()) };
    let limits = requirements.limits.as_ref();
    for (key, request) in requirements.requests.iter().flatten() {
        if let Some(limit) = limits.and_then(|limits| limits.get(key)).filter(|l| is_less(&l.0, &request.0)) {
            return Err(format!("requests.{key} ({}) is above limits.{key} ({})", request.0, limit.0));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn of(value: Value) -> ResourceRequirements {
        serde_json::from_value(value).unwrap()
    }

    fn on_top_of_defaults(value: Value) -> Value {
        let base = Amounts { cpu: "100m", mebibytes: 256, most_cpu: "2", most_mebibytes: 1024 };
        serde_json::to_value(merge(base.requirements(), Some(&of(value)))).unwrap()
    }

    #[test]
    fn a_limit_alone_never_makes_a_request_above_it_nor_the_other_way_round() {
        let limited = on_top_of_defaults(json!({"limits": {"memory": "128Mi"}}));
        assert_eq!(limited["requests"], json!({"cpu": "100m", "memory": "128Mi"}));
        assert_eq!(limited["limits"], json!({"cpu": "2", "memory": "128Mi"}));
        let demanding = on_top_of_defaults(json!({"requests": {"memory": "4Gi", "cpu": 3}}));
        assert_eq!(demanding["requests"], json!({"cpu": "3", "memory": "4Gi"}));
        assert_eq!(demanding["limits"], json!({"cpu": "3", "memory": "4Gi"}));
    }

    #[test]
    fn what_is_not_given_stays_and_what_is_new_is_added() {
        let merged = on_top_of_defaults(json!({"requests": {"ephemeral-storage": "1Gi"}}));
        assert_eq!(merged["requests"], json!({"cpu": "100m", "memory": "256Mi", "ephemeral-storage": "1Gi"}));
        assert_eq!(merged["limits"], json!({"cpu": "2", "memory": "1024Mi"}));
    }

    #[test]
    fn the_most_specific_place_counts() {
        let (everywhere, here) = (
            of(json!({"limits": {"cpu": "1", "memory": "1Gi"}})),
            of(json!({"requests": {"memory": "2Gi"}})),
        );
        let merged = merged(ResourceRequirements::default(), [Some(&everywhere), None, Some(&here)]);
        assert_eq!(
            serde_json::to_value(merged).unwrap(),
            json!({"requests": {"memory": "2Gi"}, "limits": {"cpu": "1", "memory": "2Gi"}})
        );
    }

    #[test]
    fn a_request_above_its_own_limit_is_named() {
        let wrong = of(json!({"requests": {"cpu": "100m", "memory": "2Gi"}, "limits": {"memory": "1Gi"}}));
        assert_eq!(check(Some(&wrong)).unwrap_err(), "requests.memory (2Gi) is above limits.memory (1Gi)");
        assert_eq!(
            check(Some(&of(json!({"requests": {"memory": "1Gi"}, "limits": {"memory": "1024Mi"}})))),
            Ok(())
        );
        assert_eq!(check(None), Ok(()));
    }
}
