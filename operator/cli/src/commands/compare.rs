//! Client required: a run, compared with an earlier one.

use std::io::Write;

use copr_operator_api::v1alpha1::{CoprTestRun, Outcome, Phase};

use super::say;
use crate::{
    args::Compare,
    cluster::Cluster,
    error::Error,
    model::{
        compare,
        verdict::{self, Exit},
    },
};

pub async fn run(cluster: &Cluster, args: &Compare, out: &mut dyn Write) -> Result<Exit, Error> {
    let before = cluster.run(&args.before).await?;
    let after = cluster.run(&args.after).await?;
    for run in [&before, &after] {
        let phase = phase(run);
        if !phase.is_final() {
            let name = run.metadata.name.as_deref().unwrap_or_default();
            return Err(Error::Said(format!(
                "the run {name} is {phase} and has no verdict yet; 'kubectl copr watch {name}' waits for it"
            )));
        }
    }
    say(out, &compare::words(&before, &after))?;
    let status = |run: &CoprTestRun| run.status.clone().unwrap_or_default();
    let got_red = compare::difference(&status(&before), &status(&after)).got_red;
    Ok(if [&before, &after].into_iter().any(|run| verdict::exit(phase(run)) == Exit::Trouble) {
        say(out, "\nA run has no verdict: that nothing got red says nothing.")?;
        Exit::Trouble
    } else if got_red.iter().any(|change| change.after != Some(Outcome::Error)) {
        Exit::Failed
    } else if got_red.is_empty() {
        Exit::Fine
    } else {
        Exit::Trouble
    })
}

fn phase(run: &CoprTestRun) -> Phase {
    run.status.as_ref().map(|status| status.phase).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use copr_operator_kernel::testing::get;
    use serde_json::json;

    use super::*;
    use crate::{commands::testing, model::fixtures};

    #[tokio::test]
    async fn a_test_that_got_red_is_the_exit_code() {
        const RUNS: &str = "/apis/copr.fedorainfracloud.org/v1alpha1/namespaces/team/coprtestruns";
        let green = || get(format!("{RUNS}/pr-6")).answers(fixtures::green_object());
        let red = || get(format!("{RUNS}/pr-7")).answers(fixtures::red_object());
        let compared = async |before: &str, after: &str, script| {
            let args = Compare { before: before.into(), after: after.into() };
            testing::run(script, async |cluster, out| run(cluster, &args, out).await).await.0.unwrap()
        };
        assert_eq!(compared("pr-6", "pr-7", [green(), red()]).await, Exit::Failed);
        assert_eq!(compared("pr-7", "pr-6", [red(), green()]).await, Exit::Fine);
        // A node was lost, and nothing else got red.
        let lost = || {
            let mut run = fixtures::green_object();
            run["status"]["tests"][0]["outcome"] = "Error".into();
            run
        };
        let failed = || {
            let mut run = lost();
            run["status"]["phase"] = "Failed".into();
            get(format!("{RUNS}/pr-6")).answers(run)
        };
        assert_eq!(compared("pr-6", "pr-6", [green(), failed()]).await, Exit::Trouble);
        let without_verdict = || {
            let mut run = lost();
            run["status"]["phase"] = "Error".into();
            run["status"]["tests"] = json!([]);
            get(format!("{RUNS}/pr-6")).answers(run)
        };
        assert_eq!(compared("pr-6", "pr-6", [green(), without_verdict()]).await, Exit::Trouble);
    }
}
