//! What is got out of a registry.

use super::{
    insecure, registry,
    server::{Content, Server, response},
};
use crate::registry::{Name, PullError, digest_of};

const REPOSITORY: &str = "team/copr-evidence";

/// A blob, and what is got of it.
async fn pull(bytes: &[u8], digest: &str, size: u64) -> Result<Vec<u8>, PullError> {
    let content = Content::default();
    let server = Server::start(move |request| content.answer(request)).await;
    let name = Name::parse(&format!("{}/{REPOSITORY}:tag", server.host)).unwrap();
    let registry = registry(&name.text, &insecure());
    registry.push_blob(&name, bytes).await.unwrap();
    let mut got = Vec::new();
    registry.pull_blob(&name, digest, size, &mut got).await.map(|()| got)
}

#[tokio::test]
async fn a_blob_may_be_larger_than_any_other_answer() {
    let bytes = vec![7; 9 << 20];
    assert_eq!(pull(&bytes, &digest_of(&bytes), 9 << 20).await.unwrap(), bytes);
}

#[tokio::test]
async fn one_that_is_not_there_or_longer_than_it_should_be_is_an_error() {
    let said = async |digest: &str, size| pull(b"four", digest, size).await.unwrap_err().to_string();
    assert!(said(&digest_of(b"other"), 5).await.contains("was answered with 404 BLOB_UNKNOWN"));
    assert!(said(&digest_of(b"four"), 3).await.ends_with("is longer than 3 bytes"));
}

#[tokio::test]
async fn what_is_not_as_its_digest_says_is_an_error() {
    let content = Content::default();
    let server = Server::start(move |request| {
        if request.path.contains("/blobs/") { response(200).body("forged") } else { content.answer(request) }
    })
    .await;
    let name = Name::parse(&format!("{}/{REPOSITORY}:tag", server.host)).unwrap();
    let pulled =
        registry(&name.text, &insecure()).pull_blob(&name, &digest_of(b"four"), 9, &mut Vec::new()).await;
    assert!(pulled.unwrap_err().to_string().contains("what it gave isn't sha256:"));
}

/// A disk that is full.
struct Full;

impl std::io::Write for Full {
    fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
        Err(std::io::ErrorKind::StorageFull.into())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn what_can_not_be_written_is_not_the_registrys_fault() {
    let content = Content::default();
    let server = Server::start(move |request| content.answer(request)).await;
    let name = Name::parse(&format!("{}/{REPOSITORY}:tag", server.host)).unwrap();
    let registry = registry(&name.text, &insecure());
    let blob = registry.push_blob(&name, b"four").await.unwrap();
    let error = registry.pull_blob(&name, &blob.digest, 4, &mut Full).await.unwrap_err();
    assert!(matches!(error, PullError::Write { .. }), "{error}");
}
