//! What a container asks for and may use where the spec says nothing. Pure.
//!
//! Requests are what Copr itself was measured to use, rounded up: with requests below real use the scheduler overcommits the
//! node, and the kernel ends a build to mend it. Limits are several times as much, for the largest repositories and packages that one
//! meets: they are there because a namespace whose quota counts limits refuses containers without them, and so that
//! what goes wrong in one container ends that one and not its node. What is above them needs `resources` in the component's block.

use copr_operator_api::component::Component;
use copr_operator_kernel::resources::{Amounts, merge};
use k8s_openapi::api::core::v1::ResourceRequirements;

use super::config::copr_be_conf;
use crate::validate::Instance;

/// Each worker of the build dispatcher is a Python process of 48 MiB. Workers are counted as the dispatcher's
/// configuration does, so that scaling the builders changes this as rarely as that; a third of them is taken to
/// build at once.
const MEBIBYTES_PER_WORKER: i32 = 16;
const MOST_MEBIBYTES: i32 = 1024;
/// Twice the size of a worker, since all of them may build at once.
const LIMIT_PER_WORKER: i32 = 96;
/// Python's hooks of resalloc: one a builder, each of 30 MiB.
const LIMIT_PER_HOOK: i32 = 32;
const GIBIBYTE: i32 = 1024;

/// What a container of a component asks for and may use.
pub(super) fn of(instance: &Instance, component: Component, container: &str) -> ResourceRequirements {
    let defaults = default(instance, component, container).requirements();
    merge(defaults, Some(&instance.workloads.of(component).resources))
}

/// Init containers ask for less than what follows them, so that they never decide where the pod fits.
fn default(instance: &Instance, component: Component, container: &str) -> Amounts {
    let workers = copr_be_conf::workers(instance);
    let mebibytes = match (component, container) {
        (Component::Database | Component::DistGit, "database" | "importer") => 128,
        (Component::Frontend, "httpd") => 160,
        (Component::Backend, "build") => {
            workers.saturating_mul(MEBIBYTES_PER_WORKER).saturating_add(64).min(MOST_MEBIBYTES)
        }
        // Up to ten workers, which mostly wait for createrepo_c to end.
        (Component::Backend, "action") => 96,
        (Component::Resalloc, _) => 80,
        // The container of signd has the relay in front of signd, too.
        (Component::Keygen, "httpd" | "signd") => 64,
        (_, "log" | "httpd" | "signd") => 48,
        _ => 32,
    };
    let most_mebibytes = match (component, container) {
        // After each build, and in each action, createrepo_c reads the whole repository: some GiB with ten thousands of packages.
        (Component::Backend, "build") => {
            workers.saturating_mul(LIMIT_PER_WORKER).saturating_add(4 * GIBIBYTE)
        }
        (Component::Backend, "action") => 6 * GIBIBYTE,
        // git packs in memory what is imported and what is cloned: the sources of a kernel are a GiB.
        (Component::DistGit, "importer" | "httpd") => 4 * GIBIBYTE,
        // A query for everything that was ever built, with the database's cache beside it; an upload of a source package, and pages that
        // list every build of a project.
        (Component::Database, "database") | (Component::Frontend, "httpd") => 2 * GIBIBYTE,
        (Component::Resalloc, _) => workers.saturating_mul(LIMIT_PER_HOOK).saturating_add(GIBIBYTE),
        // Redis writes its snapshot from a copy of itself, the schema step may rewrite a table, and gpg runs once for each signature that is
        // made at a time.
        (Component::Redis | Component::Frontend, _) | (Component::Keygen, "httpd" | "signd") => GIBIBYTE,
        (_, "httpd" | "log") => GIBIBYTE / 2,
        _ => GIBIBYTE / 4,
    };
    // An idle instance uses 7 % of a core. While it builds, it is the builders that need CPU, and they have requests of their own.
    let cpu = match (component, container) {
        (Component::Frontend, "httpd") | (Component::Backend, "build") => "20m",
        (_, super::logs::NAME | "log") => "5m",
        _ => "10m",
    };
    // createrepo_c, git and PostgreSQL use several cores if they may. A lower limit makes them slower, and no build fails for it.
    let most_cpu = match (component, container) {
        (Component::Backend, "build" | "action") | (Component::DistGit, "importer" | "httpd") => "4",
        (_, super::logs::NAME | "log") => "1",
        _ => "2",
    };
    Amounts { cpu, mebibytes, most_cpu, most_mebibytes }
}

/// What a builder asks for, Mock with a small package, and what it may use: a C++ compiler takes a GiB or two for each core. Larger
/// packages need `spec.builders.resources`.
pub(super) fn builder(instance: &Instance) -> ResourceRequirements {
    let defaults = Amounts { cpu: "100m", mebibytes: 320, most_cpu: "4", most_mebibytes: 8 * GIBIBYTE };
    merge(defaults.requirements(), Some(&instance.builders.resources))
}

#[cfg(test)]
mod tests {
    use super::{builder, default};
    use crate::{build::build, fixtures::minimal};
    use copr_operator_api::component::Component;

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
        assert!(mebibytes(&builder(&minimal())) >= 252);
    }

    #[test]
    fn more_builders_are_more_workers_but_not_without_end() {
        let build = |max| {
            let mut instance = minimal();
            instance.builders.max = max;
            default(&instance, Component::Backend, "build").mebibytes
        };
        assert_eq!(build(1), build(16));
        assert!(build(17) > build(16));
        assert_eq!(build(100), build(i32::MAX));
    }

    /// A namespace's quota counts them for every container, and refuses a pod where one has none.
    #[test]
    fn every_container_has_requests_and_several_times_as_much_as_its_limit() {
        let instance = minimal();
        let plan = build(&instance);
        let pods =
            plan.stateful_sets.iter().map(|set| set.spec.as_ref().unwrap().template.spec.clone().unwrap());
        let jobs = plan.jobs.iter().map(|job| job.spec.as_ref().unwrap().template.spec.clone().unwrap());
        let builders =
            instance.pools.iter().map(|pool| crate::build::builder_pod(&instance, pool).spec.unwrap());
        for pod in pods.chain(jobs).chain(builders) {
            for volume in pod.volumes.iter().flatten() {
                let dir = volume.empty_dir.as_ref();
                assert!(dir.is_none_or(|dir| dir.size_limit.is_some()), "{}", volume.name);
            }
            for container in pod.init_containers.iter().flatten().chain(&pod.containers) {
                let resources = container.resources.as_ref().unwrap();
                for key in ["cpu", "memory"] {
                    let of = |map: &Option<
                        std::collections::BTreeMap<
                            String,
                            k8s_openapi::apimachinery::pkg::api::resource::Quantity,
                        >,
                    >| {
                        copr_operator_kernel::quantity::value(&map.as_ref().unwrap()[key].0).unwrap()
                    };
                    let (request, limit) = (of(&resources.requests), of(&resources.limits));
                    assert!(request > 0.0 && limit >= 4.0 * request, "{} {key}", container.name);
                }
            }
        }
    }
}
