//! A Copr that is broken on purpose: the right test is red, says which component to look at, and no test loses its
//! verdict.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use copr_e2e::{Context, fixtures, with_namespace};
use copr_operator_api::v1alpha1::{CoprInstanceSpec, CoprTestRun, Outcome, Phase};

const RUN: Duration = Duration::from_secs(20 * 60);

/// All but the two that are about builders rather than about what a build leaves.
const TESTS: [&str; 7] =
    ["auth", "chroots", "project-lifecycle", "build-spec", "build-srpm", "signed-repo", "build-fails"];

/// A Copr that is broken on purpose, and what is to be seen of it.
struct Defect {
    name: &'static str,
    /// The component whose image carries it.
    component: &'static str,
    /// Puts that image into the spec.
    set: fn(&mut CoprInstanceSpec, String),
    /// The test that must fail,
    red: &'static str,
    /// and the component that it must blame.
    blamed: &'static str,
    /// Tests that must pass all the same.
    green: &'static [&'static str],
}

impl Defect {
    async fn shows(self) -> Result<()> {
        with_namespace(self.name, |ctx| self.shows_in(ctx)).await
    }

    async fn shows_in(self, ctx: Context) -> Result<()> {
        let Self { name, component, set, red, blamed, green } = self;
        let mut spec = fixtures::instance_spec();
        set(&mut spec, fixtures::defective(component, name));
        let mut run = fixtures::run("smoke", spec, &TESTS);
        // A test that is tried again would hide that it had no verdict.
        run.spec.suite.retries = 0;
        // Copr tries some of what fails again and again: then it's the test that has to end it.
        run.spec.suite.test_timeout = Some("4m".into());
        ctx.create(&run).await?;
        let run = ctx.until::<CoprTestRun>("smoke", "finished", RUN, fixtures::finished).await?;
        let test = |name: &str| fixtures::tests(&run).iter().find(|test| test.name == name);

        for test in fixtures::tests(&run) {
            ensure!(test.outcome != Outcome::Error, "{} has no verdict: {:?}", test.name, test.message);
        }
        let failed = test(red).with_context(|| format!("{red} was not run"))?;
        let said = failed.message.as_deref().unwrap_or_default();
        ensure!(failed.outcome == Outcome::Failed, "{red} is {:?}: {said}", failed.outcome);
        ensure!(failed.component.as_deref() == Some(blamed), "{red} blames {:?}: {said}", failed.component);
        ensure!(!said.is_empty(), "{red} doesn't say why");
        for &name in green {
            let passed = test(name).with_context(|| format!("{name} was not run"))?;
            ensure!(
                passed.outcome == Outcome::Passed,
                "{name} is {:?}: {:?}",
                passed.outcome,
                passed.message
            );
        }
        ensure!(fixtures::phase(&run) == Phase::Failed, "{:?}", run.status);
        Ok(())
    }
}

#[tokio::test]
#[ignore = "needs a cluster with the operator: ./check long"]
async fn keygen_refuses() -> Result<()> {
    let defect = Defect {
        name: "keygen-refuses",
        component: "keygen",
        set: |spec, image| spec.keygen.image = Some(image),
        red: "signed-repo",
        blamed: "keygen",
        green: &["auth", "chroots", "project-lifecycle", "build-fails"],
    };
    defect.shows().await
}

#[tokio::test]
#[ignore = "needs a cluster with the operator: ./check long"]
async fn no_createrepo() -> Result<()> {
    let defect = Defect {
        name: "no-createrepo",
        component: "backend",
        set: |spec, image| spec.backend.component.image = Some(image),
        red: "project-lifecycle",
        blamed: "backend",
        // No build starts before the repository's metadata are there.
        green: &["auth", "chroots"],
    };
    defect.shows().await
}

#[tokio::test]
#[ignore = "needs a cluster with the operator: ./check long"]
async fn result_dropped() -> Result<()> {
    let defect = Defect {
        name: "result-dropped",
        component: "builder",
        set: |spec, image| spec.builders.image = Some(image),
        red: "build-spec",
        blamed: "builder",
        green: &["auth", "chroots", "project-lifecycle", "build-fails"],
    };
    defect.shows().await
}

#[tokio::test]
#[ignore = "needs a cluster with the operator: ./check long"]
async fn frontend_500() -> Result<()> {
    let defect = Defect {
        name: "frontend-500",
        component: "frontend",
        set: |spec, image| spec.frontend.component.image = Some(image),
        red: "build-spec",
        blamed: "frontend",
        green: &["auth", "chroots", "project-lifecycle", "build-fails"],
    };
    defect.shows().await
}

#[tokio::test]
#[ignore = "needs a cluster with the operator: ./check long"]
async fn signature_missing() -> Result<()> {
    let defect = Defect {
        name: "signature-missing",
        component: "backend",
        set: |spec, image| spec.backend.component.image = Some(image),
        red: "signed-repo",
        blamed: "keygen",
        green: &["auth", "chroots", "project-lifecycle", "build-spec", "build-srpm", "build-fails"],
    };
    defect.shows().await
}
