//! Who may know what, in the ways of several registries.

use std::sync::Arc;

use serde_json::json;

use super::{
    as_user, insecure, registry,
    server::{Content, Request, Response, Server, response},
};
use crate::registry::{Access, Error, Keyring, Login};

const HASH: &str = "0d97038ad8b1b616d26990abe2eeb603";

/// What a registry with a token service says of a repository that isn't there.
#[derive(Clone, Copy, PartialEq)]
enum Style {
    /// Quay, Docker Hub: the token is given, but is good for nothing.
    Unauthorized,
    /// GHCR: 403.
    Forbidden,
    /// GitLab, GHCR's token service: no token for that scope.
    NoToken,
    /// ECR, Harbor: 404.
    NotFound,
}

/// A registry behind a token service that knows robot:secret.
async fn with_tokens(style: Style, content: Content) -> Server {
    let host = Arc::new(std::sync::Mutex::new(String::new()));
    let own = host.clone();
    let server = Server::start(move |request| {
        let realm = format!("Bearer realm=\"http://{}/token\",service=\"fake\"", own.lock().unwrap());
        let challenge = || response(401).with("WWW-Authenticate", realm.clone()).error("UNAUTHORIZED");
        if request.bare_path() == "/token" {
            return token(style, &content, request);
        }
        let Some(token) = request.bearer() else { return challenge() };
        let repository = request
            .path
            .trim_start_matches("/v2/")
            .split("/manifests/")
            .next()
            .unwrap()
            .split("/blobs/")
            .next()
            .unwrap();
        let may = token == format!("may-{repository}");
        match style {
            _ if request.path == "/v2/" => response(200),
            _ if may || style == Style::NotFound => content.answer(request),
            Style::Forbidden => response(403).error("DENIED"),
            _ => challenge(),
        }
    })
    .await;
    host.lock().unwrap().clone_from(&server.host);
    server
}

fn token(style: Style, content: &Content, request: &Request) -> Response {
    let who = request.basic();
    if who.as_ref().is_some_and(|who| who != "robot:secret") || request.body.contains("refresh_token=bad") {
        return response(401).error("UNAUTHORIZED");
    }
    let scope = request.path.split("repository%3A").nth(1).or(request.body.split("repository%3A").nth(1));
    let repository = scope.map(|scope| scope.split("%3A").next().unwrap().replace("%2F", "/"));
    let known = who.is_some() || request.body.contains("refresh_token=good");
    let granted = repository.clone().filter(|repository| known && content.has_repository(repository));
    if style == Style::NoToken && repository.is_some() && granted.is_none() {
        return response(403).error("DENIED");
    }
    let token = granted.map_or("good-for-nothing".to_owned(), |repository| format!("may-{repository}"));
    response(200).body(json!({"token": token, "expires_in": 300}).to_string())
}

const STYLES: [Style; 4] = [Style::Unauthorized, Style::Forbidden, Style::NoToken, Style::NotFound];

#[tokio::test]
async fn what_is_not_there_yet_is_to_be_built_whatever_the_registry_calls_it() {
    for style in STYLES {
        let server = with_tokens(style, Content::default()).await;
        let (image, access) =
            (format!("{}/team/copr-x:{HASH}", server.host), as_user(&server.host, "robot", "secret"));
        assert_eq!(registry(&image, &access).describe_own(&image).await.unwrap(), None);
        assert!(registry(&image, &access).has_lost(&image).await.unwrap());
    }
}

#[tokio::test]
async fn what_is_there_is_found_with_the_same_credentials() {
    for style in STYLES {
        let content = Content::default();
        let digest = content.push("team/copr-x", HASH, HASH);
        let server = with_tokens(style, content).await;
        let (image, access) =
            (format!("{}/team/copr-x:{HASH}", server.host), as_user(&server.host, "robot", "secret"));
        let found = registry(&image, &access).describe_own(&image).await.unwrap().unwrap();
        assert_eq!((found.digest, found.labels.len()), (digest, 1));
        assert!(server.count("HEAD") > 0, "a question isn't a pull");
    }
}

#[tokio::test]
async fn a_base_image_that_is_refused_is_an_error_that_says_who_asked() {
    for style in [Style::Unauthorized, Style::Forbidden, Style::NoToken] {
        let server = with_tokens(style, Content::default()).await;
        let image = format!("{}/team/base:1", server.host);
        let access = as_user(&server.host, "robot", "secret");
        let error = registry(&image, &access).digest(&image).await.unwrap_err();
        assert!(matches!(error, Error::Denied { anonymous: false, .. }), "{error}");
        assert!(error.to_string().contains("Secret robot (registry.pushSecret)"), "{error}");
        assert!(!error.to_string().contains("a secret of the registry"), "{error}");

        let error = registry(&image, &insecure()).digest(&image).await.unwrap_err();
        assert!(matches!(error, Error::Denied { anonymous: true, .. }), "{error}");
        assert!(error.to_string().contains("the spec names no Secret"), "{error}");
        // Nobody can push without credentials either.
        assert!(registry(&image, &insecure()).describe_own(&image).await.is_err());
    }
}

#[tokio::test]
async fn bad_credentials_are_known_before_anything_is_built() {
    for style in STYLES {
        let server = with_tokens(style, Content::default()).await;
        let image = format!("{}/team/copr-x:{HASH}", server.host);
        let access = as_user(&server.host, "robot", "wrong");
        let error = registry(&image, &access).describe_own(&image).await.unwrap_err();
        assert!(matches!(error, Error::Credentials { .. }), "{error}");
        assert!(error.to_string().contains("Secret robot (registry.pushSecret)"), "{error}");
    }
}

#[tokio::test]
async fn basic_credentials_are_tried_at_the_door() {
    // One user per path, as with a registry behind a web server.
    let server = Server::start(|request| match request.basic().as_deref() {
        None | Some("bad:bad") => response(401).with("WWW-Authenticate", "Basic realm=\"fake\""),
        _ if request.path == "/v2/" => response(200),
        Some("a:pa") if request.path.starts_with("/v2/team-a/") => response(404).error("NAME_UNKNOWN"),
        _ => response(401).with("WWW-Authenticate", "Basic realm=\"fake\"").error("UNAUTHORIZED"),
    })
    .await;
    let mut keyring = Keyring::default();
    let file = json!({"auths": {
        format!("{}/team-a", server.host): {"username": "a", "password": "pa"},
        format!("{}/team-b", server.host): {"username": "b", "password": "pb"},
        format!("{}/bad", server.host): {"username": "bad", "password": "bad"},
    }});
    keyring.add(&file.to_string(), "Secret paths (registry.pushSecret)").unwrap();
    let access = Access { keyring, ..insecure() };
    let ask = async |path: &str| {
        let image = format!("{}/{path}/copr-x:{HASH}", server.host);
        registry(&image, &access).describe_own(&image).await
    };
    assert_eq!(ask("team-a").await.unwrap(), None);
    assert_eq!(ask("team-b").await.unwrap(), None, "refused, but known");
    assert!(matches!(ask("bad").await.unwrap_err(), Error::Credentials { .. }));
    let error = ask("team-c").await.unwrap_err();
    assert!(error.to_string().contains("has none for"), "{error}");
}

#[tokio::test]
async fn an_identity_token_is_exchanged() {
    let content = Content::default();
    let digest = content.push("team/copr-x", HASH, HASH);
    let server = with_tokens(Style::Unauthorized, content).await;
    let image = format!("{}/team/copr-x:{HASH}", server.host);
    let access = |token: &str| Access {
        keyring: Keyring::of(&server.host, Login::Identity(token.into()), "Secret x"),
        ..insecure()
    };
    assert_eq!(registry(&image, &access("good")).digest(&image).await.unwrap(), Some(digest));
    assert!(server.count("POST /token") > 0);
    let error = registry(&image, &access("bad")).digest(&image).await.unwrap_err();
    assert!(matches!(error, Error::Credentials { .. }), "{error}");
}

#[tokio::test]
async fn one_token_serves_all_questions_for_a_repository() {
    let content = Content::default();
    content.push("team/copr-x", HASH, HASH);
    let server = with_tokens(Style::Unauthorized, content).await;
    let image = format!("{}/team/copr-x:{HASH}", server.host);
    let registries = super::registries();
    for _ in 0..5 {
        let access = as_user(&server.host, "robot", "secret");
        registries.of(&image, &access).unwrap().describe(&image).await.unwrap();
    }
    assert_eq!((server.count("/token"), server.count("GET /v2/ ")), (1, 0));
    assert_eq!(server.asked().iter().filter(|asked| *asked == "GET /v2/").count(), 1);
}

#[tokio::test]
async fn a_registry_without_head_is_asked_otherwise() {
    let content = Content::default();
    let digest = content.push("team/copr-x", HASH, HASH);
    let server =
        Server::start(
            move |request| {
                if request.method == "HEAD" { response(405) } else { content.answer(request) }
            },
        )
        .await;
    let image = format!("{}/team/copr-x:{HASH}", server.host);
    assert_eq!(registry(&image, &insecure()).digest(&image).await.unwrap(), Some(digest));
}

#[tokio::test]
async fn a_configuration_that_is_not_what_the_manifest_says_is_none() {
    let content = Content::default();
    content.push("team/copr-x", HASH, HASH);
    let server = Server::start(move |request| {
        let answer = content.answer(request);
        if request.path.contains("/blobs/") { answer.body("{}") } else { answer }
    })
    .await;
    let image = format!("{}/team/copr-x:{HASH}", server.host);
    let error = registry(&image, &insecure()).describe_own(&image).await.unwrap_err();
    assert!(error.to_string().contains("isn't sha256:"), "{error}");
}

#[tokio::test]
async fn an_answer_without_end_is_not_read_to_its_end() {
    let content = Content::default();
    content.push_manifest("team/copr-x", HASH, vec![b' '; 5 << 20]);
    let server = Server::start(move |request| content.answer(request)).await;
    let image = format!("{}/team/copr-x:{HASH}", server.host);
    let error = registry(&image, &insecure()).describe_own(&image).await.unwrap_err();
    assert!(error.to_string().contains("larger than 4194304 bytes"), "{error}");
}
