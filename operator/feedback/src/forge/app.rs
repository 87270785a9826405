//! Client required: the token of an installation of a GitHub App.
//!
//! Its JSON Web Token is signed with ring, which rustls brings along: jsonwebtoken would bring a second implementation of RSA.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use jiff::Timestamp;
use reqwest::Method;
use ring::{rand::SystemRandom, rsa, signature::RSA_PKCS1_SHA256};
use rustls::pki_types::{PrivateKeyDer, pem::PemObject as _};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::json;

use super::Api;
use crate::exchange::Failure;

/// GitHub takes no token of an app that lives longer than ten minutes, and clocks differ.
const LIFE_SECONDS: i64 = 540;
const SKEW_SECONDS: i64 = 60;

/// A GitHub App, installed somewhere.
pub struct App {
    pub id: String,
    pub installation: String,
    pub private_key: SecretString,
}

#[derive(Deserialize)]
struct Granted {
    token: String,
}

/// Asks for a token of the installation. It's good for an hour, but asked for anew by each report, so that none is kept.
pub async fn token(api: &Api<'_>, app: &App, now: Timestamp) -> Result<SecretString, Failure> {
    let proof = SecretString::from(json_web_token(app, now)?);
    let api = Api { token: Some(&proof), ..*api };
    let url = api.url(&["app", "installations", &app.installation, "access_tokens"])?;
    let granted: Granted = api.ask(Method::POST, url, Some(json!({}))).await?.json()?;
    Ok(granted.token.into())
}

/// What proves to GitHub for some minutes that this is the app.
fn json_web_token(app: &App, now: Timestamp) -> Result<String, Failure> {
    let part = |value: serde_json::Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let issued = now.as_second() - SKEW_SECONDS;
    let claims = json!({"iat": issued, "exp": now.as_second() + LIFE_SECONDS, "iss": app.id});
    let signed = format!("{}.{}", part(json!({"alg": "RS256", "typ": "JWT"})), part(claims));
    let key = key(app.private_key.expose_secret())?;
    let mut signature = vec![0; key.public().modulus_len()];
    let made = key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature);
    made.map_err(|_| Failure::passing("the system has no random numbers to sign with"))?;
    Ok(format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature)))
}

/// Never what is in it, nor what is wrong with it in detail.
fn key(pem: &str) -> Result<rsa::KeyPair, Failure> {
    let key = match PrivateKeyDer::from_pem_slice(pem.as_bytes()) {
        Ok(PrivateKeyDer::Pkcs1(der)) => rsa::KeyPair::from_der(der.secret_pkcs1_der()).ok(),
        Ok(PrivateKeyDer::Pkcs8(der)) => rsa::KeyPair::from_pkcs8(der.secret_pkcs8_der()).ok(),
        _ => None,
    };
    let wrong = "report.forge.appSecret: its privateKey is no RSA key of 2048 bits or more in PEM";
    key.ok_or_else(|| Failure::refused(wrong))
}

#[cfg(test)]
mod tests {
    use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
    use serde_json::Value;

    use super::*;
    use crate::tests::APP_KEY;

    fn app(private_key: &str) -> App {
        App { id: "12".into(), installation: "34".into(), private_key: private_key.to_owned().into() }
    }

    #[test]
    fn an_app_proves_itself_for_nine_minutes() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let token = json_web_token(&app(APP_KEY), now).unwrap();
        let decode = |part: &str| BASE64_URL_SAFE_NO_PAD.decode(part).unwrap();
        let json = |part: &str| serde_json::from_slice::<Value>(&decode(part)).unwrap();
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let (header, claims) = signed.split_once('.').unwrap();
        assert_eq!(json(header), json!({"alg": "RS256", "typ": "JWT"}));
        assert_eq!(json(claims), json!({"iat": 1_799_999_940, "exp": 1_800_000_540, "iss": "12"}));
        let public = key(APP_KEY).unwrap().public().as_ref().to_vec();
        let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public);
        public.verify(signed.as_bytes(), &decode(signature)).unwrap();
    }

    #[test]
    fn what_is_no_key_is_not_told() {
        let broken = APP_KEY.replace('\n', "").replace('M', "N");
        for text in ["hunter2", &broken] {
            let failure = json_web_token(&app(text), Timestamp::UNIX_EPOCH).unwrap_err();
            let expected = "report.forge.appSecret: its privateKey is no RSA key of 2048 bits or more in PEM";
            assert_eq!(failure, Failure::refused(expected));
        }
    }
}
