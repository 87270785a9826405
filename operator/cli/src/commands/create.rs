//! Client required: runs, created.

use std::io::Write;

use copr_operator_api::v1alpha1::CoprTestRun;
use kube::api::{DynamicObject, PostParams};
use serde_json::Value;

use super::{results, say, watch};
use crate::{
    args::{Create, DryRun, Followed, ObjectFormat, Rerun, Run},
    cluster::{Cluster, typed},
    error::Error,
    model::{new_run, verdict::Exit},
};

/// Without any cluster.
pub fn dry_run(args: &Run, namespace: Option<String>, out: &mut dyn Write) -> Result<Exit, Error> {
    check(&args.create)?;
    let object = read(new_run::from_flags(args), namespace)?;
    show(&object, args.create.output.unwrap_or(ObjectFormat::Yaml), out)?;
    Ok(Exit::Fine)
}

pub async fn run(cluster: &Cluster, args: &Run, out: &mut dyn Write) -> Result<Exit, Error> {
    create(cluster, new_run::from_flags(args), &args.create, out).await
}

pub async fn rerun(cluster: &Cluster, args: &Rerun, out: &mut dyn Write) -> Result<Exit, Error> {
    let whole = cluster.whole_run(&args.run).await?;
    let spec = whole.data.get("spec").cloned().unwrap_or_default();
    let run: CoprTestRun = typed(whole)?;
    let name = &args.run;
    if args.failed {
        let phase = run.status.as_ref().map(|status| status.phase).unwrap_or_default();
        if !phase.is_final() {
            return Err(Error::Said(format!(
                "the run {name} is {phase}: which tests it leaves red is known when it has ended; 'kubectl copr watch {name}' waits for that"
            )));
        }
        if new_run::red(&run).is_empty() {
            return Err(Error::Said(format!(
                "the run {name} ended as {phase} and left no test red: there is nothing to run again; without --failed all tests run"
            )));
        }
    }
    create(cluster, new_run::again(&run, &spec, args.failed), &args.create, out).await
}

async fn create(cluster: &Cluster, object: Value, args: &Create, out: &mut dyn Write) -> Result<Exit, Error> {
    check(args)?;
    let object = read(object, Some(cluster.namespace.clone()))?;
    if args.dry_run == Some(DryRun::Client) {
        show(&object, args.output.unwrap_or(ObjectFormat::Yaml), out)?;
        return Ok(Exit::Fine);
    }
    let params = PostParams { dry_run: args.dry_run.is_some(), ..PostParams::default() };
    let created = cluster.whole_runs().create(&params, &object).await.map_err(|source| {
        let name = object.metadata.name.clone().unwrap_or_default();
        match source {
            kube::Error::Api(status) if status.code == 409 => Error::Said(format!(
                "there is a CoprTestRun {name} in the namespace {} already: choose another --name, or leave it out",
                cluster.namespace
            )),
            kube::Error::Api(status) if status.code == 404 && status.reason == "NotFound" => Error::Said(
                format!("there is no namespace {}: create it with 'kubectl create namespace {0}'", cluster.namespace),
            ),
            source => Error::of(crate::cluster::RUN, "create", &name, &cluster.namespace, source),
        }
    })?;
    if let Some(format) = args.output.or(args.dry_run.map(|_| ObjectFormat::Yaml)) {
        show(&created, format, out)?;
    }
    if args.dry_run.is_some() {
        return Ok(Exit::Fine);
    }
    let run: CoprTestRun = typed(created)?;
    let name = run.metadata.name.clone().unwrap_or_default();
    if args.watch {
        if args.output.is_none() {
            say(out, &format!("CoprTestRun {name} in the namespace {}", cluster.namespace))?;
        }
        return watch::follow(cluster, &run, false, &args.followed, out).await;
    }
    if args.output.is_none() {
        say(
            out,
            &format!(
                "CoprTestRun {name} in the namespace {}; follow it: kubectl copr watch {name} --namespace {1}",
                cluster.namespace, cluster.namespace
            ),
        )?;
    }
    Ok(Exit::Fine)
}

/// The parser can't say it of a group of options.
fn check(args: &Create) -> Result<(), Error> {
    if !args.watch && args.followed != Followed::default() {
        return Err(Error::Said(
            "--results, --artifacts, --expect and --rm are about a run that is followed: add --watch".into(),
        ));
    }
    Ok(())
}

fn read(object: Value, namespace: Option<String>) -> Result<DynamicObject, Error> {
    let mut object: DynamicObject = serde_json::from_value(object)
        .map_err(|error| Error::Render { what: "an object", why: error.to_string() })?;
    object.metadata.namespace = namespace;
    Ok(object)
}

fn show(object: &DynamicObject, format: ObjectFormat, out: &mut dyn Write) -> Result<(), Error> {
    match format {
        ObjectFormat::Yaml => say(out, &results::yaml(object)?),
        ObjectFormat::Json => say(out, &results::json(object)?),
        ObjectFormat::Name => {
            let name = object.metadata.name.as_ref().or(object.metadata.generate_name.as_ref());
            say(out, &format!("coprtestrun/{}", name.map_or("", String::as_str)))
        }
    }
}

#[cfg(test)]
mod tests {
    use copr_operator_kernel::testing::{ApiServer, Exchange, get, post};
    use serde_json::json;

    use super::*;
    use crate::{commands::testing, model::fixtures};

    const RUNS: &str = "/apis/copr.fedorainfracloud.org/v1alpha1/namespaces/team/coprtestruns";

    async fn new(create: Create, script: Vec<Exchange>) -> (Result<Exit, Error>, String) {
        let mut args = Run { create, name: Some("pr-6".into()), ..Run::default() };
        args.tested.instance = Some("mine".into());
        testing::run(script, async |cluster, out| run(cluster, &args, out).await).await
    }

    #[test]
    fn a_dry_run_of_the_client_asks_nobody() {
        let mut out = Vec::new();
        let args = Run { name: Some("pr-6".into()), ..Run::default() };
        dry_run(&args, Some("team".into()), &mut out).unwrap();
        insta::assert_snapshot!(String::from_utf8(out).unwrap());
    }

    #[tokio::test]
    async fn one_of_the_server_is_sent_as_such() {
        let create =
            Create { dry_run: Some(DryRun::Server), output: Some(ObjectFormat::Name), ..Create::default() };
        let (_, text) = new(create, vec![post(RUNS).query("dryRun", "All")]).await;
        assert_eq!(text, "coprtestrun/pr-6\n");
    }

    #[tokio::test]
    async fn a_run_is_created_and_followed() {
        let created = post(RUNS)
            .body(json!({"metadata": {"name": "pr-6"}, "spec": {"instance": {"name": "mine"}}}))
            .answers(fixtures::green_object());
        let (exit, text) = new(Create { watch: true, ..Create::default() }, vec![created]).await;
        assert_eq!(exit.unwrap(), Exit::Fine);
        assert!(text.starts_with("CoprTestRun pr-6 in the namespace team\n"), "{text}");
    }

    #[tokio::test]
    async fn what_is_done_in_the_end_needs_somebody_who_waits_for_it() {
        let followed = Followed { rm: true, ..Followed::default() };
        let (result, _) = new(Create { followed, ..Create::default() }, vec![]).await;
        assert!(result.unwrap_err().text().ends_with("add --watch"));
    }

    #[tokio::test]
    async fn a_refusal_says_what_to_do() {
        let said = async |exchange| new(Create::default(), vec![exchange]).await.0.unwrap_err().text();
        let exists = post(RUNS).refuses(ApiServer::ALREADY_EXISTS, "there is one");
        assert!(said(exists).await.contains("choose another --name"));
        let invalid = post(RUNS).refuses(ApiServer::INVALID, "spec.suite.timeout: Invalid value");
        assert!(said(invalid).await.ends_with("spec.suite.timeout: Invalid value"));
        let unnamed = post(RUNS).refuses(ApiServer::NOT_FOUND, "namespaces \"team\" not found");
        assert!(said(unnamed).await.contains("kubectl create namespace team"));
        assert!(said(post(RUNS).is_no_path()).await.contains("install the operator"));
    }

    async fn again(object: Value, more: Vec<Exchange>) -> (Result<Exit, Error>, String) {
        let args = Rerun { run: "pr-7".into(), failed: true, create: Create::default() };
        let script = std::iter::once(get(format!("{RUNS}/pr-7")).answers(object)).chain(more);
        testing::run(script, async |cluster, out| rerun(cluster, &args, out).await).await
    }

    #[tokio::test]
    async fn of_a_red_run_the_red_tests_are_run_again() {
        let body = json!({"metadata": {"generateName": "pr-7-"}, "spec": {"rerunOf": "pr-7", "suite": {"name": "smoke"}}});
        let (exit, _) = again(fixtures::red_object(), vec![post(RUNS).body(body)]).await;
        assert_eq!(exit.unwrap(), Exit::Fine);
    }

    #[tokio::test]
    async fn where_there_is_nothing_to_run_again_nothing_is_created() {
        let said = async |object| again(object, vec![]).await.0.unwrap_err().text();
        assert!(said(fixtures::green_object()).await.contains("left no test red"));
        let going_on = fixtures::run_object("pr-7", fixtures::spec(), json!({"phase": "Running"}));
        assert!(said(going_on).await.contains("is Running"));
    }
}
