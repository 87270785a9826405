use std::io::Write as _;

use copr_operator_images::testing::{Content, Server};
use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::*;
use crate::commands::testing;

const CLUSTERS: &str = "registry.kube-registry.svc:5000";

fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

/// A registry with evidence of these parts, and the artifact as the cluster calls it.
async fn registry(parts: &[(&str, &[u8])]) -> (Server, String) {
    let content = Content::default();
    let push = content.clone();
    let server = Server::start(move |request| content.answer(request)).await;
    let access = Access { insecure: true, ..Access::default() };
    let name = Name::parse(&format!("{}/copr/copr-evidence:tag", server.host)).unwrap();
    let registry = Registries::default().of(&name.text, &access).unwrap();
    let mut layers = Vec::<Value>::new();
    for (title, bytes) in parts {
        registry.push_blob(&name, bytes).await.unwrap();
        layers.push(json!({"digest": digest(bytes), "size": bytes.len(), "annotations": {TITLE: title}}));
    }
    let manifest = json!({"schemaVersion": 2, "layers": layers}).to_string().into_bytes();
    let digest = push.push_manifest("copr/copr-evidence", "tag", manifest);
    (server, format!("{CLUSTERS}/copr/copr-evidence@{digest}"))
}

async fn fetch_from(server: &Server, artifact: &str, folder: &Path) -> Result<Got, String> {
    let addresses = [format!("{CLUSTERS}={}", server.host).parse().unwrap()];
    let got = fetch_as(Keyring::default(), artifact, &addresses, folder).await;
    got.map_err(|error| copr_operator_kernel::report::chain(&error))
}

#[tokio::test]
async fn evidence_is_got_where_this_machine_reaches_the_registry() {
    let mut log = GzEncoder::new(Vec::new(), Compression::fast());
    log.write_all(b"one\n").unwrap();
    let log = log.finish().unwrap();
    let parts: [(&str, &[u8]); 3] = [("status.json", b"{}"), ("build-spec-1.log.gz", &log), ("../out", b"x")];
    let (server, artifact) = registry(&parts).await;
    let folder = testing::Folder::new();
    let evidence = folder.path().join("evidence");
    assert_eq!(fetch_from(&server, &artifact, &evidence).await, Ok(Got { files: 2, left_out: 1 }));
    assert_eq!(fs::read_to_string(evidence.join("build-spec-1.log")).unwrap(), "one\n");
    assert_eq!(fs::read_to_string(evidence.join("status.json")).unwrap(), "{}");
    assert!(!folder.path().join("out").exists());
}

#[tokio::test]
async fn what_is_gone_or_another_is_said() {
    let (server, artifact) = registry(&[("status.json", b"{}")]).await;
    let folder = testing::Folder::new();
    let evidence = folder.path().join("evidence");
    let other = format!("{}@{}", artifact.split('@').next().unwrap(), digest(b"other"));
    assert_eq!(fetch_from(&server, &other, &evidence).await, Err("it isn't in the registry any more".into()));
    let here = artifact.replace(CLUSTERS, &server.host);
    let error = fetch_as(Keyring::default(), &here, &[], &evidence).await.unwrap_err().to_string();
    assert!(error.contains(&format!("add --registry-address {0}={0}", server.host)), "{error}");
    assert!(!evidence.exists());
}

#[test]
fn a_registry_has_the_address_that_was_given_and_no_other() {
    let addresses = ["r.svc:5000=127.0.0.1:1".parse().unwrap()];
    assert_eq!(reached("r.svc:5000/a/b@sha256:0", &addresses), ("127.0.0.1:1/a/b@sha256:0".into(), true));
    assert_eq!(reached("r.svc/a/b@sha256:0", &addresses), ("r.svc/a/b@sha256:0".into(), false));
}
