//! Client required: a run that goes when nobody follows it any longer.

use std::{io, time::Duration};

use copr_operator_api::v1alpha1::CoprTestRun;
use kube::api::{DeleteParams, Preconditions};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::{
    cluster::{Cluster, RUN},
    error::{self, Error},
};

/// How long all that belongs to a run may take to go.
const GONE: Duration = Duration::from_secs(180);
const AGAIN: Duration = Duration::from_secs(1);

/// Ctrl-C, `kill`, and a terminal that is closed.
pub struct Interruption([Signal; 3]);

impl Interruption {
    pub fn new() -> io::Result<Self> {
        let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
        let [interrupt, terminate, hangup] = kinds.map(signal);
        Ok(Self([interrupt?, terminate?, hangup?]))
    }

    pub async fn comes(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}

/// With all that belongs to it. If that fails the verdict is the same: it's said beside it.
pub async fn delete(cluster: &Cluster, run: &CoprTestRun, interruption: &mut Interruption) {
    let name = run.metadata.name.as_deref().unwrap_or_default();
    error::tell(&format!("deleting the run {name} and all that belongs to it"));
    let why = tokio::select! {
        gone = gone(cluster, run, name) => gone.err().map(|error| error.text()),
        () = interruption.comes() => Some("interrupted".into()),
        () = tokio::time::sleep(GONE) => Some(format!("it is still there after {} seconds", GONE.as_secs())),
    };
    if let Some(why) = why {
        error::tell(&format!(
            "the run {name} could not be deleted ({why}); later: kubectl delete coprtestrun {name} --namespace {}",
            cluster.namespace
        ));
    }
}

async fn gone(cluster: &Cluster, run: &CoprTestRun, name: &str) -> Result<(), Error> {
    let of = |doing: &'static str| move |source| Error::of(RUN, doing, name, &cluster.namespace, source);
    let runs = cluster.whole_runs();
    let uid = run.metadata.uid.clone();
    // Not another one that has its name by now.
    let preconditions = Preconditions { uid: uid.clone(), ..Preconditions::default() };
    let params = DeleteParams::foreground().preconditions(preconditions);
    loop {
        match runs.delete(name, &params).await {
            Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => return Ok(()),
            Err(away) if error::passes(&away) => tokio::time::sleep(AGAIN).await,
            deleted => {
                deleted.map_err(of("delete"))?;
                break;
            }
        }
    }
    loop {
        match runs.get_opt(name).await {
            Ok(None) => return Ok(()),
            Ok(Some(found)) if found.metadata.uid != uid => return Ok(()),
            Err(error) if !error::passes(&error) => return Err(of("read")(error)),
            Ok(Some(_)) | Err(_) => tokio::time::sleep(AGAIN).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use copr_operator_kernel::testing::{ApiServer, Exchange, delete, get};
    use serde_json::json;

    use crate::{commands::testing, model::fixtures};

    const RUN: &str = "/apis/copr.fedorainfracloud.org/v1alpha1/namespaces/team/coprtestruns/pr-7";

    async fn gone(script: Vec<Exchange>) -> Result<(), String> {
        let (result, _) =
            testing::run(script, async |cluster, _| super::gone(cluster, &fixtures::red(), "pr-7").await)
                .await;
        result.map_err(|error| error.text())
    }

    fn deleted() -> Exchange {
        let options = json!({"propagationPolicy": "Foreground", "preconditions": {"uid": "0b1d"}});
        delete(RUN).body(options)
    }

    #[tokio::test(start_paused = true)]
    async fn a_run_is_gone_when_all_that_belongs_to_it_is() {
        let there = || get(RUN).answers(fixtures::red_object());
        let none = get(RUN).refuses(ApiServer::NOT_FOUND, "there is none");
        assert_eq!(gone(vec![deleted(), there(), there(), none]).await, Ok(()));
        let mut other = fixtures::red_object();
        other["metadata"]["uid"] = json!("another");
        assert_eq!(gone(vec![deleted(), get(RUN).answers(other)]).await, Ok(()));
        // The API server goes away for a moment.
        let none = get(RUN).refuses(ApiServer::NOT_FOUND, "there is none");
        let away = [deleted().is_cut_off(), deleted(), get(RUN).is_cut_off(), none];
        assert_eq!(gone(away.into()).await, Ok(()));
    }

    #[tokio::test]
    async fn one_that_is_gone_already_is_no_error_and_a_refusal_is() {
        assert_eq!(gone(vec![deleted().refuses(ApiServer::NOT_FOUND, "there is none")]).await, Ok(()));
        assert_eq!(gone(vec![deleted().refuses(ApiServer::CONFLICT, "another uid")]).await, Ok(()));
        let error = gone(vec![deleted().refuses(ApiServer::FORBIDDEN, "you may not")]).await.unwrap_err();
        assert_eq!(error, "failed to delete CoprTestRun pr-7 in the namespace team: you may not");
    }
}
