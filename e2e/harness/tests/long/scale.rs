//! Much of something.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use copr_e2e::{Registry, fixtures, packaged, scripts, with_namespace};
use copr_operator_api::{
    evidence::CONDITION,
    v1alpha1::{CoprTestRun, KeepEvidence, Outcome, Phase},
};
use copr_operator_kernel::conditions;

const RUN: Duration = Duration::from_secs(45 * 60);
const KEPT: Duration = Duration::from_secs(4 * 60);
/// The most that a suite may have.
const TESTS: usize = 500;
/// Below what etcd takes, with everything else of the object.
const STATUS_MAX: usize = 64 * 1024;

#[tokio::test]
#[ignore = "needs a cluster with the operator: ./check long"]
async fn five_hundred_tests_have_a_verdict_each_in_one_status() -> Result<()> {
    with_namespace("scale", |ctx| async move {
        let names: Vec<_> = (0..TESTS).map(|number| format!("runtest-{number:03}")).collect();
        let text = "#!/bin/bash\n. /usr/share/beakerlib/beakerlib.sh || exit 1\nrlJournalStart\nrlPhaseStartTest\n\
            rlRun true\nrlPhaseEnd\nrlJournalEnd\n";
        let all: Vec<_> = names.iter().map(|name| (name.as_str(), text)).collect();
        let url = scripts::serve(&ctx, &all).await?;
        ctx.create(&fixtures::instance("copr", fixtures::instance_spec())).await?;
        let mut run = scripts::run("all", &url);
        run.spec.suite.parallelism = 12;
        run.spec.suite.retries = 1;
        ctx.create(&run).await?;
        let run = ctx.until::<CoprTestRun>("all", "finished", RUN, fixtures::finished).await?;
        ensure!(fixtures::phase(&run) == Phase::Passed, "{:?}", fixtures::verdict(&run));
        let status = run.status.as_ref().context("no status")?;
        ensure!(status.tests.len() == TESTS, "the status has {} tests", status.tests.len());
        let size = serde_json::to_vec(status)?.len();
        ensure!(size < STATUS_MAX, "the status has {size} bytes");
        Ok(())
    })
    .await
}

#[tokio::test]
#[ignore = "needs a cluster with the operator: ./check long"]
async fn a_test_that_prints_200_megabytes_has_its_verdict_and_its_evidence() -> Result<()> {
    with_namespace("loud", |ctx| async move {
        let url = scripts::serve(&ctx, &[("runtest-loud", include_str!("prints_a_lot.sh"))]).await?;
        let registry = Registry::find(&ctx).await?;
        let mut spec = fixtures::instance_spec();
        spec.registry = packaged::spec(&registry, &ctx.namespace, Vec::new(), &[])?.registry;
        ctx.create(&fixtures::instance("copr", spec)).await?;
        let mut run = scripts::run("loud", &url);
        run.spec.evidence.keep = KeepEvidence::Always;
        ctx.create(&run).await?;
        let is_settled = |run: &CoprTestRun| fixtures::evidence(run).is_some();
        ctx.until::<CoprTestRun>("loud", "finished", RUN, fixtures::finished).await?;
        let run = ctx.until::<CoprTestRun>("loud", "told of its evidence", KEPT, is_settled).await?;
        let test = fixtures::test(&run, "runtest-loud")?;
        ensure!(test.outcome == Outcome::Passed && test.attempts == 1, "{test:?}");
        let status = run.status.as_ref().context("no status")?;
        ensure!(conditions::is_true(&status.conditions, CONDITION), "{status:?}");
        let evidence = status.evidence.as_ref().context("no evidence")?;
        ensure!(evidence.artifact.is_some(), "{evidence:?}");
        Ok(())
    })
    .await
}
