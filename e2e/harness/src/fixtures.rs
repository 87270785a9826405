//! Objects that tests start from: the smallest that do the whole thing.

use anyhow::{Context as _, Result};
use copr_operator_api::{
    evidence::CONDITION,
    v1alpha1::{
        Admin, BackendSpec, Builders, ComponentSpec, ComponentStatus, CoprInstance, CoprInstanceSpec,
        CoprTestRun, CoprTestRunSpec, DatabaseSpec, Defaults, DeletionPolicy, DistGitSpec, Evidence, Expose,
        FrontendSpec, Images, InstanceSource, KeepInstance, Phase, RedisSpec, Suite, TestStatus, Tests,
    },
};
use k8s_openapi::{
    api::core::v1::{Pod, ResourceRequirements},
    apimachinery::pkg::{api::resource::Quantity, apis::meta::v1::Condition},
};
use serde_json::{Value, json};

/// The chroot that the images have.
pub const CHROOT: &str = "fedora-44-x86_64";

/// The images that `./check e2e` loads.
pub fn images() -> Images {
    Images {
        registry: Some(std::env::var("COPR_E2E_REGISTRY").unwrap_or_else(|_| "localhost".into())),
        tag: std::env::var("COPR_E2E_TAG").unwrap_or_else(|_| "latest".into()),
        ..Images::default()
    }
}

/// The image of one component that carries a defect.
pub fn defective(component: &str, defect: &str) -> String {
    let registry = images().registry.unwrap_or_default();
    format!("{registry}/copr-{component}:defect-{defect}")
}

/// The spec of an instance.
pub fn instance_spec() -> CoprInstanceSpec {
    CoprInstanceSpec {
        packages: None,
        registry: None,
        images: images(),
        chroots: vec![CHROOT.into()],
        // Several instances share a small machine, and a builder that finds no room within a minute is an Error.
        builders: Builders { resources: Some(small()), ..Builders::default() },
        admin: Admin::default(),
        url: None,
        expose: Expose::default(),
        ingress: Box::default(),
        route: Box::default(),
        gateway: None,
        login: None,
        frontend: FrontendSpec::default(),
        backend: BackendSpec::default(),
        keygen: ComponentSpec::default(),
        dist_git: DistGitSpec::default(),
        resalloc: ComponentSpec::default(),
        database: DatabaseSpec::default(),
        redis: RedisSpec::default(),
        tests: Tests::default(),
        defaults: Defaults::default(),
        proxy: None,
        deletion_policy: DeletionPolicy::default(),
        end_of_life_chroots: Vec::new(),
        users: Vec::new(),
        groups: Vec::new(),
        dist_git_instances: Vec::new(),
        paused: false,
        ttl: None,
        expires_at: None,
    }
}

fn small() -> ResourceRequirements {
    let requests = [("cpu", "20m"), ("memory", "128Mi")];
    let requests = requests.map(|(key, value)| (key.to_owned(), Quantity(value.into())));
    ResourceRequirements { requests: Some(requests.into()), ..ResourceRequirements::default() }
}

/// An instance.
pub fn instance(name: &str, spec: CoprInstanceSpec) -> CoprInstance {
    CoprInstance::new(name, spec)
}

/// A run of these tests (all, if none is named) against an instance of its own.
pub fn run(name: &str, template: CoprInstanceSpec, tests: &[&str]) -> CoprTestRun {
    run_with(name, InstanceSource { template: Some(template), ..source() }, tests)
}

/// A run of these tests (all, if none is named) against an instance that exists, or should.
pub fn run_against(name: &str, instance: &str, tests: &[&str]) -> CoprTestRun {
    run_with(name, InstanceSource { name: Some(instance.into()), ..source() }, tests)
}

fn source() -> InstanceSource {
    InstanceSource { name: None, template: None, build_timeout: "20m".into(), ready_timeout: "10m".into() }
}

fn run_with(name: &str, instance: InstanceSource, tests: &[&str]) -> CoprTestRun {
    let spec = CoprTestRunSpec {
        instance,
        suite: Suite { tests: tests.iter().map(|&test| test.into()).collect(), ..Suite::default() },
        source: None,
        report: None,
        keep_instance: KeepInstance::Never,
        evidence: Evidence::default(),
        rerun_of: None,
        concurrency: None,
        ttl_seconds_after_finished: None,
        ttl_seconds_after_passed: 24 * 3600,
        ttl_seconds_after_failed: 24 * 3600,
        cancel: false,
    };
    CoprTestRun::new(name, spec)
}

/// The same as JSON, for what the types cannot say.
pub fn instance_json(name: &str) -> Value {
    json!({
        "apiVersion": "copr.fedorainfracloud.org/v1alpha1",
        "kind": "CoprInstance",
        "metadata": {"name": name},
        "spec": {"images": {"registry": "localhost"}, "chroots": [CHROOT]},
    })
}

/// The same as JSON, for what the types cannot say. The instance doesn't exist, so nothing comes of it.
pub fn run_json(name: &str) -> Value {
    json!({
        "apiVersion": "copr.fedorainfracloud.org/v1alpha1",
        "kind": "CoprTestRun",
        "metadata": {"name": name},
        "spec": {"instance": {"name": "missing"}},
    })
}

/// Whether the present spec of an instance is in effect, and every component answers.
pub fn ready(instance: &CoprInstance) -> bool {
    instance.status.as_ref().is_some_and(|status| {
        copr_operator_kernel::conditions::is_true(&status.conditions, "Ready")
            && status.observed_generation == instance.metadata.generation
    })
}

/// Whether a pod is ready.
pub fn pod_ready(pod: &Pod) -> bool {
    let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_ref());
    conditions.is_some_and(|all| all.iter().any(|c| c.type_ == "Ready" && c.status == "True"))
}

/// What became of the evidence of a run, once that is known.
pub fn evidence(run: &CoprTestRun) -> Option<&Condition> {
    copr_operator_kernel::conditions::get(&run.status.as_ref()?.conditions, CONDITION)
}

/// A component of an instance, by its field of the spec.
pub fn component<'a>(instance: &'a CoprInstance, name: &str) -> Option<&'a ComponentStatus> {
    instance.status.as_ref()?.components.iter().find(|component| component.name == name)
}

/// The phase of a run.
pub fn phase(run: &CoprTestRun) -> Phase {
    run.status.as_ref().map(|status| status.phase).unwrap_or_default()
}

/// The tests of a run.
pub fn tests(run: &CoprTestRun) -> &[TestStatus] {
    run.status.as_ref().map_or(&[], |status| &status.tests)
}

/// A test of a run.
pub fn test<'a>(run: &'a CoprTestRun, name: &str) -> Result<&'a TestStatus> {
    let test = tests(run).iter().find(|test| test.name == name);
    test.with_context(|| format!("no test {name} in {:?}", run.status))
}

/// The condition with the verdict of a run.
pub fn verdict(run: &CoprTestRun) -> Option<&Condition> {
    copr_operator_kernel::conditions::get(&run.status.as_ref()?.conditions, "Succeeded")
}

/// Whether the verdict of a run is final.
pub fn finished(run: &CoprTestRun) -> bool {
    run.status
        .as_ref()
        .is_some_and(|status| copr_operator_kernel::conditions::is_true(&status.conditions, "Finished"))
}
