//! Client required: an image that has left the registry is built again.
//!
//! That an image is there is written down once, and not looked at again while the instance runs. What tells that it has gone is
//! a kubelet that can't pull it; whether it really has, only the registry can say.

use std::collections::BTreeSet;

use copr_operator_api::{
    images::Image,
    v1alpha1::{ImageState, PackagesStatus},
};
use kube::{Client, ResourceExt as _};
use tokio::time::Instant;

use super::{decide::progress, failure::Error, start};
use crate::{
    Wanted,
    registry::{self, Access, Registries},
};

/// Forgets that images were ever there that kubelets can't pull and that the registry doesn't have. `pull_failures` are as
/// containers have them, by digest.
pub(crate) async fn heal(
    wanted: &Wanted<'_>,
    registries: &Registries,
    access: &Access,
    known: &mut PackagesStatus,
    pull_failures: &[String],
) -> Result<(), Error> {
    let gone = gone(registries, access, known, pull_failures).await?;
    let hashes: Vec<_> = known
        .images
        .iter()
        .filter(|status| gone.contains(&status.component))
        .map(|status| status.input_hash.as_str())
        .collect();
    if !hashes.is_empty() {
        forget_jobs(wanted.client, &wanted.namespace, &hashes).await?;
    }
    forget(known, &gone);
    Ok(())
}

/// The components whose images the registry has no more. It's asked for what kubelets can't pull, and, while something is still
/// to be built, for what that is built on.
pub async fn gone(
    registries: &Registries,
    access: &Access,
    known: &PackagesStatus,
    pull_failures: &[String],
) -> Result<BTreeSet<String>, registry::Error> {
    let mut gone = BTreeSet::new();
    for (component, image) in suspects(known, pull_failures) {
        if !registries.asks.is_due(&image, pull_failures, Instant::now()) {
            continue;
        }
        let lost = registries.of(&image, access)?.has_lost(&image).await?;
        // Recorded as "not there" even if it is: kubelets that can't pull for another reason go on reporting it, and the pause
        // before the registry is asked again has to grow.
        registries.asks.answered(&image, false, pull_failures, Instant::now());
        if lost {
            gone.insert(component);
        }
    }
    if !gone.is_empty() {
        // What images that are rebuilt start from is looked for, too.
        for (component, image) in started_from(known, gone.iter().map(String::as_str)) {
            if !gone.contains(&component) && registries.of(&image, access)?.has_lost(&image).await? {
                gone.insert(component);
            }
        }
    }
    Ok(gone)
}

/// Deletes the Jobs of a namespace that have built from these inputs: what they pushed has gone.
pub(super) async fn forget_jobs(
    client: &Client,
    namespace: &str,
    hashes: &[&str],
) -> Result<(), start::Error> {
    for job in start::jobs(client, hashes).await? {
        if job.namespace().as_deref() != Some(namespace) || progress::is_active(&job) {
            continue;
        }
        start::delete(client, &job).await?;
    }
    Ok(())
}

/// Component and image of what may have gone.
pub fn suspects(known: &PackagesStatus, pull_failures: &[String]) -> Vec<(String, String)> {
    let digest = |image: &str| image.split_once('@').map(|(_, digest)| digest.to_owned());
    let failed: BTreeSet<_> = pull_failures.iter().filter_map(|image| digest(image)).collect();
    let is_suspect = |image: &str| digest(image).is_some_and(|digest| failed.contains(&digest));
    let mut suspects: Vec<_> = there(known).filter(|(_, image)| is_suspect(image)).collect();
    let missing = known.images.iter().filter(|image| !image.state.is_there());
    for suspect in started_from(known, missing.map(|image| image.component.as_str())) {
        if !suspects.contains(&suspect) {
            suspects.push(suspect);
        }
    }
    suspects
}

/// Of these components nothing is there any more.
pub fn forget(known: &mut PackagesStatus, gone: &BTreeSet<String>) {
    for status in known.images.iter_mut().filter(|status| gone.contains(&status.component)) {
        let was = status.image.take().unwrap_or_default();
        status.state = ImageState::Queued;
        status.started_at = None;
        status.elapsed = None;
        status.message = Some(format!("the registry has no {was} any more: it's built again"));
    }
}

fn there(known: &PackagesStatus) -> impl Iterator<Item = (String, String)> {
    let there = known.images.iter().filter(|status| status.state.is_there());
    there.filter_map(|status| Some((status.component.clone(), status.image.clone()?)))
}

/// What is there of the images that these start from.
fn started_from<'a>(
    known: &PackagesStatus,
    components: impl Iterator<Item = &'a str>,
) -> Vec<(String, String)> {
    let from: BTreeSet<_> = components
        .filter_map(Image::of_key)
        .flat_map(|image| std::iter::successors(image.starts_from(), |image| image.starts_from()))
        .map(Image::key)
        .collect();
    there(known).filter(|(component, _)| from.contains(component.as_str())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use copr_operator_api::v1alpha1::ImageStatus;

    fn known() -> PackagesStatus {
        let image = |component: &str| ImageStatus {
            component: component.into(),
            state: ImageState::Pushed,
            input_hash: "1".into(),
            image: Some(format!("r/copr-{component}:1@sha256:{component}")),
            ..ImageStatus::default()
        };
        PackagesStatus {
            images: vec![image("base"), image("keygen"), image("redis")],
            ..PackagesStatus::default()
        }
    }

    fn names(suspects: &[(String, String)]) -> Vec<&str> {
        suspects.iter().map(|(component, _)| component.as_str()).collect()
    }

    #[test]
    fn what_a_kubelet_can_not_pull_is_suspect_by_whatever_name() {
        let failures = ["r/copr-keygen:1@sha256:keygen".into(), "somebody/else@sha256:other".into()];
        assert_eq!(names(&suspects(&known(), &failures)), ["keygen"]);
        assert_eq!(names(&suspects(&known(), &["r/copr-keygen@sha256:keygen".into()])), ["keygen"]);
        assert!(suspects(&known(), &[]).is_empty());
        // A tag says nothing of what was pulled.
        assert!(suspects(&known(), &["r/copr-keygen:1".into()]).is_empty());
    }

    #[test]
    fn so_is_a_suite_that_another_one_starts_from() {
        let mut known = known();
        let sanity = ImageStatus {
            component: "sanity".into(),
            image: Some("r/s@sha256:s".into()),
            ..known.images[0].clone()
        };
        let upstream = ImageStatus { component: "sanityUpstream".into(), ..ImageStatus::default() };
        known.images.extend([sanity, upstream]);
        assert_eq!(names(&suspects(&known, &[])), ["base", "sanity"]);
    }

    #[test]
    fn the_base_is_suspect_while_something_is_still_to_be_built_on_it() {
        let mut known = known();
        known.images[1].state = ImageState::Queued;
        assert_eq!(names(&suspects(&known, &[])), ["base"]);
    }

    #[test]
    fn what_has_gone_is_queued_again_and_the_rest_stays() {
        let mut known = known();
        forget(&mut known, &BTreeSet::from(["keygen".to_owned()]));
        let keygen = &known.images[1];
        assert_eq!((keygen.state, keygen.image.as_ref()), (ImageState::Queued, None));
        assert!(keygen.message.as_ref().unwrap().contains("r/copr-keygen:1@sha256:keygen"));
        assert_eq!(known.images[0], self::known().images[0]);
        assert_eq!(known.images[2], self::known().images[2]);
    }

    #[tokio::test]
    async fn only_what_the_registry_does_not_have_is_built_again() {
        use crate::registry::tests::{
            insecure, registries,
            server::{Content, Server},
        };

        let content = Content::default();
        let digests: Vec<_> = ["base", "keygen", "redis"]
            .iter()
            .map(|name| content.push(&format!("copr-{name}"), "1", &format!("hash of {name}")))
            .collect();
        let all = content.clone();
        let server = Server::start(move |request| all.answer(request)).await;
        let mut known = known();
        for (status, digest) in known.images.iter_mut().zip(&digests) {
            status.image = Some(format!("{}/copr-{}:1@{digest}", server.host, status.component));
        }
        let failures: Vec<_> =
            known.images.iter().skip(1).filter_map(|status| status.image.clone()).collect();
        let registries = registries();
        let gone =
            async |failures: &[String]| gone(&registries, &insecure(), &known, failures).await.unwrap();
        // The nodes can't pull, but everything is there.
        assert!(gone(&failures).await.is_empty());
        let asked = server.asked().len();
        assert!(gone(&failures).await.is_empty());
        assert_eq!(server.asked().len(), asked, "it isn't asked again at once");

        content.delete("copr-keygen", &digests[1]);
        let more = [failures, vec!["news@sha256:1".into()]].concat();
        assert_eq!(gone(&more).await, BTreeSet::from(["keygen".to_owned()]));
        // And what it is built on.
        content.delete("copr-base", &digests[0]);
        let more = [more, vec!["news@sha256:2".into()]].concat();
        assert_eq!(gone(&more).await, BTreeSet::from(["base".to_owned(), "keygen".to_owned()]));
    }
}
