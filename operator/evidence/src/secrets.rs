//! Client required: what no evidence of a run may have in it: what was generated for its instance, and what the instance's spec refers to.

use std::collections::BTreeSet;

use copr_operator_api::{names, v1alpha1::CoprInstanceSpec};
use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client};
use serde_json::Value;

use crate::{error::Error, scrub::Secrets};

/// Reads them. A Secret that is gone has nothing that could be blanked.
pub async fn read(
    client: &Client,
    namespace: &str,
    instance: &str,
    spec: Option<&CoprInstanceSpec>,
) -> Result<Secrets, Error> {
    let api: Api<Secret> = Api::namespaced(client.clone(), namespace);
    let mut wanted = BTreeSet::from([names::credentials(instance), names::client(instance)]);
    referred(&serde_json::to_value(spec)?, &mut wanted);
    let mut secrets = Secrets::default();
    for name in wanted {
        let what = || format!("the Secret {name}");
        let found = api.get_opt(&name).await.map_err(|source| Error::Read { what: what(), source })?;
        for (key, value) in found.into_iter().filter_map(|secret| secret.data).flatten() {
            secrets.add(&key, &String::from_utf8_lossy(&value.0));
        }
    }
    Ok(secrets)
}

/// The Secrets that a spec names: in each field whose name ends with `Secret` or `Secrets`.
fn referred(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                match value {
                    Value::Object(reference) if key.ends_with("Secret") => {
                        found.extend(reference.get("name").and_then(Value::as_str).map(str::to_owned));
                    }
                    Value::Array(names) if key.ends_with("Secrets") => {
                        found.extend(names.iter().filter_map(Value::as_str).map(str::to_owned));
                    }
                    _ => referred(value, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| referred(item, found)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use copr_operator_kernel::testing::{ApiServer, get};
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn the_instances_own_secrets_are_read_and_those_that_its_spec_names() {
        let spec = serde_json::from_value(json!({
            "chroots": ["x-1-x86_64"],
            "images": {"pullSecrets": ["pull"]},
            "registry": {"url": "r.example/copr", "pushSecret": {"name": "push"}},
        }))
        .unwrap();
        let secret = |name: &str| get(format!("/api/v1/namespaces/ci/secrets/{name}"));
        // "tokentoken"
        let generated = json!({"data": {"api-token": "dG9rZW50b2tlbg=="}});
        let server = ApiServer::expects([
            secret("copr-client"),
            secret("copr-credentials").answers(generated),
            secret("pull"),
            secret("push"),
        ]);
        let secrets = read(&server.client(), "ci", "copr", Some(&spec)).await.unwrap();
        assert_eq!(secrets.scrubber().unwrap().clean(b"a tokentoken"), b"a **********");
    }
}
