//! Every outcome that a test can have, and what it makes of the run.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use copr_e2e::{fixtures, scripts, with_namespace};
use copr_operator_api::v1alpha1::{CoprTestRun, ExpectedFailure, Outcome, Phase};

const RUN: Duration = Duration::from_secs(9 * 60);

/// What a file may be called, and neither a pod nor a label.
const ODD: &str = "runtest o'dd $(id) ü; \"&";
/// One of the scripts that Copr has end early where there is nothing to test.
const SKIPS: &str = "runtest-openmandriva";

const SCRIPTS: [(&str, &str); 5] = [
    ("runtest-flaky", include_str!("scripts/second_time.sh")),
    ("runtest-hangs", include_str!("scripts/hangs.sh")),
    ("runtest-mended", include_str!("scripts/passes.sh")),
    (ODD, include_str!("scripts/passes.sh")),
    (SKIPS, include_str!("scripts/means_to_skip.sh")),
];

#[tokio::test]
#[ignore = "needs a cluster with the operator: ./check e2e"]
async fn what_is_flaky_mended_skipped_endless_or_oddly_named_is_shown_as_that() -> Result<()> {
    with_namespace("outcomes", |ctx| async move {
        let url = scripts::serve(&ctx, &SCRIPTS).await?;
        ctx.create(&fixtures::instance("copr", fixtures::instance_spec())).await?;
        let mut run = scripts::run("all", &url);
        run.spec.suite.retries_after_failure = 1;
        run.spec.suite.test_timeout = Some("1m30s".into());
        run.spec.suite.expected_failures = vec![ExpectedFailure {
            test: "runtest-mended".into(),
            result: None,
            reason: "was broken once".into(),
            expires: None,
        }];
        ctx.create(&run).await?;
        let run = ctx.until::<CoprTestRun>("all", "finished", RUN, fixtures::finished).await?;

        let is = |name: &str, outcome: Outcome| {
            let test = fixtures::test(&run, name)?;
            ensure!(test.outcome == outcome, "{name} isn't {outcome:?}: {test:?}");
            anyhow::Ok(test)
        };
        ensure!(is("runtest-flaky", Outcome::Flaky)?.attempts == 2, "{:?}", run.status);
        let mended = is("runtest-mended", Outcome::UnexpectedPass)?;
        ensure!(mended.message.as_ref().is_some_and(|m| m.contains("was broken once")), "{mended:?}");
        is(ODD, Outcome::Passed)?;
        is(SKIPS, Outcome::Skipped)?;
        let endless = is("runtest-hangs", Outcome::Error)?;
        ensure!(endless.reason.as_deref() == Some("DeadlineReached"), "{endless:?}");
        // That no failure was expected weighs more than that one test has no verdict.
        ensure!(fixtures::phase(&run) == Phase::Failed, "{:?}", run.status);
        Ok(())
    })
    .await
}

#[tokio::test]
#[ignore = "needs a cluster with the operator: ./check e2e"]
async fn with_fail_fast_nothing_is_started_after_the_first_failure() -> Result<()> {
    with_namespace("fail-fast", |ctx| async move {
        let breaks = ("a-breaks", include_str!("scripts/breaks.sh"));
        let passes = ("b-passes", include_str!("scripts/passes.sh"));
        let url = scripts::serve(&ctx, &[breaks, passes]).await?;
        ctx.create(&fixtures::instance("copr", fixtures::instance_spec())).await?;
        let mut run = scripts::run("fast", &url);
        run.spec.suite.fail_fast = true;
        run.spec.suite.parallelism = 1;
        ctx.create(&run).await?;
        let run = ctx.until::<CoprTestRun>("fast", "finished", RUN, fixtures::finished).await?;
        ensure!(fixtures::test(&run, "a-breaks")?.outcome == Outcome::Failed, "{:?}", run.status);
        let skipped = fixtures::test(&run, "b-passes")?;
        ensure!(skipped.outcome == Outcome::Skipped && skipped.pod.is_none(), "{skipped:?}");
        ensure!(fixtures::phase(&run) == Phase::Failed, "{:?}", run.status);
        let message = fixtures::verdict(&run).context("no verdict")?.message.clone();
        ensure!(message.contains("a-breaks"), "{message}");
        Ok(())
    })
    .await
}
