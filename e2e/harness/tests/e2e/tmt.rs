//! The suite `tmt`: tests of a folder of a git repository, each with a verdict.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use copr_e2e::{fixtures, git, with_namespace};
use copr_operator_api::v1alpha1::{CoprTestRun, Outcome, Phase, SuiteGit, SuiteName};

const RUN: Duration = Duration::from_secs(9 * 60);

const METADATA: &str = include_str!("tmt/main.fmf");

#[tokio::test]
#[ignore = "needs a cluster with the operator: ./check e2e"]
async fn each_tmt_test_has_a_verdict() -> Result<()> {
    with_namespace("tmt", |ctx| async move {
        let files =
            [("checks/tmt/.fmf/version".to_owned(), "1\n"), ("checks/tmt/main.fmf".to_owned(), METADATA)];
        let url = git::serve(&ctx, "git", &files).await?;
        ctx.create(&fixtures::instance("copr", fixtures::instance_spec())).await?;
        let mut run = fixtures::run_against("run", "copr", &[]);
        run.spec.suite.name = SuiteName::Tmt;
        run.spec.suite.git =
            Some(SuiteGit { url, reference: Some("main".into()), path: Some("checks/tmt".into()) });
        run.spec.suite.retries = 0;
        ctx.create(&run).await?;
        let run = ctx.until::<CoprTestRun>("run", "finished", RUN, fixtures::finished).await?;
        let suite = run.status.as_ref().and_then(|status| status.suite.clone()).context("no suite")?;
        ensure!(suite.name == "tmt" && suite.tests == 3, "{suite:?}");
        ensure!(suite.commit.is_some_and(|commit| commit.len() == 40), "the commit of the tests is known");

        let asks = fixtures::test(&run, "/asks")?;
        ensure!(asks.outcome == Outcome::Passed, "{asks:?}");
        let fails = fixtures::test(&run, "/fails")?;
        ensure!(fails.outcome == Outcome::Failed && fails.fingerprint.is_some(), "{fails:?}");
        let breaks = fixtures::test(&run, "/breaks")?;
        ensure!(breaks.outcome == Outcome::Error, "{breaks:?}");
        ensure!(breaks.reason.as_deref() == Some("TestBroken"), "{breaks:?}");
        ensure!(
            breaks.message.as_deref().is_some_and(|said| said.contains("nothing to test with")),
            "{breaks:?}"
        );
        ensure!(fixtures::phase(&run) == Phase::Failed, "{:?}", run.status);
        Ok(())
    })
    .await
}
