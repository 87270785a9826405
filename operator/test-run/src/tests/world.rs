//! The world of the tests: what the API server would hold.

mod instance;

use std::cell::Cell;

use copr_operator_api::v1alpha1::{CoprTestRun, CoprTestRunStatus, Outcome, Phase, TestStatus};
use copr_operator_kernel::conditions;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Event, Pod};
use kube::ResourceExt;
use serde_json::{Value, json};

use crate::{
    apply::Refusals,
    decide::Other,
    decide::{self, Plan},
    dereference::{Observed, Red, Seen, SuiteSeen},
    events::{self, Notice},
    pod,
    source::{self, Asked},
    suite, validate,
};

/// Not the name of the instance, so that mixing them up is seen.
pub const RUN: &str = "pr-7";
pub const INSTANCE: &str = "team-copr";
/// What the smoke suite prints.
pub const LISTING: &str = include_str!("smoke.json");
pub const RUN_UID: &str = "5d37cd83-0000-4000-8000-000000000001";

pub struct World {
    pub run: CoprTestRun,
    pub instance: Seen,
    pub client_secret: bool,
    pub pods: Vec<Pod>,
    pub instance_pods: Vec<Pod>,
    pub other_pods: Vec<Pod>,
    pub warnings: Vec<Event>,
    pub on_openshift: bool,
    /// The list that the run keeps: document and image.
    pub kept: Option<(String, String)>,
    /// The log of a pod that has listed the suite.
    pub said: Option<String>,
    pub red: Red,
    /// What the forge says, if it's asked.
    pub forge: Asked,
    /// How often it was.
    pub questions: Cell<usize>,
    pub runs: Vec<Other>,
    pub runs_at_a_time: Option<usize>,
    /// Everything told so far.
    pub notices: Vec<Notice>,
    second: i64,
}

pub fn time(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn template() -> Value {
    json!({
        "images": {"registry": "quay.io/copr", "tag": "v1", "pullSecrets": ["pull"]},
        "chroots": ["fedora-44-x86_64", "fedora-43-x86_64"],
        "builders": {"max": 8},
        "admin": {"name": "frodo"},
    })
}

impl World {
    /// A run of these tests against an instance by name that is Available since second 0.
    pub fn named(tests: &[&str]) -> Self {
        let mut world = Self::new(&json!({"instance": {"name": INSTANCE}, "suite": {"tests": tests}}));
        world.instance_is_made(INSTANCE, &[]);
        world.instance_is_ready();
        world
    }

    /// A run of these tests against an instance of its own that does not exist yet.
    pub fn template(tests: &[&str]) -> Self {
        Self::new(&json!({"instance": {"template": template()}, "suite": {"tests": tests}}))
    }

    pub fn new(spec: &Value) -> Self {
        let run = serde_json::from_value(json!({
            "apiVersion": "copr.fedorainfracloud.org/v1alpha1",
            "kind": "CoprTestRun",
            "metadata": {"name": RUN, "namespace": "ci", "uid": RUN_UID, "generation": 1},
            "spec": spec,
        }))
        .unwrap();
        Self {
            run,
            instance: Seen::Missing,
            client_secret: true,
            pods: Vec::new(),
            instance_pods: Vec::new(),
            other_pods: Vec::new(),
            warnings: Vec::new(),
            on_openshift: false,
            kept: Some((LISTING.to_owned(), "quay.io/copr/copr-sanity@sha256:5a".to_owned())),
            said: None,
            red: Red::Missing,
            forge: Asked::Not,
            questions: Cell::new(0),
            runs: Vec::new(),
            runs_at_a_time: None,
            notices: Vec::new(),
            second: 0,
        }
    }

    pub fn now(&self) -> Timestamp {
        time(self.second)
    }

    pub fn pass(&mut self, seconds: i64) {
        self.second += seconds;
    }

    pub fn observed(&self) -> Observed {
        Observed {
            now: self.now(),
            instance: self.instance.clone(),
            client_secret: self.client_secret,
            pods: self.pods.iter().filter(|pod| !pod::is_list(pod)).cloned().collect(),
            suite: SuiteSeen {
                pods: self.pods.iter().filter(|pod| pod::is_list(pod)).cloned().collect(),
                kept: self.kept.clone(),
                known: None,
                said: self.said.clone(),
            },
            red: self.red.clone(),
            asked: self.ask(),
            created: time(0),
            runs: self.runs.clone(),
            runs_at_a_time: self.runs_at_a_time,
            instance_pods: self.instance_pods.clone(),
            other_pods: self.other_pods.clone(),
            warnings: self.warnings.clone(),
            on_openshift: self.on_openshift,
            operator_image: Some("quay.io/copr/copr-operator:v1".into()),
        }
    }

    fn ask(&self) -> Asked {
        if !source::is_due(&self.run, &self.instance, self.now()) {
            return Asked::Not;
        }
        self.questions.set(self.questions.get() + 1);
        self.forge.clone()
    }

    /// What would be done now; nothing is.
    pub fn plan(&self) -> Plan {
        let observed = self.observed();
        let old = self.run.status.clone().unwrap_or_default();
        match validate::validate(&self.run, &observed) {
            Ok(valid) => decide::decide(&valid, &observed, &old),
            Err(error) => decide::refuse(&self.run, &error, &observed, old),
        }
    }

    /// One reconcile, carried out whole. A second one finds nothing to do.
    pub fn reconcile(&mut self) -> Plan {
        let plan = self.plan();
        self.create(&plan);
        self.report(&plan);
        self.delete(&plan);
        plan
    }

    pub fn create(&mut self, plan: &Plan) {
        for pod in &plan.pods {
            assert!(self.pods.iter().all(|known| known.name_any() != pod.name_any()), "a name comes twice");
            let mut pod = pod.clone();
            pod.metadata.uid = Some(format!("uid-of-{}", pod.name_any()));
            pod.metadata.creation_timestamp = Some(self.now().into());
            self.pods.push(pod);
        }
        if let Some(list) = &plan.list {
            let data = list.data.as_ref().unwrap();
            self.kept = Some((data["suite.json"].clone(), data["image"].clone()));
        }
        if let Some(instance) = &plan.instance {
            let owners = instance.owner_references().to_vec();
            assert_eq!(owners[0].controller, Some(true));
            self.instance_is_made_from(&instance.name_any(), &[&owners[0].uid], Some(&instance.spec));
        }
    }

    pub fn report(&mut self, plan: &Plan) {
        let old = self.run.status.clone().unwrap_or_default();
        for test in old.tests.iter().filter(|test| test.outcome.is_final()) {
            assert!(plan.status.tests.contains(test), "{} changed after its end", test.name);
        }
        self.notices.extend(events::transitions(&old, &plan.status));
        // As read back from the API server, which keeps whole seconds.
        let status = serde_json::to_value(&plan.status).unwrap();
        self.run.status = Some(serde_json::from_value(status).unwrap());
    }

    pub fn delete(&mut self, plan: &Plan) {
        self.pods.retain(|pod| plan.deletions.pods.iter().all(|doomed| doomed.name != pod.name_any()));
        if plan.deletions.instance.is_some() {
            self.instance = Seen::Missing;
            self.instance_pods.clear();
        }
    }

    /// The other controller has said what became of the evidence.
    pub fn evidence_is_settled(&mut self) {
        let now = self.now();
        let status = self.run.status.as_mut().unwrap();
        let finding = conditions::Finding::no("NoRegistry", "");
        conditions::set(&mut status.conditions, "EvidenceKept", finding, None, now);
    }

    /// The plan's pods are refused by the API server, as the apply step would report it.
    pub fn reconcile_refused(&mut self, why: &str) {
        let mut plan = self.plan();
        let pods = std::mem::take(&mut plan.pods);
        let pods = pods.iter().map(|pod| (pod.name_any(), why.to_owned())).collect();
        let refusals = Refusals { pods, ..Refusals::default() };
        refusals.correct(&mut plan, &self.status(), self.now());
        self.report(&plan);
        self.delete(&plan);
    }

    /// The pod of a test's last attempt.
    pub fn pod(&mut self, test: &str) -> &mut Pod {
        let name = self.test(test).pod.unwrap();
        self.pods.iter_mut().find(|pod| pod.name_any() == name).unwrap()
    }

    pub fn pod_status(&mut self, test: &str, status: Value) {
        self.pod(test).status = Some(serde_json::from_value(status).unwrap());
    }

    /// The kubelet has started the pod of a test.
    pub fn starts(&mut self, test: &str) {
        let now = self.now().to_string();
        self.pod_status(
            test,
            json!({
                "phase": "Running",
                "startTime": now,
                "containerStatuses": [{
                    "name": "test", "image": "i", "imageID": "quay.io/copr/copr-sanity@sha256:5a", "ready": true,
                    "restartCount": 0, "state": {"running": {"startedAt": now}},
                }],
            }),
        );
    }

    /// The container of a test has ended like this.
    pub fn ends_with(&mut self, test: &str, exit_code: i32, message: &str) {
        let now = self.now().to_string();
        let started = self.test(test).started_at;
        self.pod_status(
            test,
            json!({
                "phase": if exit_code == 0 { "Succeeded" } else { "Failed" },
                "containerStatuses": [{
                    "name": "test", "image": "i", "imageID": "quay.io/copr/copr-sanity@sha256:5a", "ready": false,
                    "restartCount": 0,
                    "state": {"terminated": {
                        "exitCode": exit_code, "message": message, "startedAt": started, "finishedAt": now,
                    }},
                }],
            }),
        );
    }

    pub fn passes(&mut self, test: &str) {
        self.ends_with(test, 0, r#"{"outcome": "Passed", "message": "", "component": ""}"#);
    }

    pub fn fails(&mut self, test: &str) {
        self.ends_with(
            test,
            1,
            r#"{"outcome": "Failed", "message": "no key within 60 s", "component": "keygen"}"#,
        );
    }

    pub fn status(&self) -> CoprTestRunStatus {
        self.run.status.clone().unwrap_or_default()
    }

    pub fn test(&self, name: &str) -> TestStatus {
        self.status().tests.into_iter().find(|test| test.name == name).unwrap()
    }

    pub fn outcome(&self, name: &str) -> (Outcome, i32) {
        let test = self.test(name);
        (test.outcome, test.attempts)
    }

    pub fn message(&self, name: &str) -> String {
        self.test(name).message.unwrap_or_default()
    }

    pub fn phase(&self) -> Phase {
        self.status().phase
    }

    /// Status, reason and message of a condition.
    pub fn condition(&self, type_: &str) -> (String, String, String) {
        let status = self.status();
        let condition = conditions::get(&status.conditions, type_).unwrap();
        (condition.status.clone(), condition.reason.clone(), condition.message.clone())
    }

    /// Reasons of the events so far.
    pub fn told(&self) -> Vec<&str> {
        self.notices.iter().map(|notice| notice.reason).collect()
    }

    pub fn pod_names(&self) -> Vec<String> {
        self.pods.iter().map(ResourceExt::name_any).collect()
    }
}

/// Every test of the suite.
pub fn smoke() -> Vec<&'static str> {
    let tests = suite::parse(LISTING).unwrap().tests;
    // The names live as long as the list that they are parts of.
    tests.iter().map(|test| &LISTING[LISTING.find(&test.name).unwrap()..][..test.name.len()]).collect()
}
