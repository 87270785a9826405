//! Labels, and the queries by which objects are found.

use std::collections::BTreeMap;

/// Field manager of every server-side apply, and reporter of every event.
pub const FIELD_MANAGER: &str = "copr-operator";

/// `app.kubernetes.io/managed-by`.
pub const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// `app.kubernetes.io/part-of`: `copr` for everything of an instance.
pub const PART_OF: &str = "app.kubernetes.io/part-of";
/// `app.kubernetes.io/instance`: the name of the CoprInstance.
pub const INSTANCE: &str = "app.kubernetes.io/instance";
/// `app.kubernetes.io/component`: the component of Copr.
pub const COMPONENT: &str = "app.kubernetes.io/component";
/// The CoprTestRun that a test's pod belongs to.
pub const RUN: &str = "copr.fedorainfracloud.org/run";
/// The test that a pod runs: its name where a label can hold it.
pub const TEST: &str = "copr.fedorainfracloud.org/test";
/// `true` on a pod that lists the suite of its run.
pub const SUITE_LIST: &str = "copr.fedorainfracloud.org/suite-list";
/// On the list of a suite: a digest of the image and of where its tests are from. Who has the same has the same list.
pub const SUITE_KEY: &str = "copr.fedorainfracloud.org/suite-key";
/// The attempt, counted from 1, that a test's pod is.
pub const ATTEMPT: &str = "copr.fedorainfracloud.org/attempt";
/// The CoprInstance that a test's pod works on.
pub const TESTED_INSTANCE: &str = "copr.fedorainfracloud.org/tested-instance";
/// `true` on the pod of a test that nothing may run beside.
pub const EXCLUSIVE: &str = "copr.fedorainfracloud.org/exclusive";

/// The value of [`COMPONENT`] on what builds images.
pub const IMAGE_BUILD: &str = "image-build";

/// Labels of an object that belongs to a component of an instance.
pub fn component(instance: &str, component: &str) -> BTreeMap<String, String> {
    let mut labels = selector(instance, component);
    labels.insert(MANAGED_BY.into(), FIELD_MANAGER.into());
    labels.insert(PART_OF.into(), "copr".into());
    labels
}

/// The part of [`component`] that selects its pods.
pub fn selector(instance: &str, component: &str) -> BTreeMap<String, String> {
    BTreeMap::from([(INSTANCE.into(), instance.into()), (COMPONENT.into(), component.into())])
}

/// A label selector for every object of an instance that the operator applied.
pub fn instance_query(instance: &str) -> String {
    format!("{MANAGED_BY}={FIELD_MANAGER},{PART_OF}=copr,{INSTANCE}={instance}")
}

/// The same but for what belongs to builds of images: those go by themselves.
pub fn applied_query(instance: &str) -> String {
    format!("{},{COMPONENT}!={}", instance_query(instance), IMAGE_BUILD)
}

/// A label selector for every object of a run.
pub fn run_query(run: &str) -> String {
    format!("{MANAGED_BY}={FIELD_MANAGER},{RUN}={run}")
}

/// A label selector for the pods of the tests of every run that work on an instance.
pub fn tests_query(instance: &str) -> String {
    format!("{MANAGED_BY}={FIELD_MANAGER},{TESTED_INSTANCE}={instance}")
}
