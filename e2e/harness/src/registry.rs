//! The registry that images are built into, as somebody outside the cluster's pods reads it.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use hyper::{Method, StatusCode, body::Bytes};
use k8s_openapi::api::core::v1::Service;
use kube::Api;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::{Context, http, settings};

const MANIFESTS: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, \
     application/vnd.docker.distribution.manifest.v2+json";
const CYCLONEDX: &str = "application/vnd.cyclonedx+json";

/// A registry.
pub struct Registry {
    /// Its name in the cluster.
    host: String,
    /// Where it answers this machine.
    address: String,
}

impl Registry {
    /// The registry that has the base image.
    pub async fn find(ctx: &Context) -> Result<Self> {
        let base = settings::base_image()?;
        let (host, _) = base.split_once('/').with_context(|| format!("{base} names no registry"))?;
        let (name, port) = host.split_once(':').unwrap_or((host, "80"));
        let mut parts = name.split('.');
        let (Some(service), Some(namespace), Some("svc")) = (parts.next(), parts.next(), parts.next()) else {
            anyhow::bail!("the registry {host} isn't a Service of the cluster, SERVICE.NAMESPACE.svc");
        };
        let services: Api<Service> = Api::namespaced(ctx.client.clone(), namespace);
        let found = services.get(service).await.with_context(|| format!("failed to find {host}"))?;
        let address = found.spec.and_then(|spec| spec.cluster_ip).context("the registry has no address")?;
        Ok(Self { host: host.to_owned(), address: format!("{address}:{port}") })
    }

    /// The part of the registry that belongs to a test, by the name of its namespace.
    pub fn prefix(&self, namespace: &str) -> String {
        format!("{}/e2e/{namespace}", self.host)
    }

    /// An image by its name and tag in this registry.
    pub fn image(&self, name: &str) -> String {
        format!("{}/{name}", self.host)
    }

    /// Whether there is such an image.
    pub async fn has(&self, image: &str) -> Result<bool> {
        let (repository, reference) = self.parts(image)?;
        let (status, _) = self.get(&format!("{repository}/manifests/{reference}")).await?;
        ensure!(
            status.is_success() || status == StatusCode::NOT_FOUND,
            "{image}: the registry answered {status}"
        );
        Ok(status.is_success())
    }

    /// The digest that a tag stands for.
    pub async fn digest(&self, image: &str) -> Result<String> {
        let (repository, tag) = self.parts(image)?;
        let (status, body) = self.get(&format!("{repository}/manifests/{tag}")).await?;
        ensure!(status.is_success(), "{image}: the registry answered {status}");
        Ok(digest_of(&body))
    }

    /// The labels of an image.
    pub async fn labels(&self, image: &str) -> Result<BTreeMap<String, String>> {
        let (repository, reference) = self.parts(image)?;
        let manifest = self.json(&format!("{repository}/manifests/{reference}")).await?;
        let config = digest_at(&manifest, "/config/digest")?;
        let mut config = self.json(&format!("{repository}/blobs/{config}")).await?;
        serde_json::from_value(config["config"]["Labels"].take()).context("the labels aren't strings")
    }

    /// The manifest of an image or artifact that is given by digest, which it has.
    pub async fn manifest(&self, image: &str) -> Result<Value> {
        let (repository, digest) = self.parts(image)?;
        let body = self.verified(&format!("{repository}/manifests/{digest}"), digest).await?;
        serde_json::from_slice(&body).with_context(|| format!("{image}: the manifest is not JSON"))
    }

    /// A blob beside an image, by its digest, which it has.
    pub async fn blob(&self, image: &str, digest: &str) -> Result<Bytes> {
        let (repository, _) = self.parts(image)?;
        self.verified(&format!("{repository}/blobs/{digest}"), digest).await
    }

    /// The SBOM attached to an image that is given by digest, found by what refers to that digest.
    pub async fn sbom(&self, image: &str) -> Result<Value> {
        let (repository, digest) = self.parts(image)?;
        // Where a registry without the referrers API keeps what refers to a digest.
        let index = self.json(&format!("{repository}/manifests/{}", digest.replace(':', "-"))).await?;
        let referrers = index["manifests"].as_array().context("the index of referrers has no manifests")?;
        let [referrer] = referrers.as_slice() else { anyhow::bail!("not one referrer: {referrers:?}") };
        ensure!(referrer["artifactType"] == CYCLONEDX, "the referrer isn't an SBOM: {referrer}");
        let manifest = digest_at(referrer, "/digest")?;
        let manifest = self.json(&format!("{repository}/manifests/{manifest}")).await?;
        ensure!(manifest["subject"]["digest"] == digest, "about something else: {manifest}");
        ensure!(manifest["artifactType"] == CYCLONEDX, "of another type: {manifest}");
        let blob = digest_at(&manifest, "/layers/0/digest")?;
        self.json(&format!("{repository}/blobs/{blob}")).await
    }

    /// Deletes an image that is given by digest, with all its tags.
    pub async fn delete(&self, image: &str) -> Result<()> {
        let (repository, digest) = self.parts(image)?;
        let url = self.url(&format!("{repository}/manifests/{digest}"));
        let (status, said) = http::request(Method::DELETE, &url, MANIFESTS, Bytes::new()).await?;
        ensure!(status.is_success(), "{url} answered {status}: {}", String::from_utf8_lossy(&said));
        Ok(())
    }

    /// Gives a tag to a copy of an image; `note` goes into the copy, so that it has a digest of its own.
    pub async fn retag(&self, image: &str, tag: &str, note: &str) -> Result<()> {
        let (repository, reference) = self.parts(image)?;
        let mut manifest = self.json(&format!("{repository}/manifests/{reference}")).await?;
        manifest["annotations"]["copr-e2e"] = json!(note);
        let media_type = manifest["mediaType"].as_str().unwrap_or(MANIFESTS).to_owned();
        let url = self.url(&format!("{repository}/manifests/{tag}"));
        let body = serde_json::to_vec(&manifest)?;
        let (status, said) = http::request(Method::PUT, &url, &media_type, body.into()).await?;
        ensure!(status.is_success(), "{url} answered {status}: {}", String::from_utf8_lossy(&said));
        Ok(())
    }

    async fn verified(&self, path: &str, digest: &str) -> Result<Bytes> {
        let (status, body) = self.get(path).await?;
        ensure!(status.is_success(), "{path}: the registry answered {status}");
        ensure!(digest_of(&body) == digest, "{path}: the registry sent {}", digest_of(&body));
        Ok(body)
    }

    async fn json(&self, path: &str) -> Result<Value> {
        let (status, body) = self.get(path).await?;
        ensure!(status.is_success(), "{path}: the registry answered {status}");
        serde_json::from_slice(&body).with_context(|| format!("{path}: not JSON"))
    }

    async fn get(&self, path: &str) -> Result<(StatusCode, Bytes)> {
        http::request(Method::GET, &self.url(path), MANIFESTS, Bytes::new()).await
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}/v2/{path}", self.address)
    }

    /// Repository, and digest or tag.
    fn parts<'a>(&self, image: &'a str) -> Result<(&'a str, &'a str)> {
        let of_host = || format!("{image} is not in the registry {}", self.host);
        let path = image.strip_prefix(&self.host).and_then(|rest| rest.strip_prefix('/'));
        let path = path.with_context(of_host)?;
        match path.split_once('@') {
            Some((name, digest)) => Ok((name.split(':').next().unwrap_or(name), digest)),
            None => path.rsplit_once(':').with_context(|| format!("{image} has neither digest nor tag")),
        }
    }
}

fn digest_of(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    format!("sha256:{}", digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}

fn digest_at<'a>(document: &'a Value, pointer: &str) -> Result<&'a str> {
    let found = document.pointer(pointer).and_then(Value::as_str);
    found.with_context(|| format!("no {pointer} in {document}"))
}
