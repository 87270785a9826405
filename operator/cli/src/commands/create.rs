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
mod tests;
