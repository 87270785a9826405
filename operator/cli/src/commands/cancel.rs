//! Client required: a run, ended early.

use std::io::Write;

use kube::api::{Patch, PatchParams};
use serde_json::json;

use super::say;
use crate::{
    args::Cancel,
    cluster::{Cluster, RUN},
    error::Error,
    model::verdict::Exit,
};

pub async fn run(cluster: &Cluster, args: &Cancel, out: &mut dyn Write) -> Result<Exit, Error> {
    let name = &args.run;
    let phase = cluster.run(name).await?.status.map(|status| status.phase).unwrap_or_default();
    if phase.is_final() {
        say(out, &format!("{name} has ended already, as {phase}: there is nothing to cancel"))?;
        return Ok(Exit::Fine);
    }
    let patch = Patch::Merge(json!({"spec": {"cancel": true}}));
    let patched = cluster.whole_runs().patch(name, &PatchParams::default(), &patch).await;
    patched.map_err(|source| Error::of(RUN, "cancel", name, &cluster.namespace, source))?;
    say(out, &format!("{name} is being cancelled; 'kubectl copr watch {name}' shows when it has ended"))?;
    Ok(Exit::Fine)
}

#[cfg(test)]
mod tests {
    use copr_operator_kernel::testing::{get, patch};

    use super::*;
    use crate::{commands::testing, model::fixtures};

    const RUN: &str = "/apis/copr.fedorainfracloud.org/v1alpha1/namespaces/team/coprtestruns/pr-7";

    #[tokio::test]
    async fn a_run_is_cancelled_unless_it_has_ended() {
        let args = Cancel { run: "pr-7".into() };
        let mut going_on = fixtures::red_object();
        going_on["status"] = json!({"phase": "Running"});
        let cancelled = patch(RUN).body(json!({"spec": {"cancel": true}})).answers(going_on.clone());
        let (exit, text) = testing::run([get(RUN).answers(going_on), cancelled], async |cluster, out| {
            run(cluster, &args, out).await
        })
        .await;
        assert_eq!(exit.unwrap(), Exit::Fine);
        assert!(text.starts_with("pr-7 is being cancelled"), "{text}");

        let (exit, text) = testing::run([get(RUN).answers(fixtures::red_object())], async |cluster, out| {
            run(cluster, &args, out).await
        })
        .await;
        assert_eq!(exit.unwrap(), Exit::Fine);
        assert_eq!(text, "pr-7 has ended already, as Failed: there is nothing to cancel\n");
    }
}
