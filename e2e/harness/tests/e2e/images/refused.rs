//! Why images can't be had, in the words of whoever refused.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use copr_e2e::{
    Context, Site, fixtures, packaged, repository, settings,
    site::{BUILD, builds, exactly},
    told, with_namespace,
};
use copr_operator_api::v1alpha1::{CoprInstance, CoprInstanceSpec, CoprTestRun, ImageState, Phase};
use copr_operator_kernel::conditions;
use k8s_openapi::api::core::v1::Secret;
use kube::api::ObjectMeta;
use serde_json::json;

use super::SOON;

/// Far less than what a run may wait for its images.
const RUN: Duration = Duration::from_secs(4 * 60);

#[tokio::test]
#[ignore = "needs a cluster with the operator: ./check e2e"]
async fn what_dnf_cannot_install_ends_the_build_and_the_run_in_its_words() -> Result<()> {
    with_namespace("refused", |ctx| async move {
        let site = Site::new(&ctx).await?;
        let lacking = repository::part(&settings::repository()?, |name| name != "python3-copr-common")?;
        site.repositories.serve("lacking", lacking.path());

        // At once: they share the base image.
        ctx.create(&fixtures::run("unsolvable", of(&site, "lacking", None)?, &["auth"])).await?;
        // Nobody signed them.
        let key = "https://keys.example/key".to_owned();
        ctx.create(&fixtures::instance("unsigned", of(&site, "main", Some(key))?)).await?;

        let said = ["keygen", "nothing provides python3-copr-common", "copr-keygen"];
        let run = ctx.until::<CoprTestRun>("unsolvable", "finished", RUN, fixtures::finished).await?;
        ensure!(fixtures::phase(&run) == Phase::Error, "{:?}", run.status);
        let conditions = run.status.map(|status| status.conditions).unwrap_or_default();
        let verdict = conditions::get(&conditions, "Succeeded").context("no verdict")?;
        ensure!(said.iter().all(|part| verdict.message.contains(part)), "not in dnf's words: {verdict:?}");
        told(&ctx, "unsolvable", "ImageBuildFailed", &said, SOON).await?;

        let refused = |instance: &CoprInstance| packaged::refused(instance, "ImageBuildFailed", &["keygen"]);
        let unsigned = ctx.until("unsigned", "refused", BUILD, refused).await?;
        exactly(&unsigned, ImageState::Failed, &["keygen"])?;
        let message = &packaged::images_ready(&unsigned).context("no condition")?.message;
        let nevra = repository::nevra(&settings::repository()?, "copr-keygen")?;
        // dnf 4's last line, or dnf 5's first: `./check dnf5` runs this, too.
        let failed = ["GPG check FAILED", "Signature verification failed"];
        let in_its_words = message.contains(&nevra)
            && message.contains("is not signed")
            && failed.iter().any(|part| message.contains(part));
        ensure!(in_its_words, "not in dnf's words: {message}");
        Ok(())
    })
    .await
}

/// An instance of which keygen is built from that repository.
fn of(site: &Site, repository: &str, gpg_key: Option<String>) -> Result<CoprInstanceSpec> {
    let mut spec = packaged::without_pods(site.spec(&["keygen"])?);
    let packages = spec.packages.as_mut().context("no packages")?;
    packages.repositories = vec![site.repositories.entry(repository, 50)];
    packages.repositories[0].gpg_key = gpg_key;
    Ok(spec)
}

#[tokio::test]
#[ignore = "needs a cluster with the operator: ./check e2e"]
async fn what_keeps_builds_from_starting_is_named_and_they_start_when_it_is_gone() -> Result<()> {
    with_namespace("not-started", |ctx| async move {
        let site = Site::new(&ctx).await?;
        ctx.create(&fixtures::instance("copr", of(&site, "gone", None)?)).await?;

        let metadata = format!("{}repodata/repomd.xml", site.repositories.url("gone"));
        told_of(&ctx, "RepositoryUnreadable", &["repository gone", &metadata, "404"]).await?;

        ctx.change::<CoprInstance>("copr", json!({"registry": {"pushSecret": {"name": "robot"}}})).await?;
        told_of(&ctx, "SecretNotFound", &["registry.pushSecret", "robot"]).await?;
        ctx.create(&secret("robot", "password", "hunter2")).await?;
        told_of(&ctx, "SecretInvalid", &["registry.pushSecret", "robot", ".dockerconfigjson"]).await?;
        ctx.delete::<Secret>("robot", SOON).await?;
        ctx.create(&secret("robot", ".dockerconfigjson", r#"{"auths": {}}"#)).await?;
        told_of(&ctx, "RepositoryUnreadable", &["repository gone"]).await?;

        // On plain Kubernetes there is no registry that goes without saying.
        let right = serde_json::to_value(of(&site, "gone", None)?.registry)?;
        ctx.change::<CoprInstance>("copr", json!({"registry": null})).await?;
        told_of(&ctx, "InvalidSpec", &["registry.url"]).await?;
        ctx.change::<CoprInstance>("copr", json!({"registry": right})).await?;

        let base = settings::base_image()?;
        let absent = format!("{base}-that-nobody-made");
        ctx.change::<CoprInstance>("copr", json!({"packages": {"baseImage": absent}})).await?;
        told_of(&ctx, "InvalidSpec", &["packages.baseImage", &absent]).await?;
        let silent = "127.0.0.1:1/nobody/listens";
        ctx.change::<CoprInstance>(
            "copr",
            json!({"packages": {"baseImage": silent}, "registry": {"url": silent}}),
        )
        .await?;
        told_of(&ctx, "RegistryUnreachable", &[silent]).await?;
        ctx.change::<CoprInstance>(
            "copr",
            json!({"packages": {"baseImage": base}, "registry": {"url": right["url"]}}),
        )
        .await?;
        told_of(&ctx, "RepositoryUnreadable", &["repository gone"]).await?;
        ensure!(builds(&ctx, "copr").await?.is_empty(), "something was built meanwhile");

        site.repositories.serve("gone", settings::repository()?);
        told_of(&ctx, "ImagesBuilding", &["building: base"]).await
    })
    .await
}

/// Waits until the instance says why its images aren't there, and names all of that.
async fn told_of(ctx: &Context, reason: &str, named: &[&str]) -> Result<()> {
    let what = format!("{reason} that names {named:?}");
    let refused = |instance: &CoprInstance| packaged::refused(instance, reason, named);
    // The pauses between failures grow up to a minute.
    ctx.until("copr", &what, 2 * SOON, refused).await?;
    Ok(())
}

fn secret(name: &str, key: &str, value: &str) -> Secret {
    Secret {
        metadata: ObjectMeta { name: Some(name.into()), ..ObjectMeta::default() },
        string_data: Some([(key.to_owned(), value.to_owned())].into()),
        ..Secret::default()
    }
}
