//! What a container asks for where `spec.resources` says nothing. Pure.
//!
//! The numbers are what Copr itself was measured to use, rounded up: with requests below real use the scheduler
//! overcommits the node, and the kernel ends a build to mend it. There are no limits: what is right depends on the packages.

use std::collections::BTreeMap;

use copr_operator_api::names::Component;
use k8s_openapi::{api::core::v1::ResourceRequirements, apimachinery::pkg::api::resource::Quantity};

use super::config::copr_be_conf;
use crate::validate::Instance;

/// Each worker of the build dispatcher is a Python process of 48 MiB. Workers are counted as the dispatcher's
/// configuration does, so that scaling the builders changes this as rarely as that; a third of them is taken to
/// build at once.
const MEBIBYTES_PER_WORKER: i32 = 16;
const MOST_MEBIBYTES: i32 = 1024;

/// What a container of a component asks for. Init containers are smaller than what follows them, so that they never
/// decide where the pod fits.
pub(super) fn default(instance: &Instance, component: Component, container: &str) -> ResourceRequirements {
    let memory = match (component, container) {
        (Component::Database | Component::DistGit, "database" | "importer") => 128,
        (Component::Frontend, "httpd") => 160,
        (Component::Backend, "build") => {
            let workers = copr_be_conf::workers(instance).saturating_mul(MEBIBYTES_PER_WORKER);
            workers.saturating_add(64).min(MOST_MEBIBYTES)
        }
        // Up to ten workers, that mostly wait for createrepo_c.
        (Component::Backend, "action") => 96,
        (Component::Resalloc, _) => 80,
        (Component::Keygen, "httpd") => 64,
        (_, "log" | "httpd" | "signd") => 48,
        _ => 32,
    };
    // An idle instance uses 7 % of a core; what it uses while it builds is the builders'.
    let cpu = match (component, container) {
        (Component::Frontend, "httpd") | (Component::Backend, "build") => "20m",
        (_, super::logs::NAME | "log") => "5m",
        _ => "10m",
    };
    requests(cpu, memory)
}

/// What a builder asks for: Mock with a small package. Large packages need `spec.builders.resources`.
pub(super) fn builder() -> ResourceRequirements {
    requests("100m", 320)
}

fn requests(cpu: &str, mebibytes: i32) -> ResourceRequirements {
    ResourceRequirements {
        requests: Some(BTreeMap::from([
            ("cpu".into(), Quantity(cpu.into())),
            ("memory".into(), Quantity(format!("{mebibytes}Mi"))),
        ])),
        ..ResourceRequirements::default()
    }
}

#[cfg(test)]
mod tests {
    use super::{builder, default};
    use crate::{build::build, fixtures::minimal};
    use copr_operator_api::names::Component;

    fn mebibytes(requests: &k8s_openapi::api::core::v1::ResourceRequirements) -> i32 {
        let memory = &requests.requests.as_ref().unwrap()["memory"].0;
        memory.strip_suffix("Mi").unwrap().parse().unwrap()
    }

    /// What the pods of an instance of the real Copr held while it was building, in MiB.
    #[test]
    fn requests_are_not_below_what_an_idle_copr_was_measured_to_use() {
        let idle = [
            (Component::Database, 28),
            (Component::Redis, 3),
            (Component::Keygen, 51),
            (Component::Frontend, 122),
            (Component::DistGit, 121),
            (Component::Resalloc, 48),
            (Component::Backend, 203),
        ];
        let plan = build(&minimal());
        for (component, measured) in idle {
            let set = plan
                .stateful_sets
                .iter()
                .find(|set| set.metadata.name.as_deref() == Some(&minimal().object(component.name())));
            let pod = set.unwrap().spec.as_ref().unwrap().template.spec.as_ref().unwrap();
            let asked: i32 = pod.containers.iter().map(|c| mebibytes(c.resources.as_ref().unwrap())).sum();
            assert!(asked >= measured, "{component:?} asks for {asked}Mi and holds {measured}Mi");
        }
        assert!(mebibytes(&builder()) >= 252);
    }

    #[test]
    fn more_builders_are_more_workers_but_not_without_end() {
        let build = |max| {
            let mut instance = minimal();
            instance.builders.max = max;
            mebibytes(&default(&instance, Component::Backend, "build"))
        };
        assert_eq!(build(1), build(16));
        assert!(build(17) > build(16));
        assert_eq!(build(100), build(i32::MAX));
    }
}
