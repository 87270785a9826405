//! Clusters that choose the uid of pods.

use std::time::Duration;

use anyhow::{Result, ensure};
use copr_e2e::{fixtures, uid, with_namespace};
use copr_operator_api::v1alpha1::{CoprInstance, CoprTestRun, Phase};
use copr_operator_kernel::conditions::is_true;
use k8s_openapi::api::core::v1::Pod;
use kube::api::LogParams;

const AVAILABLE: Duration = Duration::from_secs(5 * 60);
const RUN: Duration = Duration::from_secs(10 * 60);

/// From spec to signed repository: the import's daemon asks for its user, PostgreSQL, gpg and sshd's clients for theirs.
#[tokio::test]
#[ignore = "needs a cluster with the operator: ./check e2e"]
async fn a_build_succeeds_where_the_cluster_chooses_the_uid() -> Result<()> {
    with_namespace("uid", |ctx| async move {
        uid::assign(&ctx).await?;
        ctx.create(&fixtures::instance("copr", fixtures::instance_spec())).await?;
        let available = |instance: &CoprInstance| {
            instance.status.as_ref().is_some_and(|status| is_true(&status.conditions, "Available"))
        };
        ctx.until("copr", "Available", AVAILABLE, available).await?;
        ensure!(
            uid::everywhere(&ctx).await? == 8,
            "an instance has seven pods, and one has looked into the builder image"
        );

        ctx.create(&fixtures::run_against("one", "copr", &["build-spec", "signed-repo"])).await?;
        let run = ctx.until::<CoprTestRun>("one", "finished", RUN, fixtures::finished).await?;
        ensure!(fixtures::phase(&run) == Phase::Passed, "{:?}", run.status);
        uid::everywhere(&ctx).await?;
        // What dispatchers write into files is where `kubectl logs` shows it.
        for (pod, told) in [
            ("copr-backend-0", "build_dispatcher: "),
            ("copr-backend-0", "worker: "),
            ("copr-dist-git-0", "main: "),
        ] {
            let of = LogParams { container: Some("logs".into()), ..LogParams::default() };
            let log = ctx.api::<Pod>().logs(pod, &of).await?;
            ensure!(log.lines().any(|line| line.starts_with(told)), "{pod} logs no line of {told}\n{log}");
        }
        Ok(())
    })
    .await
}
