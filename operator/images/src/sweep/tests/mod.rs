//! What goes from a registry, and what stays.

mod ledger;
mod sweeps;

use serde_json::json;

use super::{
    remove::{Outcome, Tags, remove},
    used::Used,
};
use crate::registry::{
    digest_of,
    tests::{
        insecure, registry,
        server::{Content, Request, Response, Server, response},
    },
};

const HASH: &str = "0d97038ad8b1b616d26990abe2eeb603";
const REPOSITORY: &str = "team/copr-x";

/// How a registry takes DELETE.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Style {
    /// A tag goes alone: distribution 3, Quay, zot.
    ByTag,
    /// Only digests can go, with all their tags: distribution 2, Harbor.
    ByDigest(u16, &'static str),
    /// It says yes to a tag, and does nothing.
    Pretends,
    /// Nothing can go.
    Never(u16, &'static str),
}

async fn start(style: Style, content: &Content) -> Server {
    let content = content.clone();
    Server::start(move |request| {
        if request.method == "DELETE" { delete(style, &content, request) } else { content.answer(request) }
    })
    .await
}

fn delete(style: Style, content: &Content, request: &Request) -> Response {
    let (repository, reference) =
        request.path.strip_prefix("/v2/").unwrap().split_once("/manifests/").unwrap();
    match (style, reference.starts_with("sha256:")) {
        (Style::Never(status, code) | Style::ByDigest(status, code), false)
        | (Style::Never(status, code), true) => response(status).error(code),
        (_, true) => {
            content.delete(repository, reference);
            response(202)
        }
        (Style::Pretends, false) => response(202),
        (Style::ByTag, false) => {
            content.untag(repository, reference);
            response(202)
        }
    }
}

const DELETING: [Style; 5] = [
    Style::ByTag,
    Style::ByDigest(405, "UNSUPPORTED"),
    Style::ByDigest(400, "DIGEST_INVALID"),
    Style::ByDigest(404, "MANIFEST_UNKNOWN"),
    Style::Pretends,
];

/// An image of ours with its SBOM, under the tag of its hash.
fn pushed() -> (Content, String) {
    let content = Content::default();
    let digest = content.push(REPOSITORY, HASH, HASH);
    content.push_manifest(
        REPOSITORY,
        &digest.replace(':', "-"),
        format!(r#"{{"of":"{digest}"}}"#).into_bytes(),
    );
    (content, digest)
}

async fn removed(server: &Server, used: &Used) -> Outcome {
    let image = format!("{}/{REPOSITORY}:{HASH}", server.host);
    remove(&registry(&image, &insecure()), &image, used, &mut Tags::default()).await.unwrap()
}

#[tokio::test]
async fn an_unused_image_goes_with_its_sbom() {
    for style in DELETING {
        let (content, _) = pushed();
        content.push(REPOSITORY, "latest", "another");
        let server = start(style, &content).await;
        assert_eq!(removed(&server, &Used::default()).await, Outcome::Gone, "{style:?}");
        assert_eq!(content.tags(REPOSITORY), ["latest"], "{style:?}");
    }
}

#[tokio::test]
async fn a_tag_of_somebody_else_on_the_same_image_survives() {
    for style in DELETING {
        let (content, digest) = pushed();
        content.push(REPOSITORY, "stable", HASH);
        let server = start(style, &content).await;
        let outcome = removed(&server, &Used::default()).await;
        let expected = if style == Style::ByTag { Outcome::Gone } else { Outcome::Shared };
        assert_eq!(outcome, expected, "{style:?}");
        assert!(content.has(REPOSITORY, "stable") && content.has(REPOSITORY, &digest), "{style:?}");
        assert!(content.has(REPOSITORY, &digest.replace(':', "-")), "its SBOM, too: {style:?}");
        assert!(outcome == Outcome::Gone || server.count("DELETE /v2/team/copr-x/manifests/sha256:") == 0);
    }
}

#[tokio::test]
async fn an_image_that_is_used_by_its_digest_stays() {
    let (content, digest) = pushed();
    let server = start(Style::ByTag, &content).await;
    let mut used = Used::default();
    used.add(&json!({"status": {"containerStatuses": [{"imageID": format!("elsewhere/mirror@{digest}")}]}}));
    assert_eq!(removed(&server, &used).await, Outcome::InUse);
    assert_eq!(server.count("DELETE"), 0);
}

#[tokio::test]
async fn what_does_not_say_that_it_is_ours_stays() {
    let foreign = [
        json!({"config": {"Labels": null}}),
        json!({"config": null}),
        json!({"config": {"Labels": {"a": "b"}}}),
    ];
    for config in foreign {
        let content = Content::default();
        let config = config.to_string();
        let blob = digest_of(config.as_bytes());
        content.push_manifest(REPOSITORY, "config", config.into_bytes());
        content.push_manifest(REPOSITORY, HASH, json!({"config": {"digest": blob}}).to_string().into_bytes());
        let server = start(Style::ByTag, &content).await;
        assert_eq!(removed(&server, &Used::default()).await, Outcome::NotOurs);
        assert_eq!(server.count("DELETE"), 0);
    }
    // Nor does one of ours that somebody has put under this tag.
    let content = Content::default();
    content.push(REPOSITORY, HASH, "another hash");
    let server = start(Style::ByTag, &content).await;
    assert_eq!(removed(&server, &Used::default()).await, Outcome::NotOurs);
}

#[tokio::test]
async fn a_registry_that_deletes_nothing_says_so_and_is_not_pressed() {
    for style in
        [Style::Never(405, "UNSUPPORTED"), Style::Never(403, "DENIED"), Style::Never(401, "UNAUTHORIZED")]
    {
        let (content, _) = pushed();
        let server = start(style, &content).await;
        let Outcome::Refused(why) = removed(&server, &Used::default()).await else { panic!("{style:?}") };
        let Style::Never(status, code) = style else { unreachable!() };
        assert_eq!(why, format!("{status} {code}"));
        assert!(server.count("DELETE") <= 3, "{:?}", server.asked());
        assert!(content.has(REPOSITORY, HASH));
    }
}

#[tokio::test]
async fn a_list_of_tags_that_is_not_whole_proves_nothing() {
    let (content, _) = pushed();
    let all = content.clone();
    let server = Server::start(move |request| match request.method.as_str() {
        "DELETE" => delete(Style::ByDigest(405, "UNSUPPORTED"), &all, request),
        _ if request.path.contains("tags/list") => response(200).body(r#"{"tags": null}"#),
        _ => all.answer(request),
    })
    .await;
    assert_eq!(removed(&server, &Used::default()).await, Outcome::Shared);
    assert!(content.has(REPOSITORY, HASH));
}

#[tokio::test]
async fn a_list_of_tags_is_read_page_by_page() {
    let (content, digest) = pushed();
    content.push(REPOSITORY, "stable", HASH);
    let all = content.clone();
    let sbom = digest.replace(':', "-");
    let server = Server::start(move |request| match request.method.as_str() {
        "DELETE" => delete(Style::ByDigest(405, "UNSUPPORTED"), &all, request),
        _ if request.path.ends_with("tags/list?n=1000") => response(200)
            .with("Link", "</v2/team/copr-x/tags/list?n=1000&last=m>; rel=\"next\"")
            .body(json!({"tags": [HASH, sbom]}).to_string()),
        _ if request.path.contains("last=m") => response(200).body(r#"{"tags": ["stable"]}"#),
        _ => all.answer(request),
    })
    .await;
    assert_eq!(removed(&server, &Used::default()).await, Outcome::Shared);
    assert!(content.has(REPOSITORY, "stable"));
}

#[tokio::test]
async fn what_is_gone_already_is_gone() {
    let server = start(Style::ByTag, &Content::default()).await;
    assert_eq!(removed(&server, &Used::default()).await, Outcome::Gone);
}
