//! What is left of a run once its pods are gone.

use std::{collections::BTreeMap, io::Read as _, time::Duration};

use anyhow::{Context as _, Result, ensure};
use copr_e2e::{Context, Registry, fixtures, packaged, with_namespace};
use copr_operator_api::{
    evidence::{ARTIFACT_TYPE, TIME},
    names,
    v1alpha1::{CoprTestRun, KeepEvidence, Phase},
};
use flate2::read::MultiGzDecoder;
use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::Api;
use serde_json::Value;

const GONE: Duration = Duration::from_secs(5 * 60);
const START: Duration = Duration::from_secs(5 * 60);
const RUN: Duration = Duration::from_secs(10 * 60);
/// What gzip begins with.
const GZIP: [u8; 2] = [0x1f, 0x8b];

#[tokio::test]
#[ignore = "needs a cluster with the operator: ./check e2e"]
async fn the_log_and_the_folder_of_a_test_are_in_the_registry_and_the_token_is_not() -> Result<()> {
    with_namespace("evidence", |ctx| async move {
        let registry = Registry::find(&ctx).await?;
        let mut spec = fixtures::instance_spec();
        spec.registry = packaged::spec(&registry, &ctx.namespace, Vec::new(), &[])?.registry;
        // Not a template: its Secrets would be gone by the time that they are looked for.
        ctx.create(&fixtures::instance("copr", spec)).await?;
        ctx.until("copr", "ready", START, fixtures::ready).await?;

        let mut run = fixtures::run_against("smoke", "copr", &["auth"]);
        run.spec.evidence.keep = KeepEvidence::Always;
        ctx.create(&run).await?;
        let run = ctx.until::<CoprTestRun>("smoke", "finished", RUN, fixtures::finished).await?;
        ensure!(fixtures::phase(&run) == Phase::Passed, "{:?}", run.status);
        let is_settled = |run: &CoprTestRun| fixtures::evidence(run).is_some();
        let time = TIME.unsigned_abs() + Duration::from_secs(10);
        let run = ctx.until::<CoprTestRun>("smoke", "told of its evidence", time, is_settled).await?;
        ensure!(
            fixtures::evidence(&run).is_some_and(|condition| condition.status == "True"),
            "{:?}",
            run.status
        );

        let told = run.status.and_then(|status| status.evidence).context("no status.evidence")?;
        ensure!(!told.truncated && told.folders_not_kept.is_none(), "something is missing: {told:?}");
        let artifact = told.artifact.context("no status.evidence.artifact")?;
        let parts = parts(&registry, &artifact).await?;
        let has = |title: &str, words: &str| {
            let part = parts.get(title).with_context(|| format!("no {title} in {:?}", parts.keys()))?;
            ensure!(contains(part, words), "no {words:?} in {title}");
            anyhow::Ok(())
        };
        has("status.json", "\"smoke\"")?;
        has("junit.xml", "auth")?;
        has("auth-1.log.gz", "GET /api_3/auth-check: 401")?;
        // The copy of the log that the test itself left.
        has("auth-1.tar.gz", "log.txt")?;
        has("auth-1.tar.gz", "GET /api_3/auth-check: 401")?;
        for secret in secrets(&ctx).await? {
            let found: Vec<_> = parts.iter().filter(|(_, part)| contains(part, &secret)).collect();
            let titles: Vec<_> = found.into_iter().map(|(title, _)| title).collect();
            ensure!(titles.is_empty(), "the client's login or token is in {titles:?}");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
#[ignore = "needs a cluster with the operator: ./check e2e"]
async fn a_red_run_is_understood_when_its_namespace_is_gone() -> Result<()> {
    with_namespace("evidence-later", |later| async move {
        let registry = Registry::find(&later).await?;
        let (tell, told) = tokio::sync::oneshot::channel();
        let prefix = later.namespace.clone();
        with_namespace("evidence-red", |ctx| async move {
            let registry = Registry::find(&ctx).await?;
            let mut spec = fixtures::instance_spec();
            spec.registry = packaged::spec(&registry, &prefix, Vec::new(), &[])?.registry;
            spec.keygen.image = Some(fixtures::defective("keygen", "keygen-refuses"));
            let mut run = fixtures::run("red", spec, &["signed-repo"]);
            // Copr tries again and again to sign, until the test ends it.
            run.spec.suite.test_timeout = Some("3m".into());
            ctx.create(&run).await?;
            let is_settled = |run: &CoprTestRun| fixtures::evidence(run).is_some();
            let run = ctx.until::<CoprTestRun>("red", "told of its evidence", RUN, is_settled).await?;
            ensure!(fixtures::phase(&run) == Phase::Failed, "{:?}", run.status);
            let evidence = run.status.as_ref().and_then(|status| status.evidence.clone());
            let artifact = evidence.and_then(|evidence| evidence.artifact);
            let artifact = artifact.with_context(|| format!("no artifact: {:?}", run.status))?;
            ensure!(tell.send((ctx.namespace.clone(), artifact)).is_ok(), "nobody listens");
            Ok(())
        })
        .await?;
        let (gone, artifact) = told.await.context("no artifact was told of")?;
        let namespaces: Api<Namespace> = Api::all(later.client.clone());
        copr_e2e::until(namespaces, &gone, "gone", GONE, |namespace| namespace.is_none()).await?;

        let parts = parts(&registry, &artifact).await?;
        let story = parts.get("instance.tar.gz").with_context(|| format!("only {:?}", parts.keys()))?;
        let files = unpacked(story)?;
        // The story of the failure: what keygen said, what the cluster saw, and how the instance stood.
        let has = |part: &str, words: &str| {
            let found = files.iter().any(|(name, text)| name.contains(part) && text.contains(words));
            ensure!(found, "no {words:?} in any {part} of {:?}", files.keys());
            anyhow::Ok(())
        };
        has("keygen", "gen_key")?;
        has("backend", "sign")?;
        has("events", "signed-repo")?;
        has("instance", "keygen-refuses")?;
        ensure!(parts.contains_key("signed-repo-1.log.gz"), "only {:?}", parts.keys());
        Ok(())
    })
    .await
}

/// The files of a tar archive, as text, by their names.
fn unpacked(archive: &[u8]) -> Result<BTreeMap<String, String>> {
    let mut files = BTreeMap::new();
    for entry in tar::Archive::new(archive).entries().context("not a tar archive")? {
        let mut entry = entry.context("the archive is cut off")?;
        let name = entry.path()?.display().to_string();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).with_context(|| format!("{name} is cut off"))?;
        files.insert(name, String::from_utf8_lossy(&bytes).into_owned());
    }
    Ok(files)
}

/// The parts of an artifact that is given by digest, uncompressed, by their names.
async fn parts(registry: &Registry, artifact: &str) -> Result<BTreeMap<String, Vec<u8>>> {
    let manifest = registry.manifest(artifact).await?;
    ensure!(manifest["artifactType"] == ARTIFACT_TYPE, "of another type: {manifest}");
    let layers = manifest["layers"].as_array().context("the manifest has no layers")?;
    let mut parts = BTreeMap::new();
    for layer in layers {
        let text = |value: &Value| value.as_str().map(str::to_owned).with_context(|| format!("in {layer}"));
        let title = text(&layer["annotations"]["org.opencontainers.image.title"])?;
        let blob = registry.blob(artifact, &text(&layer["digest"])?).await?;
        let mut bytes = Vec::new();
        if blob.starts_with(&GZIP) {
            let unpacked = MultiGzDecoder::new(&*blob).read_to_end(&mut bytes);
            unpacked.with_context(|| format!("{title} can't be unpacked"))?;
        } else {
            bytes.extend_from_slice(&blob);
        }
        parts.insert(title, bytes);
    }
    Ok(parts)
}

fn contains(bytes: &[u8], words: &str) -> bool {
    bytes.windows(words.len()).any(|window| window == words.as_bytes())
}

/// Login and token of the client.
async fn secrets(ctx: &Context) -> Result<Vec<String>> {
    let secret = ctx.api::<Secret>().get(&names::client("copr")).await.context("no client's Secret")?;
    let file = secret.data.unwrap_or_default().remove("copr").context("no key copr in it")?;
    let file = String::from_utf8(file.0)?;
    let value = |key: &str| {
        let mut settings = file.lines().filter_map(|line| line.split_once('='));
        let found = settings.find(|(name, _)| name.trim() == key);
        found.map(|(_, value)| value.trim().to_owned()).with_context(|| format!("no {key} in it"))
    };
    Ok(vec![value("login")?, value("token")?])
}
