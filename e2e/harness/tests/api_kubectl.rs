//! API-server tests of what kubectl and GitOps tools do with the kinds: apply them again and again, find them by their short names,
//! and wait for them.

use std::{collections::BTreeMap, io::Write as _, time::Duration};

use anyhow::{Context as _, Result, bail, ensure};
use copr_e2e::{Context, fixtures, kstatus, kubectl, with_namespace};
use copr_operator_api::v1alpha1::{CoprInstance, CoprTestRun};
use kube::{
    Resource, ResourceExt as _,
    api::{ListParams, ObjectMeta},
};
use serde_json::{Value, json};

const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../manifests/samples");

/// One manifest a block of a spec, shown in docs/reference.md.
const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/examples");

/// Generation and version of every object that was applied, by kind and name. An operator on the cluster may have made others.
async fn versions(ctx: &Context) -> Result<BTreeMap<String, (Option<i64>, Option<String>)>> {
    let list = ListParams::default();
    let instances = ctx.api::<CoprInstance>().list(&list).await?;
    let runs = ctx.api::<CoprTestRun>().list(&list).await?;
    let instances = instances.iter().map(|object| ("instance", object.meta()));
    let all = instances.chain(runs.iter().map(|object| ("run", object.meta())));
    let applied = all.filter(|(_, object)| object.owner_references.is_none());
    let version = |(kind, object): (&str, &ObjectMeta)| {
        let name = object.name.clone().unwrap_or_default();
        (format!("{kind} {name}"), (object.generation, object.resource_version.clone()))
    };
    Ok(applied.map(version).collect())
}

/// Applying the samples a second time changes nothing. Of an operator that writes statuses meanwhile it is waited for a moment in
/// which it doesn't.
async fn unchanged_by(ctx: &Context, apply: &[&str]) -> Result<()> {
    kubectl(ctx, apply)?;
    for _ in 0..30 {
        let before = versions(ctx).await?;
        ensure!(before.len() == 3, "not every sample was applied: {before:?}");
        kubectl(ctx, apply)?;
        let after = versions(ctx).await?;
        if before == after {
            return Ok(());
        }
        let generations =
            |all: &BTreeMap<String, (Option<i64>, _)>| all.values().map(|v| v.0).collect::<Vec<_>>();
        ensure!(generations(&before) == generations(&after), "a spec changed: {before:?}, then {after:?}");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    bail!("{apply:?} writes the objects each time")
}

#[tokio::test]
#[ignore = "needs an API server: ./check api"]
async fn samples_applied_twice_change_nothing_the_second_time() -> Result<()> {
    with_namespace("twice", |ctx| async move {
        let apply = ["apply", "-k", SAMPLES];
        unchanged_by(&ctx, &apply).await?;
        let said = kubectl(&ctx, &apply)?;
        let lines: Vec<_> = said.lines().collect();
        ensure!(lines.len() == 3 && lines.iter().all(|line| line.ends_with(" unchanged")), "{said}");
        Ok(())
    })
    .await
}

#[tokio::test]
#[ignore = "needs an API server: ./check api"]
async fn samples_applied_twice_server_side_change_nothing_the_second_time() -> Result<()> {
    with_namespace("twice-server-side", |ctx| async move {
        unchanged_by(&ctx, &["apply", "--server-side", "-k", SAMPLES]).await
    })
    .await
}

#[tokio::test]
#[ignore = "needs an API server: ./check api"]
async fn every_example_of_the_reference_is_accepted_as_it_stands() -> Result<()> {
    with_namespace("examples", |ctx| async move {
        let files = std::fs::read_dir(EXAMPLES)?.count();
        // Strictly: a field that doesn't exist is an error, not dropped.
        let said = kubectl(&ctx, &["apply", "--validate=strict", "-f", EXAMPLES])?;
        let created = said.lines().filter(|line| line.ends_with(" created")).count();
        ensure!(files > 0 && created == files, "{files} examples, of which {created} were created: {said}");
        Ok(())
    })
    .await
}

/// What a tool that applies from git sees of a difference: each example as the API server has it, with every default written out,
/// is the object that is there already.
#[tokio::test]
#[ignore = "needs an API server: ./check api"]
async fn examples_with_their_defaults_written_out_change_nothing() -> Result<()> {
    with_namespace("written-out", |ctx| async move {
        kubectl(&ctx, &["apply", "-f", EXAMPLES])?;
        let there = kubectl(&ctx, &["get", "coprinstances,coprtestruns", "--output", "json"])?;
        let list: Value = serde_json::from_str(&there)?;
        // An operator on the cluster may have made one.
        let is_example = |object: &&Value| object["metadata"].get("ownerReferences").is_none();
        let objects: Vec<_> =
            list["items"].as_array().context("no list")?.iter().filter(is_example).collect();
        ensure!(!objects.is_empty(), "no example was applied");
        let written_out = |object: &&Value| {
            json!({
                "apiVersion": object["apiVersion"], "kind": object["kind"],
                "metadata": {"name": object["metadata"]["name"]}, "spec": object["spec"],
            })
        };
        let items: Vec<_> = objects.iter().map(written_out).collect();
        let mut file = tempfile::NamedTempFile::with_suffix(".json")?;
        write!(file, "{}", json!({"apiVersion": "v1", "kind": "List", "items": items}))?;
        let path = file.path().to_str().context("no path")?;
        for apply in
            [&["apply", "-f", path][..], &["apply", "--server-side", "--force-conflicts", "-f", path]]
        {
            kubectl(&ctx, apply)?;
            let now = kubectl(&ctx, &["get", "coprinstances,coprtestruns", "--output", "json"])?;
            let now: Value = serde_json::from_str(&now)?;
            let now = now["items"].as_array().context("no list")?;
            for object in &objects {
                let metadata = &object["metadata"];
                let same = now.iter().find(|other| other["metadata"]["uid"] == metadata["uid"]);
                let generation = same.map(|other| &other["metadata"]["generation"]);
                ensure!(
                    generation == Some(&metadata["generation"]),
                    "{apply:?} changes the spec of {}: generation {generation:?}",
                    metadata["name"]
                );
            }
        }
        Ok(())
    })
    .await
}

#[tokio::test]
#[ignore = "needs an API server: ./check api"]
async fn objects_are_found_by_their_short_names_and_all_by_their_category() -> Result<()> {
    with_namespace("names", |ctx| async move {
        ctx.create(&fixtures::instance("one", fixtures::instance_spec())).await?;
        ctx.create(&fixtures::run_against("two", "missing", &[])).await?;
        for (arguments, expected) in [
            (["get", "copr", "one"].as_slice(), "coprinstance.copr.fedorainfracloud.org/one\n"),
            (&["get", "coprrun", "two"], "coprtestrun.copr.fedorainfracloud.org/two\n"),
            (
                &["get", "fedora-copr"],
                "coprinstance.copr.fedorainfracloud.org/one\ncoprtestrun.copr.fedorainfracloud.org/two\n",
            ),
        ] {
            let found = kubectl(&ctx, &[arguments, &["--output", "name"]].concat())?;
            ensure!(found == expected, "kubectl {arguments:?}: {found}");
        }
        let table = kubectl(&ctx, &["get", "copr", "one"])?;
        let columns: Vec<_> = table.lines().next().context("no table")?.split_whitespace().collect();
        ensure!(columns == ["NAME", "AVAILABLE", "READY", "REASON", "FRONTEND", "AGE"], "{table}");
        Ok(())
    })
    .await
}

#[tokio::test]
#[ignore = "needs an API server: ./check api"]
async fn what_no_operator_has_looked_at_is_not_current() -> Result<()> {
    with_namespace("unobserved", |ctx| async move {
        // As the API server answers, before any operator can have written.
        let instance = ctx.create(&fixtures::instance("one", fixtures::instance_spec())).await?;
        let run = ctx.create(&fixtures::run_against("two", "missing", &[])).await?;
        let of_instance = instance.status.as_ref().and_then(|status| status.observed_generation);
        let of_run = run.status.as_ref().and_then(|status| status.observed_generation);
        ensure!((of_instance, of_run) == (Some(-1), Some(-1)), "{of_instance:?}, {of_run:?}");
        ensure!(kstatus(&instance)? == "InProgress", "{} is {}", instance.name_any(), kstatus(&instance)?);
        ensure!(kstatus(&run)? == "InProgress", "{} is {}", run.name_any(), kstatus(&run)?);
        Ok(())
    })
    .await
}
