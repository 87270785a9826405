//! Ingress of Kubernetes.

use copr_operator_api::v1alpha1::{IngressOptions, Scheme, Url};
use k8s_openapi::api::networking::v1::{
    HTTPIngressPath, HTTPIngressRuleValue, Ingress, IngressBackend, IngressRule, IngressServiceBackend,
    IngressSpec, IngressTLS, ServiceBackendPort,
};

use super::{Target, metadata_of};
use crate::validate::Instance;

pub(super) fn build(
    instance: &Instance,
    url: &Url,
    options: &IngressOptions,
    target: &Target<'_>,
) -> Ingress {
    let backend = IngressBackend {
        service: Some(IngressServiceBackend {
            name: instance.object(target.name),
            port: Some(ServiceBackendPort { name: Some(target.port.name.into()), number: None }),
        }),
        resource: None,
    };
    let path = HTTPIngressPath { backend, path: Some("/".into()), path_type: "Prefix".into() };
    // Without a Secret the controller shows its own certificate.
    let tls = IngressTLS {
        hosts: Some(vec![target.host.into()]),
        secret_name: url.tls_secret.as_ref().map(|secret| secret.name.clone()),
    };
    Ingress {
        metadata: metadata_of(instance, target, Some(&options.annotations)),
        spec: Some(IngressSpec {
            ingress_class_name: options.class_name.clone(),
            rules: Some(vec![IngressRule {
                host: Some(target.host.into()),
                http: Some(HTTPIngressRuleValue { paths: vec![path] }),
            }]),
            tls: (url.scheme == Scheme::Https).then(|| vec![tls]),
            ..IngressSpec::default()
        }),
        status: None,
    }
}
