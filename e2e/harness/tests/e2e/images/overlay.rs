//! A pull request's repository over the one of main.

use anyhow::{Context as _, Result, ensure};
use copr_e2e::{Site, fixtures, packaged, repository, settings, site::BUILD, with_namespace};
use copr_operator_api::v1alpha1::{CoprInstance, InstalledPackage, Require};
use serde_json::{Value, json};

#[tokio::test]
#[ignore = "needs a cluster with the operator: ./check e2e"]
async fn an_overlay_gives_what_it_has_and_what_is_required_is_checked_by_repository() -> Result<()> {
    with_namespace("overlay", |ctx| async move {
        let site = Site::new(&ctx).await?;
        let rebuilt = settings::rebuilt_keygen()?;
        let pull_request = repository::part(&rebuilt, |name| name == "copr-keygen")?;
        site.repositories.serve("pr", pull_request.path());
        let mut spec = packaged::without_pods(site.spec(&["keygen"])?);
        let packages = spec.packages.as_mut().context("no packages")?;
        packages.repositories.push(site.repositories.entry("pr", 10));
        // Nothing of the stand-ins was built from a commit.
        packages.require = Some(Require { commit: Some("0123456789".into()), ..Require::default() });
        ctx.create(&fixtures::instance("copr", spec)).await?;

        let keygen = repository::nevra(&rebuilt, "copr-keygen")?;
        let served = format!("pr ({}) served {keygen}", site.repositories.url("pr"));
        let unmet = |instance: &CoprInstance| {
            packaged::refused(instance, "PackagesRequirementUnmet", &["0123456789", &served])
        };
        let instance = ctx.until("copr", "refused for the commit", BUILD, unmet).await?;
        let from = |repository: &str, nevra: String| InstalledPackage {
            nevra,
            repository: repository.into(),
            source: None,
        };
        let common = repository::nevra(&settings::repository()?, "python3-copr-common")?;
        let image = packaged::image(&instance, "keygen").context("no status of keygen")?;
        for package in [from("pr", keygen.clone()), from("main", common)] {
            ensure!(image.packages.contains(&package), "{package:?} is not in {:?}", image.packages);
        }
        let others = image.packages.iter().filter(|package| package.repository == "pr").count();
        ensure!(others == 1, "more than copr-keygen came from the pull request: {:?}", image.packages);

        // What was installed, required: that is met, and nothing is built for it.
        let version = keygen.trim_start_matches("copr-keygen-").trim_end_matches(".noarch");
        ctx.change::<CoprInstance>("copr", require(&json!({"copr-keygen": version}))).await?;
        site.images_of("copr").await?;

        ctx.change::<CoprInstance>("copr", require(&json!({"copr-keygen": "999", "copr-frontend": "1"})))
            .await?;
        let unmet = |instance: &CoprInstance| {
            let named = ["copr-keygen 999", &served, "copr-frontend 1", "no image has it"];
            packaged::refused(instance, "PackagesRequirementUnmet", &named)
        };
        ctx.until::<CoprInstance>("copr", "refused for the versions", BUILD, unmet).await?;
        Ok(())
    })
    .await
}

fn require(versions: &Value) -> Value {
    json!({"packages": {"require": {"commit": null, "versions": versions}}})
}
