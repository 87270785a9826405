//! Client required: deletes the evidence of a namespace whose time is over. Whether it is, an artifact says itself, so that runs needn't
//! be there any more, nor anything be written down.

use copr_operator_images::{Deleted, Name, Registry, RegistryError};
use jiff::Timestamp;

use crate::manifest;

/// So many at a time: the rest goes next time.
const AT_A_TIME: usize = 200;

/// Deletes what has expired of those tags; returns how many artifacts that were, and the registry's answer if it refused.
pub async fn sweep(
    registry: &Registry,
    repository: &Name,
    namespace: &str,
    now: Timestamp,
) -> Result<(usize, Option<String>), RegistryError> {
    let prefix = manifest::tag_prefix(namespace);
    let tags = registry.tags(repository).await?.unwrap_or_default();
    let mut gone = 0;
    for tag in tags.iter().filter(|tag| tag.starts_with(&prefix)).take(AT_A_TIME) {
        let name = repository.with(tag);
        let Some((digest, manifest)) = registry.raw_manifest(&name).await? else { continue };
        if manifest::expires(&manifest).is_none_or(|expires| now < expires) {
            continue;
        }
        // Where a registry can't delete a tag alone, the digest goes: no other tag has it, as what a manifest says of its run is its own.
        let refused = match registry.delete(&name).await? {
            Deleted::Gone if registry.digest(&name.text).await?.is_none() => None,
            Deleted::Gone | Deleted::No(_) => match registry.delete(&repository.with(&digest)).await? {
                Deleted::Gone => None,
                Deleted::No(why) => Some(why),
            },
        };
        if refused.is_some() {
            return Ok((gone, refused));
        }
        gone += 1;
    }
    Ok((gone, None))
}

#[cfg(test)]
mod tests {
    use copr_operator_images::{
        Access, Registries,
        testing::{Content, Request, Server, response},
    };
    use serde_json::json;

    use super::*;
    use crate::manifest::EXPIRES;

    fn artifact(type_: &str, expires: &str) -> Vec<u8> {
        json!({"artifactType": type_, "annotations": {EXPIRES: expires}}).to_string().into_bytes()
    }

    async fn swept(
        content: &Content,
        delete: impl Fn(&Content, &str) -> u16 + Send + Sync + 'static,
    ) -> (usize, Option<String>) {
        let ours = "application/vnd.copr.testrun.evidence.v1";
        let repository = "team/copr-evidence";
        content.push_manifest(repository, "ci-old-1", artifact(ours, "2026-01-01T00:00:00Z"));
        content.push_manifest(repository, "ci-new-1", artifact(ours, "2026-12-01T00:00:00Z"));
        content.push_manifest(repository, "other-old-1", artifact(ours, "2026-01-02T00:00:00Z"));
        content.push_manifest(repository, "ci-image-1", artifact("x", "2026-01-01T00:00:00Z"));
        let has = content.clone();
        let server = Server::start(move |request: &Request| {
            if request.method != "DELETE" {
                return has.answer(request);
            }
            response(delete(&has, request.path.rsplit('/').next().unwrap()))
        })
        .await;
        let name = Name::parse(&format!("{}/{repository}:any", server.host)).unwrap();
        let access = Access { insecure: true, ..Access::default() };
        let registry = Registries::default().of(&name.text, &access).unwrap();
        sweep(&registry, &name, "ci", "2026-11-01T00:00:00Z".parse().unwrap()).await.unwrap()
    }

    fn left(content: &Content) -> Vec<String> {
        content.tags("team/copr-evidence")
    }

    #[tokio::test]
    async fn what_has_expired_goes_by_its_tag_and_nothing_else_does() {
        let content = Content::default();
        let result = swept(&content, |content, tag| {
            content.untag("team/copr-evidence", tag);
            202
        })
        .await;
        assert_eq!(result, (1, None));
        assert_eq!(left(&content), ["ci-image-1", "ci-new-1", "other-old-1"]);
    }

    #[tokio::test]
    async fn where_tags_cannot_go_alone_the_digest_does() {
        let content = Content::default();
        let result = swept(&content, |content, reference| {
            content.delete("team/copr-evidence", reference);
            if reference.contains(':') { 202 } else { 405 }
        })
        .await;
        assert_eq!(result, (1, None));
        assert_eq!(left(&content), ["ci-image-1", "ci-new-1", "other-old-1"]);
    }

    #[tokio::test]
    async fn a_registry_that_deletes_nothing_is_quoted() {
        let content = Content::default();
        let (gone, refused) = swept(&content, |_, _| 405).await;
        assert_eq!((gone, refused.as_deref()), (0, Some("405 Method Not Allowed")));
    }
}
