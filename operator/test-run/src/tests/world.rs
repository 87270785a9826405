//! The world of the tests: what the API server would hold.

use std::cell::Cell;

use copr_operator_api::{
    component::Component,
    v1alpha1::{CoprInstance, CoprInstanceSpec, CoprTestRun, CoprTestRunStatus, Outcome, Phase, TestStatus},
};
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

    pub fn instance_is_made(&mut self, name: &str, owners: &[&str]) {
        let template = &self.run.spec.instance.template;
        self.instance_is_made_from(name, owners, template.clone().as_ref());
    }

    fn instance_is_made_from(&mut self, name: &str, owners: &[&str], spec: Option<&CoprInstanceSpec>) {
        let spec = spec.map(|spec| serde_json::to_value(spec).unwrap());
        let owners: Vec<Value> = owners
            .iter()
            .map(|uid| json!({"apiVersion": "v", "kind": "CoprTestRun", "name": RUN, "uid": uid, "controller": true}))
            .collect();
        let instance = serde_json::from_value(json!({
            "apiVersion": "copr.fedorainfracloud.org/v1alpha1",
            "kind": "CoprInstance",
            "metadata": {"name": name, "namespace": "ci", "uid": "uid-of-instance", "generation": 3, "ownerReferences": owners},
            "spec": spec.unwrap_or_else(template),
        }));
        self.instance = Seen::Found(Box::new(instance.unwrap()));
    }

    pub fn instance_mut(&mut self) -> &mut CoprInstance {
        match &mut self.instance {
            Seen::Found(instance) => instance,
            other => panic!("there is no instance but {other:?}"),
        }
    }

    /// The instance's condition Available, dated now.
    pub fn instance_says(&mut self, status: &str, reason: &str, message: &str) {
        let now = self.now();
        let name = self.instance_mut().name_any();
        let known = self.instance_mut().status.clone().unwrap_or_default();
        let (mut conditions, packages) = (known.conditions, known.packages);
        let finding = conditions::Finding {
            status: if status == "True" { "True" } else { "False" },
            reason: reason.into(),
            message: message.into(),
        };
        conditions::set(&mut conditions, "Available", finding, Some(3), now);
        let status = json!({
            "conditions": conditions,
            "endpoints": {
                "frontend": format!("http://{name}-frontend.ci.svc:5000"),
                "backend": format!("http://{name}-backend-httpd.ci.svc:5002"),
                "distGit": format!("http://{name}-dist-git.ci.svc:5001"),
            },
            "clientSecret": format!("{name}-client"),
            "images": {"frontend": "quay.io/copr/copr-frontend@sha256:0f"},
            "builderIncidents": known.builder_incidents,
        });
        self.instance_mut().status = Some(serde_json::from_value(status).unwrap());
        self.instance_mut().status.get_or_insert_default().packages = packages;
    }

    /// Another condition of the instance, about its present spec.
    pub fn says(&mut self, type_: &str, status: &'static str, reason: &str, message: &str) {
        let now = self.now();
        let finding = conditions::Finding { status, reason: reason.into(), message: message.into() };
        let instance = self.instance_mut().status.get_or_insert_default();
        conditions::set(&mut instance.conditions, type_, finding, Some(3), now);
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

    /// The instance's condition about its images; it is not Available for that reason.
    pub fn images_say(&mut self, status: &'static str, reason: &str, message: &str) {
        let now = self.now();
        let finding = conditions::Finding { status, reason: reason.into(), message: message.into() };
        let instance = self.instance_mut().status.get_or_insert_default();
        conditions::set(&mut instance.conditions, "ImagesReady", finding.clone(), Some(3), now);
        if status == "False" {
            conditions::set(&mut instance.conditions, "Available", finding, Some(3), now);
        }
    }

    /// The instance's condition about its builders.
    pub fn builders_say(&mut self, status: &'static str, reason: &str, message: &str) {
        self.says("BuildersReady", status, reason, message);
    }

    /// Every component has a pod that is ready since now, and the instance says so.
    pub fn instance_is_ready(&mut self) {
        for component in Component::ALL {
            self.component_starts(component);
        }
        self.instance_says("True", "Available", "every component answers");
        self.says("ImagesReady", "True", "Available", "");
        self.says("Ready", "True", "UpToDate", "");
    }

    /// The component's container was started now, in a pod as old as the first start.
    pub fn component_starts(&mut self, component: Component) {
        let name = format!("{INSTANCE}-{}-0", component.name());
        let created = self
            .instance_pods
            .iter()
            .find(|pod| pod.name_any() == name)
            .and_then(|pod| pod.metadata.creation_timestamp.clone())
            .unwrap_or_else(|| self.now().into());
        self.instance_pods.retain(|pod| pod.name_any() != name);
        let pod = serde_json::from_value(json!({
            "metadata": {
                "name": name,
                "labels": {"app.kubernetes.io/component": component.name()},
                "creationTimestamp": created,
            },
            "status": {
                "phase": "Running",
                "conditions": [{"type": "Ready", "status": "True"}],
                "containerStatuses": [{
                    "name": "main", "image": "i", "imageID": "i", "ready": true, "restartCount": 0,
                    "state": {"running": {"startedAt": self.now().to_string()}},
                }],
            },
        }));
        self.instance_pods.push(pod.unwrap());
    }

    pub fn component_pod(&mut self, component: Component) -> &mut Pod {
        let name = format!("{INSTANCE}-{}-0", component.name());
        self.instance_pods.iter_mut().find(|pod| pod.name_any() == name).unwrap()
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
