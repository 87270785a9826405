//! Client required: an event to a URL.

use copr_operator_api::v1alpha1::Webhook;
use copr_operator_kernel::dependency;
use reqwest::{
    Client, Method, Url,
    header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
};
use ring::hmac;
use serde_json::Value;

use crate::exchange::{self, Failure, Outgoing};

const SIGNATURE: HeaderName = HeaderName::from_static("x-copr-signature-256");
const CLOUD_EVENT: HeaderValue = HeaderValue::from_static("application/cloudevents+json; charset=utf-8");

/// Sends the event.
pub async fn send(
    (client, namespace): (&kube::Client, &str),
    http: &Client,
    webhook: &Webhook,
    event: &Value,
) -> Result<(), Failure> {
    let (field, authority) = ("report.webhook.caConfigMap", webhook.ca_config_map.as_ref());
    let http = exchange::client_that_trusts((client, namespace), http, field, authority).await?;
    let url = Url::parse(&webhook.url);
    let url = url.map_err(|error| Failure::refused(format!("report.webhook.url: {error}")))?;
    let body = event.to_string().into_bytes();
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, CLOUD_EVENT);
    if let Some(secret) = &webhook.signing_secret {
        let field = "report.webhook.signingSecret";
        let key = dependency::secret(client, namespace, field, &secret.name, "key").await;
        let key = key.map_err(|error| Failure::unusable(&error))?;
        let signature = HeaderValue::from_str(&signature(&key, &body));
        headers.insert(SIGNATURE, signature.map_err(|error| Failure::refused(error.to_string()))?);
    }
    let outgoing = Outgoing { method: Method::POST, url, headers, body: Some(body), quoted: false };
    exchange::exchange(&http, &outgoing).await.map(drop)
}

/// As GitHub signs its own webhooks.
pub fn signature(key: &str, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
    format!("sha256={}", hex::encode(hmac::sign(&key, body)))
}
