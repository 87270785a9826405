//! The suite `upstream`: scripts of a git repository, each judged by its journal, and what is made of that.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use copr_e2e::{fixtures, scripts, with_namespace};
use copr_operator_api::v1alpha1::{CoprTestRun, ExpectedFailure, Outcome, Phase};

const RUN: Duration = Duration::from_secs(9 * 60);

const SCRIPTS: [(&str, &str); 3] = [
    ("runtest-builds", include_str!("scripts/builds.sh")),
    ("runtest-breaks", include_str!("scripts/breaks.sh")),
    ("runtest-leaves", include_str!("scripts/leaves.sh")),
];

#[tokio::test]
#[ignore = "needs a cluster with the operator: ./check e2e"]
async fn each_script_has_a_verdict_and_what_was_red_is_run_again() -> Result<()> {
    with_namespace("upstream", |ctx| async move {
        let url = scripts::serve(&ctx, &SCRIPTS).await?;
        ctx.create(&fixtures::instance("copr", fixtures::instance_spec())).await?;
        ctx.create(&scripts::run("first", &url)).await?;
        let first = ctx.until::<CoprTestRun>("first", "finished", RUN, fixtures::finished).await?;
        let listed = first.status.as_ref().and_then(|status| status.suite.clone()).context("no suite")?;
        ensure!(listed.name == "upstream" && listed.tests == 3, "{listed:?}");
        ensure!(listed.commit.is_some_and(|commit| commit.len() == 40), "the commit of the scripts is known");

        let builds = fixtures::test(&first, "runtest-builds")?;
        ensure!(builds.outcome == Outcome::Passed, "{builds:?}");
        let breaks = fixtures::test(&first, "runtest-breaks")?;
        ensure!(breaks.outcome == Outcome::Failed && breaks.fingerprint.is_some(), "{breaks:?}");
        let part = breaks.results.first().context("no part that failed")?;
        ensure!(part.name.contains("projects"), "{breaks:?}");
        let leaves = fixtures::test(&first, "runtest-leaves")?;
        ensure!(leaves.outcome == Outcome::Error, "{leaves:?}");
        ensure!(leaves.reason.as_deref() == Some("JournalIncomplete"), "{leaves:?}");
        ensure!(fixtures::phase(&first) == Phase::Failed, "{:?}", first.status);

        let mut again = scripts::run("again", &url);
        again.spec.rerun_of = Some("first".into());
        again.spec.suite.expected_failures = vec![ExpectedFailure {
            test: "runtest-breaks".into(),
            result: Some(part.name.clone()),
            reason: "known".into(),
            expires: None,
        }];
        ctx.create(&again).await?;
        let again = ctx.until::<CoprTestRun>("again", "finished", RUN, fixtures::finished).await?;
        ensure!(fixtures::tests(&again).len() == 2, "{:?}", again.status);
        let same = fixtures::test(&again, "runtest-breaks")?;
        ensure!(same.outcome == Outcome::ExpectedFailure, "{same:?}");
        ensure!(same.fingerprint == breaks.fingerprint, "another failure: {same:?} {breaks:?}");
        // What has no verdict is nobody's known failure.
        ensure!(fixtures::phase(&again) == Phase::Error, "{:?}", again.status);
        Ok(())
    })
    .await
}
