//! Client required: waits until the operator has said what became of the evidence of a run that has ended.

use std::time::Duration;

use copr_operator_api::{
    evidence::{CONDITION, TIME},
    v1alpha1::CoprTestRun,
};
use copr_operator_kernel::conditions;
use tokio::time::{Instant, sleep};

use crate::cluster::Cluster;

const PAUSE: Duration = Duration::from_secs(1);
/// For the operator to say so, after the time that it takes at most.
const GRACE: Duration = Duration::from_secs(15);

/// Whether something of it is still to come.
pub fn is_awaited(run: &CoprTestRun) -> bool {
    let status = run.status.clone().unwrap_or_default();
    run.spec.evidence.is_kept_of(status.phase) && conditions::get(&status.conditions, CONDITION).is_none()
}

/// Until it's settled, the run is gone, or that takes longer than it may; tells whether it's settled. An API server that is away
/// for a while is asked again.
pub async fn settled(cluster: &Cluster, name: &str) -> bool {
    let until = Instant::now() + TIME.unsigned_abs() + GRACE;
    while Instant::now() < until {
        match cluster.runs().get_opt(name).await {
            Ok(Some(run)) if is_awaited(&run) => {}
            Ok(Some(_)) => return true,
            Ok(None) => return false,
            // Said by whoever reads the run next, if it lasts.
            Err(_) => {}
        }
        sleep(PAUSE).await;
    }
    false
}

#[cfg(test)]
mod tests {
    use copr_operator_kernel::testing::{ApiServer, get};
    use serde_json::{Value, json};

    use super::*;
    use crate::{commands::testing, model::fixtures};

    const RUN: &str = "/apis/copr.fedorainfracloud.org/v1alpha1/namespaces/team/coprtestruns/pr-7";

    fn run(phase: &str, conditions: &Value) -> Value {
        fixtures::run_object("pr-7", fixtures::spec(), json!({"phase": phase, "conditions": conditions}))
    }

    fn kept() -> Value {
        json!([{"type": "EvidenceKept", "status": "True", "reason": "Kept", "message": "",
                "lastTransitionTime": "2026-11-26T09:00:00Z"}])
    }

    fn awaited(run: Value) -> bool {
        is_awaited(&serde_json::from_value(run).unwrap())
    }

    #[test]
    fn evidence_is_awaited_of_a_red_run_until_it_is_said_what_became_of_it() {
        assert!(awaited(run("Failed", &json!([]))));
        assert!(!awaited(run("Failed", &kept())));
        assert!(!awaited(run("Passed", &json!([]))));
        assert!(!awaited(run("Running", &json!([]))));
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_waited_for_while_the_api_server_is_away() {
        let (found, _) = testing::run(
            [
                get(RUN).answers(run("Failed", &json!([]))),
                get(RUN).refuses(ApiServer::INTERNAL_ERROR, "etcd is away"),
                get(RUN).answers(run("Failed", &kept())),
            ],
            async |cluster, _| settled(cluster, "pr-7").await,
        )
        .await;
        assert!(found);
    }
}
