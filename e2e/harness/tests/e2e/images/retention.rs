//! What nobody uses goes.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use copr_e2e::{Site, packaged, with_namespace};
use copr_operator_api::v1alpha1::{CoprInstance, CoprInstanceSpec};

use super::SOON;

/// Kept for 10 s, and for 30 s after somebody has found it; nothing says when a registry has deleted something.
const EXPIRED: Duration = Duration::from_secs(90);
const INTERVAL: Duration = Duration::from_millis(500);

#[tokio::test]
#[ignore = "needs a cluster with the operator: ./check e2e"]
async fn images_of_a_deleted_instance_leave_the_registry_and_those_in_use_stay() -> Result<()> {
    with_namespace("retention", |ctx| async move {
        let site = Site::new(&ctx).await?;
        let kept = site.provide("kept", briefly(site.spec(&["redis"])?)?).await?;
        let gone = site.provide("gone", briefly(site.spec(&["redis", "keygen"])?)?).await?;
        let (base, redis) = (pushed(&kept, "base")?, pushed(&kept, "redis")?);
        let keygen = pushed(&gone, "keygen")?;
        ensure!(site.registry.has(&keygen).await?, "{keygen} isn't in the registry");

        // At once: an instance may be gone before anybody has looked twice.
        ctx.delete::<CoprInstance>("gone", SOON).await?;
        let deadline = Instant::now() + EXPIRED;
        while site.registry.has(&keygen).await? {
            ensure!(Instant::now() < deadline, "{keygen} is still there {EXPIRED:?} after its instance");
            tokio::time::sleep(INTERVAL).await;
        }
        for used in [base, redis] {
            ensure!(site.registry.has(&used).await?, "{used} was deleted, and an instance uses it");
        }
        Ok(())
    })
    .await
}

fn briefly(spec: CoprInstanceSpec) -> Result<CoprInstanceSpec> {
    let mut spec = packaged::without_pods(spec);
    let registry = spec.registry.as_mut().context("no registry")?;
    (registry.retention, registry.delete_unused) = ("10s".into(), true);
    Ok(spec)
}

/// The image as the registry has it: by its tag.
fn pushed(instance: &CoprInstance, component: &str) -> Result<String> {
    let image = packaged::image(instance, component).and_then(|image| image.image.as_deref());
    let (tagged, _) = image.and_then(|image| image.split_once('@')).context("not by digest")?;
    Ok(tagged.to_owned())
}
