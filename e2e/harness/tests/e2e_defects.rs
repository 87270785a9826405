//! End to end, with a Copr that is broken on purpose: the right test is red, says which component to look at, and no
//! test loses its verdict.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use copr_e2e::{fixtures, with_namespace};
use copr_operator::api::v1alpha1::{CoprTestRun, Images, Outcome, Phase};

const RUN: Duration = Duration::from_secs(15 * 60);

/// All but the two that are about builders rather than about what a build leaves.
const TESTS: [&str; 7] =
    ["auth", "chroots", "project-lifecycle", "build-spec", "build-srpm", "signed-repo", "build-fails"];

/// Runs the suite against an instance with one defective image. `red` must fail and blame `blamed`; `green` must pass.
async fn shows(
    defect: &'static str,
    component: &'static str,
    set: fn(&mut Images, String),
    red: &'static str,
    blamed: &'static str,
    green: &'static [&'static str],
) -> Result<()> {
    with_namespace(defect, move |ctx| async move {
        let mut spec = fixtures::instance_spec();
        set(&mut spec.images, fixtures::defective(component, defect));
        let mut run = fixtures::run("smoke", spec, &TESTS);
        // A test that is tried again would hide that it had no verdict.
        run.spec.suite.retries = 0;
        ctx.create(&run).await?;
        let run = ctx.until::<CoprTestRun>("smoke", "finished", RUN, fixtures::finished).await?;
        let outcome = |name: &str| fixtures::tests(&run).iter().find(|test| test.name == name);

        for test in fixtures::tests(&run) {
            ensure!(test.outcome != Outcome::Error, "{} has no verdict: {:?}", test.name, test.message);
        }
        let failed = outcome(red).context("not run")?;
        ensure!(failed.outcome == Outcome::Failed, "{red} is {:?}: {:?}", failed.outcome, failed.message);
        ensure!(
            failed.component.as_deref() == Some(blamed),
            "{red} blames {:?}: {:?}",
            failed.component,
            failed.message
        );
        ensure!(failed.message.as_ref().is_some_and(|said| !said.is_empty()), "{red} doesn't say why");
        for &name in green {
            let passed = outcome(name).context("not run")?;
            ensure!(
                passed.outcome == Outcome::Passed,
                "{name} is {:?}: {:?}",
                passed.outcome,
                passed.message
            );
        }
        ensure!(fixtures::phase(&run) == Phase::Failed, "{:?}", run.status);
        Ok(())
    })
    .await
}

#[tokio::test]
#[ignore = "needs a cluster with the operator: ./check e2e"]
async fn keygen_refuses() -> Result<()> {
    let set = |images: &mut Images, image| images.keygen = Some(image);
    shows("keygen-refuses", "keygen", set, "signed-repo", "keygen", &["auth", "chroots"]).await
}

#[tokio::test]
#[ignore = "needs a cluster with the operator: ./check e2e"]
async fn no_createrepo() -> Result<()> {
    let set = |images: &mut Images, image| images.backend = Some(image);
    let green = &["auth", "chroots", "build-fails"];
    shows("no-createrepo", "backend", set, "project-lifecycle", "backend", green).await
}

#[tokio::test]
#[ignore = "needs a cluster with the operator: ./check e2e"]
async fn result_dropped() -> Result<()> {
    let set = |images: &mut Images, image| images.builder = Some(image);
    let green = &["auth", "chroots", "project-lifecycle", "build-fails"];
    shows("result-dropped", "builder", set, "build-spec", "builder", green).await
}

#[tokio::test]
#[ignore = "needs a cluster with the operator: ./check e2e"]
async fn frontend_500() -> Result<()> {
    let set = |images: &mut Images, image| images.frontend = Some(image);
    let green = &["auth", "chroots", "project-lifecycle", "build-fails"];
    shows("frontend-500", "frontend", set, "build-spec", "frontend", green).await
}

#[tokio::test]
#[ignore = "needs a cluster with the operator: ./check e2e"]
async fn signature_missing() -> Result<()> {
    let set = |images: &mut Images, image| images.backend = Some(image);
    let green = &["auth", "chroots", "project-lifecycle", "build-spec", "build-srpm", "build-fails"];
    shows("signature-missing", "backend", set, "signed-repo", "keygen", green).await
}
