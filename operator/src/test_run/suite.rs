//! The tests of each suite: the operator's half of what `run-test --list` prints.

use crate::api::v1alpha1::SuiteName;

/// One test of a suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Test {
    /// Its name: the argument of `run-test`.
    pub name: &'static str,
    /// How long it may take, for a Copr with Fedora's mirrors behind it.
    pub deadline_seconds: i64,
}

/// The longest first, so that a parallel run ends soonest.
const SMOKE: [Test; 9] = [
    Test { name: "parallel-builds", deadline_seconds: 1800 },
    Test { name: "cancel", deadline_seconds: 900 },
    Test { name: "signed-repo", deadline_seconds: 900 },
    Test { name: "build-srpm", deadline_seconds: 900 },
    Test { name: "build-spec", deadline_seconds: 900 },
    Test { name: "build-fails", deadline_seconds: 900 },
    Test { name: "project-lifecycle", deadline_seconds: 300 },
    Test { name: "auth", deadline_seconds: 120 },
    Test { name: "chroots", deadline_seconds: 60 },
];

/// The suite's name as users write it.
pub const fn name(suite: SuiteName) -> &'static str {
    match suite {
        SuiteName::Smoke => "smoke",
    }
}

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
    use crate::api::v1alpha1::CoprTestRun;

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

    #[test]
    fn the_suite_is_called_what_users_write() {
        assert_eq!(serde_json::to_value(SuiteName::Smoke).unwrap(), name(SuiteName::Smoke));
    }
}
