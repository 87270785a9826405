//! A repository over HTTP.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use copr_operator_kernel::report;
use sha2::{Digest as _, Sha256};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use super::*;

const PRIMARY: &str = r#"<?xml version="1.0"?><metadata packages="1"><package type="rpm"><name>copr-cli</name><arch>noarch</arch>
<version epoch="0" ver="1" rel="1"/><checksum type="sha256" pkgid="YES">ab</checksum><summary/><location href="x.rpm"/>
<format><rpm:provides><rpm:entry name="copr-cli"/></rpm:provides></format></package></metadata>"#;

/// Answers by path; remembers what was asked for.
#[derive(Clone, Default)]
struct Mirror {
    files: Arc<Mutex<BTreeMap<String, (u16, String)>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Mirror {
    async fn start(self) -> String {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = vec![0; 4096];
                let read = stream.read(&mut request).await.unwrap_or_default();
                let request = String::from_utf8_lossy(&request[..read]).into_owned();
                let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
                let found = lock(&self.files).get(&path).cloned();
                lock(&self.asked).push(path);
                let (status, body) = found.unwrap_or((404, String::new()));
                let length = body.len();
                let answer = format!(
                    "HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nRetry-After: 7\r\nConnection: close\r\n\r\n{body}"
                );
                stream.write_all(answer.as_bytes()).await.ok();
            }
        });
        format!("http://{address}")
    }

    /// A repository in a folder, of which repomd.xml tells this and primary.xml is that.
    fn serve(&self, folder: &str, told: &str, primary: &str) {
        let checksum = hex::encode(Sha256::digest(told));
        let repomd = format!(
            r#"<repomd><data type="primary"><checksum type="sha256">{checksum}</checksum><location href="repodata/primary.xml"/>
<timestamp>1</timestamp><size>{}</size></data></repomd>"#,
            told.len()
        );
        let mut files = lock(&self.files);
        files.insert(format!("/{folder}/repodata/repomd.xml"), (200, repomd));
        files.insert(format!("/{folder}/repodata/primary.xml"), (200, primary.to_owned()));
    }

    fn asked_for_primary(&self) -> usize {
        lock(&self.asked).iter().filter(|path| path.ends_with("primary.xml")).count()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn reader() -> Reader {
    rustls::crypto::ring::default_provider().install_default().ok();
    Reader::new().unwrap()
}

async fn read(reader: &Reader, url: &str, folder: &str) -> Result<Vec<String>, Error> {
    let source = Source {
        name: "main".into(),
        base_url: format!("{url}/{folder}/"),
        priority: 1,
        credentials: None,
        authority: None,
    };
    let (contents, _permit) = reader.read(&[source]).await?;
    let Packages::Listed(packages) = &contents[0].packages else { return Ok(vec!["*".into()]) };
    Ok(packages.iter().map(Package::nevra).collect())
}

#[tokio::test]
async fn what_is_read_is_remembered_by_content_wherever_it_came_from() {
    let mirror = Mirror::default();
    let url = mirror.clone().start().await;
    let reader = reader();
    mirror.serve("a", PRIMARY, PRIMARY);
    mirror.serve("b", PRIMARY, PRIMARY);
    assert_eq!(read(&reader, &url, "a").await.unwrap(), ["copr-cli-1-1.noarch"]);
    assert_eq!(read(&reader, &url, "a").await.unwrap(), ["copr-cli-1-1.noarch"]);
    assert_eq!(read(&reader, &url, "b").await.unwrap(), ["copr-cli-1-1.noarch"]);
    assert_eq!(mirror.asked_for_primary(), 1);
    let newer = PRIMARY.replace("rel=\"1\"", "rel=\"2\"");
    mirror.serve("b", &newer, &newer);
    assert_eq!(read(&reader, &url, "b").await.unwrap(), ["copr-cli-1-2.noarch"]);
}

#[tokio::test]
async fn a_half_synchronized_or_poisoned_mirror_is_not_believed_nor_remembered() {
    let mirror = Mirror::default();
    let url = mirror.clone().start().await;
    let reader = reader();
    mirror.serve("a", PRIMARY, &PRIMARY.replace("copr-cli", "copr-cLi"));
    let error = read(&reader, &url, "a").await.unwrap_err();
    assert!(matches!(error, Error::Unverified { .. }), "{error}");
    assert!(error.to_string().contains("is being synchronized, or somebody"), "{error}");
    mirror.serve("a", PRIMARY, PRIMARY);
    assert_eq!(read(&reader, &url, "a").await.unwrap(), ["copr-cli-1-1.noarch"]);
}

#[tokio::test]
async fn a_mirror_that_is_away_says_how_long_and_why_once() {
    let mirror = Mirror::default();
    let url = mirror.clone().start().await;
    lock(&mirror.files).insert("/a/repodata/repomd.xml".into(), (503, String::new()));
    let error = read(&reader(), &url, "a").await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
    let said = report::chain(&error);
    assert_eq!(said.matches("503").count(), 1, "{said}");
    assert!(
        said.starts_with(&format!("repository main: {url}/a/repodata/repomd.xml answered 503")),
        "{said}"
    );
}

#[tokio::test]
async fn a_page_that_somebody_puts_before_a_repository_is_called_one() {
    let mirror = Mirror::default();
    let url = mirror.clone().start().await;
    for page in ["<html><body>Please log in", "\n<!DOCTYPE html>\n<html lang=\"en\">"] {
        lock(&mirror.files).insert("/a/repodata/repomd.xml".into(), (200, page.into()));
        let said = read(&reader(), &url, "a").await.unwrap_err().to_string();
        assert!(said.ends_with("it's a web page, such as a log-in or an error"), "{said}");
    }
}

#[test]
fn a_certificate_that_nobody_knows_says_where_its_authority_goes() {
    let mut source = Source {
        name: "main".into(),
        base_url: "https://r.example/".into(),
        priority: 1,
        credentials: None,
        authority: None,
    };
    let problem = || http::Error::Unreachable {
        url: "https://r.example/repodata/repomd.xml".into(),
        why: "invalid peer certificate: UnknownIssuer".into(),
    };
    let said = fetch(&source, problem()).to_string();
    assert!(
        said.ends_with(
            "UnknownIssuer; if an authority of your own has signed it, name that in its caConfigMap"
        )
    );
    source.authority = Some("PEM".into());
    let said = fetch(&source, problem()).to_string();
    assert!(said.ends_with("UnknownIssuer; the authority in its caConfigMap has not signed it"), "{said}");
}
