//! Scripts of the suite `upstream`.

use anyhow::Result;
use copr_operator_api::v1alpha1::{CoprTestRun, SuiteGit, SuiteName};

use crate::{Context, fixtures, git};

/// Where Copr has them.
const FOLDER: &str = "beaker-tests/Sanity/copr-cli-basic-operations";

/// Serves scripts, given by the names of their tests; returns the URL of their repository.
pub async fn serve(ctx: &Context, scripts: &[(&str, &str)]) -> Result<String> {
    let files: Vec<_> = scripts.iter().map(|(name, text)| (format!("{FOLDER}/{name}.sh"), *text)).collect();
    git::serve(ctx, "git", &files).await
}

/// A run of those against the instance `copr`.
pub fn run(name: &str, url: &str) -> CoprTestRun {
    let mut run = fixtures::run_against(name, "copr", &[]);
    run.spec.suite.name = SuiteName::Upstream;
    run.spec.suite.git = Some(SuiteGit { url: url.into(), reference: Some("main".into()), path: None });
    run.spec.suite.retries = 0;
    run
}
