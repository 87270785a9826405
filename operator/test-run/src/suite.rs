//! The tests of each suite: the operator's half of what `run-test --list` prints.

use copr_operator_api::v1alpha1::SuiteName;

/// One test of a suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Test {
    /// Its name: the argument of `run-test`.
    pub name: &'static str,
    /// How long it may take, for a Copr with Fedora's mirrors behind it.
    pub deadline_seconds: i64,
    /// Whether it builds something, which needs a builder.
    pub builds: bool,
    /// Whether nothing may run beside it: it needs every builder at once.
    pub exclusive: bool,
}

impl Test {
    const fn new(name: &'static str, deadline_seconds: i64, builds: bool) -> Self {
        Self { name, deadline_seconds, builds, exclusive: false }
    }
}

/// The longest first, so that a parallel run ends soonest.
const SMOKE: [Test; 9] = [
    Test { exclusive: true, ..Test::new("parallel-builds", 1800, true) },
    Test::new("cancel", 900, true),
    Test::new("signed-repo", 900, true),
    Test::new("build-srpm", 900, true),
    Test::new("build-spec", 900, true),
    Test::new("build-fails", 900, true),
    Test::new("project-lifecycle", 300, false),
    Test::new("auth", 120, false),
    Test::new("chroots", 60, false),
];

/// Every test of the suite, in the order in which they are started.
pub const fn tests(suite: SuiteName) -> &'static [Test] {
    match suite {
        SuiteName::Smoke => &SMOKE,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use kube::CustomResourceExt;

    use super::*;
    use copr_operator_api::v1alpha1::CoprTestRun;

    #[test]
    fn the_crd_admits_exactly_the_tests_of_the_suite() {
        let crd = serde_json::to_value(CoprTestRun::crd()).unwrap();
        let rules = crd
            .pointer("/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/suite/properties/tests/x-kubernetes-validations")
            .unwrap();
        let rule = rules[0]["rule"].as_str().unwrap();
        let admitted: BTreeSet<&str> = rule.split('\'').skip(1).step_by(2).collect();
        let known: BTreeSet<&str> = tests(SuiteName::Smoke).iter().map(|test| test.name).collect();
        assert_eq!(admitted, known);
    }
}
