//! What is of one namespace, and of who asks.

use std::collections::BTreeMap;

use serde::{Deserialize, de::IgnoredAny};

use super::{Facts, Finding};
use crate::model::one_line;

pub fn rights(facts: &Facts) -> Finding {
    const WHAT: &str = "Your rights";
    if let Some((_, Err(why))) = facts.rights.iter().find(|(_, answer)| answer.is_err()) {
        return Finding::unknown(WHAT, why);
    }
    let missing: Vec<_> =
        facts.rights.iter().filter(|(_, answer)| *answer == Ok(false)).map(|(right, _)| *right).collect();
    let namespace = &facts.namespace;
    if missing.is_empty() {
        return Finding::yes(WHAT, format!("all that runs need in the namespace {namespace}"));
    }
    Finding::no(
        WHAT,
        format!("in the namespace {namespace} you may not {}", missing.join(", ")),
        format!(
            "an administrator: kubectl create rolebinding copr-edit --clusterrole=edit --user=YOU --namespace {namespace}"
        ),
    )
}

/// Whether the namespace admits pods as builders and builds of images are.
pub fn builders(facts: &Facts) -> Finding {
    const WHAT: &str = "Builder pods";
    let namespace = &facts.namespace;
    let why = match &facts.pod {
        Ok(pod) if pod.spec.as_ref().and_then(|spec| spec.host_users) == Some(false) => {
            return Finding::yes(WHAT, format!("the namespace {namespace} admits them, as a dry run says"));
        }
        Ok(_) => {
            return Finding::no(
                WHAT,
                "the API server forgets hostUsers: false of a pod",
                "switch on the feature gate UserNamespacesSupport of API server and kubelets",
            );
        }
        Err(why) => one_line(why),
    };
    if why.contains("cannot create resource") || !why.contains("forbidden") {
        return Finding::unknown(WHAT, format!("a dry run can't be made: {why}"));
    }
    let mend = if why.contains("PodSecurity") {
        format!(
            "kubectl label namespace {namespace} pod-security.kubernetes.io/enforce=privileged --overwrite"
        )
    } else if why.contains("exceeded quota") {
        format!("raise it: kubectl --namespace {namespace} edit resourcequota")
    } else if why.contains("security context constraint") {
        "that is as it should be on OpenShift: the operator gives its own service accounts an SCC".into()
    } else {
        "change the policy that says so".into()
    };
    if why.contains("security context constraint") {
        return Finding {
            mend: Some(mend),
            ..Finding::unknown(WHAT, format!("you may not make them: {why}"))
        };
    }
    Finding::no(WHAT, why, mend)
}

/// What is read of a `.dockerconfigjson`: whose registries, and nothing secret.
#[derive(Deserialize)]
#[expect(clippy::zero_sized_map_values, reason = "a set can't be read of an object")]
struct DockerConfig {
    #[serde(default)]
    auths: BTreeMap<String, IgnoredAny>,
}

pub fn registry(facts: &Facts) -> Finding {
    const WHAT: &str = "Registry";
    const TYPE: &str = "kubernetes.io/dockerconfigjson";
    let namespace = &facts.namespace;
    let make = |name: &str| {
        format!(
            "kubectl --namespace {namespace} create secret docker-registry {name} --docker-server=HOST --docker-username=NAME --docker-password=PASSWORD"
        )
    };
    let Some((name, secret)) = &facts.registry_secret else {
        return match &facts.openshift {
            Ok(true) => Finding::yes(WHAT, "OpenShift's own, where a spec names no other"),
            Ok(false) => Finding {
                mend: Some(format!(
                    "run --registry HOST/PATH says which, and with --registry-secret this command looks at its Secret: {}",
                    make("push")
                )),
                ..Finding::unknown(WHAT, "images that are built from packages go to one that you name")
            },
            Err(why) => Finding::unknown(WHAT, why),
        };
    };
    let secret = match secret {
        Ok(Some(secret)) => secret,
        Ok(None) => {
            return Finding::no(
                WHAT,
                format!("there is no Secret {name} in the namespace {namespace}"),
                make(name),
            );
        }
        Err(why) => return Finding::unknown(WHAT, format!("the Secret {name} can't be read: {why}")),
    };
    let type_ = secret.type_.as_deref().unwrap_or_default();
    if type_ != TYPE {
        return Finding::no(
            WHAT,
            format!("the Secret {name} is of the type {type_}, not {TYPE}"),
            format!("delete it, then: {}", make(name)),
        );
    }
    let content = secret.data.as_ref().and_then(|data| data.get(".dockerconfigjson"));
    // What is wrong with it isn't told: a parser's words may have parts of it.
    let config = content.and_then(|content| serde_json::from_slice::<DockerConfig>(&content.0).ok());
    match config {
        Some(config) if !config.auths.is_empty() => {
            let hosts: Vec<_> = config.auths.into_keys().collect();
            Finding::yes(WHAT, format!("the Secret {name} has credentials of {}", hosts.join(", ")))
        }
        _ => Finding::no(
            WHAT,
            format!("the Secret {name} names no registry"),
            format!("delete it, then: {}", make(name)),
        ),
    }
}
