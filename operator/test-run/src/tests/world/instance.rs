//! The instance that the run is about, as its controller would leave it.

use copr_operator_api::{
    component::Component,
    v1alpha1::{CoprInstance, CoprInstanceSpec},
};
use copr_operator_kernel::conditions;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use serde_json::{Value, json};

use super::{INSTANCE, RUN, World, template};
use crate::dereference::Seen;

impl World {
    pub fn instance_is_made(&mut self, name: &str, owners: &[&str]) {
        let template = &self.run.spec.instance.template;
        self.instance_is_made_from(name, owners, template.clone().as_ref());
    }

    pub(super) fn instance_is_made_from(
        &mut self,
        name: &str,
        owners: &[&str],
        spec: Option<&CoprInstanceSpec>,
    ) {
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
}
