//! Client required: runs, created.

use std::io::Write;

use copr_operator_api::v1alpha1::CoprTestRun;
use kube::api::DynamicObject;
use serde_json::Value;

use super::{
    artifacts::Folder,
    end::Interruption,
    packages::{self, Found},
    results, say, watch,
};
use crate::{
    args::{Create, DryRun, Expected, Followed, ObjectFormat, RepositoryArg, Rerun, Run},
    cluster::{Cluster, typed},
    error::Error,
    model::{self, new_run, verdict::Exit},
};

/// What the repository of `--packages` is called.
const LOCAL: &str = "local";

/// Without any cluster.
pub fn dry_run(args: &Run, namespace: Option<String>, out: &mut dyn Write) -> Result<Exit, Error> {
    check(&args.create)?;
    let (args, found) = locate(args, namespace.as_deref().unwrap_or_default())?;
    if namespace.is_none() && !found.is_empty() {
        return Err(Error::Said(
            "the namespace is part of the URL of packages that are served: add --namespace".into(),
        ));
    }
    let object = read(new_run::from_flags(&args), namespace)?;
    show(&object, args.create.output.unwrap_or(ObjectFormat::Yaml), out)?;
    Ok(Exit::Fine)
}

pub async fn run(cluster: &Cluster, args: &Run, out: &mut dyn Write) -> Result<Exit, Error> {
    check(&args.create)?;
    let (args, found) = locate(args, &cluster.namespace)?;
    let object = new_run::from_flags(&args);
    if found.is_empty() || args.create.dry_run.is_some() {
        let created = create(cluster, object, &args.create).await?;
        return follow(cluster, created, &args.create, out).await;
    }
    let names: Vec<_> = found.iter().map(Found::name).collect();
    let made = packages::Made::default();
    let tested = &args.tested;
    let settings = packages::Settings::new(&tested.packages_image, tested.registry_secret.as_deref());
    let sender = packages::Exec(cluster.pods());
    let mut interruption = Interruption::new()?;
    let creation = async {
        for found in &found {
            Box::pin(packages::serve(cluster, found, &settings, &sender, &made)).await?;
        }
        create(cluster, object, &args.create).await
    };
    let created = tokio::select! {
        created = creation => created,
        () = interruption.comes() => Err(Error::Said("interrupted: no run was created".into())),
    };
    let created = match created {
        Ok(created) => created,
        Err(error) => {
            packages::discard(cluster, &made).await;
            return Err(error);
        }
    };
    Box::pin(packages::give(cluster, &names, &typed(created.clone())?)).await;
    tokio::select! {
        exit = follow(cluster, created, &args.create, out) => exit,
        // With --rm that is done where it is deleted.
        () = interruption.comes(), if !args.create.followed.rm => {
            Err(Error::Said("interrupted: the run goes on in the cluster".into()))
        }
    }
}

/// The folders of this machine, and the flags with the URLs at which these will be in the cluster.
fn locate(args: &Run, namespace: &str) -> Result<(Run, Vec<Found>), Error> {
    let mut args = args.clone();
    if args.tested.overlay.iter().chain(&args.tested.repo).any(RepositoryArg::has_credentials) {
        return Err(Error::Said(
            "a URL of --repo or --overlay has credentials in it, which would be for all to read in the run: put them into a \
             Secret, and name it in credentialsSecret of an object that you apply"
                .into(),
        ));
    }
    let mut all: Vec<Found> = Vec::new();
    if let Some(folder) = &args.tested.packages {
        let found = Found::look(folder)?;
        args.create.followed.expect.extend(
            found.nevras().map(|nevra| Expected { repository: LOCAL.into(), nevra: nevra.to_owned() }),
        );
        let url = model::packages::url(&found.name(), namespace);
        args.tested.overlay.insert(0, RepositoryArg { name: LOCAL.into(), url });
        all.push(found);
    }
    for repository in args.tested.overlay.iter_mut().chain(&mut args.tested.repo) {
        if let Some(folder) = repository.folder() {
            let found = Found::look(folder)?;
            repository.url = model::packages::url(&found.name(), namespace);
            if all.iter().all(|other| other.name() != found.name()) {
                all.push(found);
            }
        }
    }
    Ok((args, all))
}

pub async fn rerun(cluster: &Cluster, args: &Rerun, out: &mut dyn Write) -> Result<Exit, Error> {
    check(&args.create)?;
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
    let object = new_run::again(&run, &spec, args.failed);
    if args.create.dry_run == Some(DryRun::Client) {
        let object = read(object, Some(cluster.namespace.clone()))?;
        show(&object, args.create.output.unwrap_or(ObjectFormat::Yaml), out)?;
        return Ok(Exit::Fine);
    }
    let names = model::packages::names_in(&spec, &cluster.namespace);
    packages::check(cluster, &names).await?;
    let created = create(cluster, object, &args.create).await?;
    if args.create.dry_run.is_none() {
        Box::pin(packages::give(cluster, &names, &typed(created.clone())?)).await;
    }
    follow(cluster, created, &args.create, out).await
}

async fn create(cluster: &Cluster, object: Value, args: &Create) -> Result<DynamicObject, Error> {
    let object = read(object, Some(cluster.namespace.clone()))?;
    cluster.create_run(&object, args.dry_run.is_some()).await.map_err(|source| {
        let name = object.metadata.name.clone().unwrap_or_default();
        match source {
            kube::Error::Api(status) if status.code == 409 => Error::Said(format!(
                "there is a CoprTestRun {name} in the namespace {} already: choose another --name, or leave it out",
                cluster.namespace
            )),
            kube::Error::Api(status) if status.code == 404 && status.reason == "NotFound" => Error::Said(
                format!("there is no namespace {}: create it with 'kubectl create namespace {0}'", cluster.namespace),
            ),
            kube::Error::Api(status) if status.message.contains("strict decoding error") => Error::Said(format!(
                "this cluster's operator doesn't know all that the flags say ({}): update it, or do without", status.message
            )),
            source => Error::of(crate::cluster::RUN, "create", &name, &cluster.namespace, source),
        }
    })
}

/// What was asked for of a run that was, or would have been, created.
async fn follow(
    cluster: &Cluster,
    created: DynamicObject,
    args: &Create,
    out: &mut dyn Write,
) -> Result<Exit, Error> {
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
    // Before anything is made of what would then be in vain.
    if let Some(folder) = args.followed.artifacts.as_ref().filter(|_| args.dry_run.is_none()) {
        Folder::new(folder)?;
    }
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
    use copr_operator_kernel::testing::{ApiServer, Exchange, get, patch, post};
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
        let sent = post(RUNS).query("dryRun", "All").query("fieldValidation", "Strict");
        let (_, text) = new(create, vec![sent]).await;
        assert_eq!(text, "coprtestrun/pr-6\n");
    }

    const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/team/deployments";

    /// A folder with a package, and the name under which it is served.
    fn packages() -> (testing::Folder, String) {
        let folder = testing::Folder::new();
        std::fs::write(folder.path().join("copr-backend-9-1.noarch.rpm"), "x").unwrap();
        let name = Found::look(folder.path()).unwrap().name();
        (folder, name)
    }

    fn with(folder: &testing::Folder, create: Create) -> Run {
        let mut args = Run { create, name: Some("pr-6".into()), ..Run::default() };
        args.tested.packages = Some(folder.path().into());
        args.tested.repo = vec![format!("mine={}", folder.path().display()).parse().unwrap()];
        args
    }

    fn is_served(name: &str) -> Exchange {
        get(format!("{DEPLOYMENTS}/{name}"))
            .answers(json!({"metadata": {}, "status": {"availableReplicas": 1}}))
    }

    #[tokio::test]
    async fn packages_of_this_machine_are_served_and_expected_and_go_with_the_run() {
        let (folder, name) = packages();
        let args = with(&folder, Create { watch: true, ..Create::default() });
        let url = format!("http://{name}.team.svc:8080/");
        let repositories = json!([{"name": "local", "baseURL": url, "priority": 1}, {"name": "mine", "baseURL": url, "priority": 10}]);
        let body = json!({"spec": {"instance": {"template": {"packages": {"repositories": repositories}}}}});
        let owned = |kind: &str| patch(format!("{kind}/{name}")).query("fieldManager", "kubectl-copr-pr-6");
        let core = "/api/v1/namespaces/team";
        let script = [
            is_served(&name),
            post(RUNS).body(body).answers(fixtures::green_object()),
            is_served(&name),
            owned(&format!("{core}/persistentvolumeclaims")),
            owned(&format!("{core}/services")),
            owned(DEPLOYMENTS),
        ];
        let (exit, _) = testing::run(script, async |cluster, out| run(cluster, &args, out).await).await;
        assert!(exit.unwrap_err().text().contains("in any image: copr-backend-9-1.noarch."));
    }

    #[tokio::test]
    async fn what_others_serve_stays_if_the_run_is_refused() {
        let (folder, name) = packages();
        let mut args = with(&folder, Create::default());
        args.tested.repo.clear();
        let script =
            [is_served(&name), post(RUNS).refuses(ApiServer::INVALID, "spec.suite.timeout: Invalid value")];
        let (exit, _) = testing::run(script, async |cluster, out| run(cluster, &args, out).await).await;
        assert!(exit.unwrap_err().text().ends_with("Invalid value"));
    }

    #[test]
    fn a_dry_run_with_packages_needs_a_namespace() {
        let (folder, name) = packages();
        let args = with(&folder, Create::default());
        let mut out = Vec::new();
        dry_run(&args, Some("team".into()), &mut out).unwrap();
        assert!(String::from_utf8(out).unwrap().contains(&format!("http://{name}.team.svc:8080/")));
        assert!(dry_run(&args, None, &mut Vec::new()).unwrap_err().text().ends_with("add --namespace"));
    }

    #[tokio::test]
    async fn a_run_is_created_and_followed() {
        let created = post(RUNS)
            .query("fieldValidation", "Strict")
            .body(json!({"metadata": {"name": "pr-6"}, "spec": {"instance": {"name": "mine"}}}))
            .answers(fixtures::green_object());
        let (exit, text) = new(Create { watch: true, ..Create::default() }, vec![created]).await;
        assert_eq!(exit.unwrap(), Exit::Fine);
        assert!(text.starts_with("CoprTestRun pr-6 in the namespace team\n"), "{text}");
    }

    #[tokio::test]
    async fn nothing_is_created_if_what_is_wanted_in_the_end_can_t_be_written() {
        let (folder, _) = packages();
        let followed = Followed { artifacts: Some(folder.path().into()), ..Followed::default() };
        let (result, _) = new(Create { watch: true, followed, ..Create::default() }, vec![]).await;
        assert!(result.unwrap_err().text().contains("name a folder that is empty"));
    }

    #[test]
    fn credentials_are_in_no_object_and_in_no_error() {
        let mut args = Run::default();
        args.tested.repo = vec!["pr=https://me:hunter2@r.example/".parse().unwrap()];
        let mut out = Vec::new();
        let error = dry_run(&args, None, &mut out).unwrap_err().text();
        assert!(error.contains("credentialsSecret") && !error.contains("hunter2"), "{error}");
        assert!(out.is_empty());
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
        let unknown =
            post(RUNS).refuses((400, "BadRequest"), r#"strict decoding error: unknown field "spec.a""#);
        assert!(said(unknown).await.contains(r#"doesn't know all that the flags say (strict decoding error: unknown field "spec.a"): update it"#));
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
    async fn packages_that_a_run_had_are_its_reruns_too_if_they_are_there() {
        let mut red = fixtures::red_object();
        red["spec"] = json!({"instance": {"template": {"chroots": ["fedora-44-x86_64"], "packages": {"repositories": [
            {"name": "local", "baseURL": "http://packages-1.team.svc:8080/"}]}}}});
        let deployment = || get(format!("{DEPLOYMENTS}/packages-1"));
        let (result, _) = again(red.clone(), vec![deployment()]).await;
        assert!(
            result.unwrap_err().text().contains("give them again, with 'kubectl copr run --packages DIR'")
        );
        let owned =
            |kind: &str| patch(format!("{kind}/packages-1")).query("fieldManager", "kubectl-copr-pr-6");
        let script = vec![
            deployment().answers(json!({"metadata": {}})),
            post(RUNS).answers(fixtures::green_object()),
            deployment().answers(json!({"metadata": {}})),
            owned("/api/v1/namespaces/team/persistentvolumeclaims"),
            owned("/api/v1/namespaces/team/services"),
            owned(DEPLOYMENTS),
        ];
        assert_eq!(again(red, script).await.0.unwrap(), Exit::Fine);
    }

    #[tokio::test]
    async fn where_there_is_nothing_to_run_again_nothing_is_created() {
        let said = async |object| again(object, vec![]).await.0.unwrap_err().text();
        assert!(said(fixtures::green_object()).await.contains("left no test red"));
        let going_on = fixtures::run_object("pr-7", fixtures::spec(), json!({"phase": "Running"}));
        assert!(said(going_on).await.contains("is Running"));
    }
}
