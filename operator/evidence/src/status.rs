//! Client required: writes into a run's status what became of its evidence. The run's own controller writes there, too: what was changed
//! meanwhile is read again.

use copr_operator_api::{
    evidence::CONDITION,
    labels::FIELD_MANAGER,
    v1alpha1::{CoprTestRun, EvidenceStatus},
};
use copr_operator_kernel::conditions::{self, Finding};
use kube::{Api, Client, ResourceExt as _, api::PostParams};

const TRIES: usize = 5;

/// What couldn't be read or written.
#[derive(Debug, thiserror::Error)]
#[error("failed to {what} CoprTestRun {name}")]
pub struct Error {
    what: &'static str,
    name: String,
    #[source]
    source: kube::Error,
}

/// The run as it is now; nothing if it's gone, or another of its name.
pub async fn read(client: &Client, run: &CoprTestRun) -> Result<Option<CoprTestRun>, Error> {
    let (name, uid) = (run.name_any(), run.uid());
    let found = api(client, run).get_opt(&name).await;
    let found = found.map_err(|source| Error { what: "read", name, source })?;
    Ok(found.filter(|fresh| fresh.uid() == uid))
}

/// Writes; tells whether there still was a run. What is known of containers that couldn't be started stays.
pub async fn write(
    client: &Client,
    run: &CoprTestRun,
    kept: Option<&EvidenceStatus>,
    finding: &Finding,
) -> Result<bool, Error> {
    let name = run.name_any();
    let params = PostParams { field_manager: Some(FIELD_MANAGER.into()), ..PostParams::default() };
    for attempt in 1..=TRIES {
        let Some(mut fresh) = read(client, run).await? else { return Ok(false) };
        let generation = fresh.metadata.generation;
        let status = fresh.status.get_or_insert_default();
        if let Some(kept) = kept {
            status.evidence = Some(kept.clone());
        }
        conditions::set(&mut status.conditions, CONDITION, finding.clone(), generation, crate::now());
        match api(client, run).replace_status(&name, &params, &fresh).await {
            Ok(_) => return Ok(true),
            Err(kube::Error::Api(answer)) if answer.is_conflict() && attempt < TRIES => {}
            Err(source) => return Err(Error { what: "write the status of", name, source }),
        }
    }
    Ok(false)
}

fn api(client: &Client, run: &CoprTestRun) -> Api<CoprTestRun> {
    Api::namespaced(client.clone(), &run.namespace().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use copr_operator_kernel::testing::{ApiServer, get, put};
    use serde_json::{Value, json};

    use super::*;

    const PATH: &str = "/apis/copr.fedorainfracloud.org/v1alpha1/namespaces/ci/coprtestruns/pr-7";

    fn run(uid: &str) -> Value {
        json!({
            "apiVersion": "copr.fedorainfracloud.org/v1alpha1", "kind": "CoprTestRun",
            "metadata": {"name": "pr-7", "namespace": "ci", "uid": uid},
            "spec": {"instance": {"name": "copr"}},
            "status": {"phase": "Failed"},
        })
    }

    async fn write_to(server: &ApiServer) -> bool {
        let kept =
            EvidenceStatus { artifact: Some("r/copr-evidence@sha256:0f".into()), ..Default::default() };
        let run = serde_json::from_value(run("1")).unwrap();
        write(&server.client(), &run, Some(&kept), &Finding::yes("Kept", "")).await.unwrap()
    }

    #[tokio::test]
    async fn a_status_that_was_changed_meanwhile_is_read_again() {
        let written =
            json!({"status": {"phase": "Failed", "evidence": {"artifact": "r/copr-evidence@sha256:0f"}}});
        let server = ApiServer::expects([
            get(PATH).answers(run("1")),
            put(format!("{PATH}/status")).refuses(ApiServer::CONFLICT, "it was changed"),
            get(PATH).answers(run("1")),
            put(format!("{PATH}/status")).body(written),
        ]);
        assert!(write_to(&server).await);
    }

    #[tokio::test]
    async fn another_run_of_that_name_is_left_alone() {
        let server = ApiServer::expects([get(PATH).answers(run("2"))]);
        assert!(!write_to(&server).await);
    }
}
