//! Packages that are required before their repository has them.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use copr_e2e::{Site, fixtures, packaged, repository, settings, site::BUILD, with_namespace};
use copr_operator_api::{
    status::images::NOT_YET_THERE,
    v1alpha1::{CoprInstance, Require},
};
use k8s_openapi::api::batch::v1::Job;
use kube::api::ListParams;

#[tokio::test]
#[ignore = "needs a cluster with the operator: ./check e2e"]
async fn nothing_is_built_until_the_repository_has_what_is_required() -> Result<()> {
    with_namespace("awaited", |ctx| async move {
        let site = Site::new(&ctx).await?;
        let rebuilt = settings::rebuilt_keygen()?;
        let pull_request = repository::part(&rebuilt, |name| name == "copr-keygen")?;
        let keygen = repository::nevra(&rebuilt, "copr-keygen")?;
        let version = keygen.trim_start_matches("copr-keygen-").trim_end_matches(".noarch");
        let mut spec = packaged::without_pods(site.spec(&["keygen"])?);
        let packages = spec.packages.as_mut().context("no packages")?;
        // Nothing is at its URL yet, as before the first build of a pull request.
        packages.repositories.push(site.repositories.entry("pr", 10));
        packages.require = Some(Require {
            packages: Some(BTreeMap::from([("copr-keygen".to_owned(), version.to_owned())])),
            timeout: Some("15m".into()),
            ..Require::default()
        });
        ctx.create(&fixtures::instance("copr", spec)).await?;

        let there = repository::nevra(&settings::repository()?, "copr-keygen")?;
        let wanted = format!("copr-keygen {version}: there is {there} (main)");
        let waits = |instance: &CoprInstance| {
            packaged::refused(instance, NOT_YET_THERE, &["require.timeout 15m", &wanted])
        };
        let instance = ctx.until("copr", "waiting for copr-keygen", BUILD, waits).await?;
        let status = instance.status.and_then(|status| status.packages).context("no status of packages")?;
        let wait = status.wait.context("no wait")?;
        ensure!(wait.missing.len() == 1 && wait.over.is_none(), "{wait:?}");
        let jobs = ctx.api::<Job>().list(&ListParams::default()).await?.items;
        ensure!(jobs.is_empty(), "something is built while packages are missing: {jobs:?}");

        site.repositories.serve("pr", pull_request.path());
        site.images_of("copr").await?;
        let instance = ctx.api::<CoprInstance>().get("copr").await?;
        let image = packaged::image(&instance, "keygen").context("no status of keygen")?;
        ensure!(image.packages.iter().any(|package| package.nevra == keygen), "{:?}", image.packages);
        Ok(())
    })
    .await
}
