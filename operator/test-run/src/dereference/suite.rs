//! The list of a run's suite: as the run keeps it, as another run of the namespace does, or as a pod has just printed it.

use copr_operator_api::{labels, v1alpha1::CoprTestRun};
use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kube::{
    Client, ResourceExt,
    api::{Api, ListParams, LogParams},
};
use sha2::{Digest, Sha256};

use super::{Error, Seen};
use crate::{
    decide::list_name,
    pod,
    suite::{self, Error as Unusable},
    target,
    validate::{self, Git, Validated},
    verdict,
};

/// Key of the ConfigMap: the list, as the suite printed it.
pub const DOCUMENT: &str = "suite.json";
/// Key of the ConfigMap: the image that printed it.
pub const IMAGE: &str = "image";
/// Of the log of a pod that lists a suite, so much is read. A ConfigMap holds no more.
const LOG_MAX: i64 = 900 * 1024;

/// What is known of the suite's list.
#[derive(Clone, Debug, Default)]
pub struct SuiteSeen {
    /// Pods that list the suite for this run.
    pub pods: Vec<Pod>,
    /// As this run keeps it: document and image.
    pub kept: Option<(String, String)>,
    /// As another run of the same suite does.
    pub known: Option<(String, String)>,
    /// The log of the pod that has listed it.
    pub said: Option<String>,
}

impl SuiteSeen {
    /// The list, if there is one.
    pub fn document(&self) -> Option<Result<&str, Unusable>> {
        let kept = self.kept.as_ref().or(self.known.as_ref());
        kept.map(|(document, _)| Ok(document.as_str()))
            .or_else(|| Some(suite::document(self.said.as_deref()?)))
    }

    /// Whether the tests run as root, as far as there is a list that can be read.
    pub fn is_root(&self) -> bool {
        let listing = self.document().and_then(|document| document.and_then(suite::parse).ok());
        listing.is_some_and(|listing| listing.root)
    }

    /// The list, if this run doesn't keep it yet.
    pub fn to_be_kept(&self) -> Option<&str> {
        self.document().filter(|_| self.kept.is_none())?.ok()
    }

    /// The image that the list is of, by digest if somebody has said one.
    pub fn image(&self, run: &Validated) -> Option<String> {
        if let Some((_, image)) = self.kept.as_ref().or(self.known.as_ref()) {
            return Some(image.clone());
        }
        let pulled =
            self.pods.iter().filter(|pod| verdict::has_succeeded(pod)).filter_map(verdict::test_container);
        let mut pulled =
            pulled.map(|status| status.image_id.trim_start_matches("docker-pullable://").to_owned());
        let given = run.target.suite.as_ref().map(|facts| facts.image.clone());
        pulled.rfind(|image| image.contains("@sha256:")).or(given)
    }
}

/// What two lists have in common that are the same: image, commit and folder. None if either may change under its name.
pub fn key(image: &str, git: Option<&Git>) -> Option<String> {
    let (_, digest) = image.split_once("@sha256:")?;
    let is_commit =
        |git: &Git| git.reference.len() == 40 && git.reference.chars().all(|c| c.is_ascii_hexdigit());
    if !git.is_none_or(is_commit) {
        return None;
    }
    let place = |git: &Git| {
        let path = git.path.as_ref().map(|path| format!("\n{path}")).unwrap_or_default();
        format!("{}\n{}{path}", git.url, git.reference)
    };
    let git = git.map(place).unwrap_or_default();
    Some(hex::encode(&Sha256::digest(format!("{digest}\n{git}"))[..16]))
}

/// Reads it from where it is.
pub async fn read(
    client: &Client,
    run: &CoprTestRun,
    instance: &Seen,
    pods: Vec<Pod>,
) -> Result<SuiteSeen, Error> {
    let namespace = run.namespace().unwrap_or_default();
    let mut seen = SuiteSeen { pods, ..SuiteSeen::default() };
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), &namespace);
    let own = maps.get_opt(&list_name(&run.name_any())).await.map_err(Error::Suite)?;
    let is_own = |map: &ConfigMap| {
        map.owner_references().iter().any(|owner| Some(&owner.uid) == run.metadata.uid.as_ref())
    };
    seen.kept = own.filter(is_own).and_then(list);
    if seen.kept.is_some() || run.status.as_ref().is_some_and(|status| status.phase.is_final()) {
        return Ok(seen);
    }
    if let Some(pod) = seen.pods.iter().find(|pod| verdict::has_succeeded(pod)) {
        let params = LogParams {
            container: Some(pod::CONTAINER.into()),
            limit_bytes: Some(LOG_MAX),
            ..LogParams::default()
        };
        let pods: Api<Pod> = Api::namespaced(client.clone(), &namespace);
        seen.said = Some(pods.logs(&pod.name_any(), &params).await.map_err(Error::Suite)?);
    } else if seen.pods.is_empty()
        && let Some(key) = target::image(&run.spec.suite, instance)
            .and_then(|image| key(&image, validate::git(run).as_ref()))
    {
        let query = format!("{}={},{}={key}", labels::MANAGED_BY, labels::FIELD_MANAGER, labels::SUITE_KEY);
        let known = maps.list(&ListParams::default().labels(&query)).await.map_err(Error::Suite)?;
        seen.known = known.items.into_iter().find_map(list);
    }
    Ok(seen)
}

fn list(map: ConfigMap) -> Option<(String, String)> {
    let mut data = map.data?;
    Some((data.remove(DOCUMENT)?, data.remove(IMAGE)?))
}
