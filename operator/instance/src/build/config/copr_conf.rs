//! `/etc/copr/copr.conf` of the frontend. It is Python, so every value is written as a Python literal.

use copr_operator_api::v1alpha1::Scheme;

use super::python;
use crate::{login::Login, validate::Instance};

type Line = (&'static str, String);

/// Renders the file.
pub fn render(instance: &Instance) -> String {
    let extra = &instance.extra_config.frontend;
    let mut lines = wiring(instance);
    lines.extend(logins(&instance.login));
    let chosen = chosen().into_iter().filter(|(key, _)| !extra.contains_key(*key));
    let extra = extra.iter().map(|(key, value)| (key.as_str(), python::value(value)));
    let lines = lines.into_iter().chain(chosen).chain(extra);
    lines.map(|(key, value)| format!("{key} = {value}\n")).collect()
}

/// What Copr is connected with, and by which URLs. `extraConfig` may set none of it: the keys are those of `FRONTEND_OWNED`.
fn wiring(instance: &Instance) -> Vec<Line> {
    let urls = instance.written_urls();
    let host = instance.frontend_host();
    let (redis_host, redis_port) = instance.redis_address();
    let scheme = instance.scheme();
    let text = |value: &str| python::text(value);
    let mut lines = vec![
        ("ENV", text("production")),
        // manage.py starts from the development settings: without these it logs every statement.
        ("DEBUG", "False".into()),
        ("SQLALCHEMY_ECHO", "False".into()),
        ("SQLALCHEMY_DATABASE_URI", text(&instance.database_uri())),
        ("SECRET_KEY", text(&instance.credentials.secret_key)),
        ("BACKEND_PASSWORD", text(&instance.credentials.backend_password)),
        ("REDIS_HOST", text(&redis_host)),
        ("REDIS_PORT", redis_port.to_string()),
        ("SERVER_NAME", text(&host)),
        ("PUBLIC_COPR_HOSTNAME", text(&host)),
        ("PUBLIC_COPR_BASE_URL", text(&urls.frontend)),
        ("BACKEND_BASE_URL", text(&urls.results)),
        ("DIST_GIT_URL", text(&format!("{}/cgit", urls.dist_git))),
        ("DIST_GIT_CLONE_URL", text(&format!("{}/git", urls.dist_git))),
        ("COPR_DIST_GIT_LOGS_URL", text(&format!("{}/per-task-logs", urls.dist_git))),
        // With None each URL would keep its scheme, but Copr starts some with https:// whatever the instance has.
        ("ENFORCE_PROTOCOL_FOR_BACKEND_URL", text(scheme.as_str())),
        ("ENFORCE_PROTOCOL_FOR_FRONTEND_URL", text(scheme.as_str())),
        ("REPO_NO_SSL", python::value(&(scheme == Scheme::Http).into())),
        ("DATA_DIR", text("/var/lib/copr/data")),
        ("STORAGE_DIR", text("/var/lib/copr/data/srpm_storage")),
        ("WHOOSHEE_DIR", text("/var/lib/copr/data/whooshee")),
        ("OPENID_STORE", text("/var/lib/copr/data/openid_store")),
        ("LOG_DIR", text("/var/log/copr-frontend/")),
        ("LOG_FILENAME", text("/var/log/copr-frontend/frontend.log")),
        // With the default (True) Copr refuses the log-in of users whose provider gives no e-mail address.
        ("FAS_LOGIN", "False".into()),
    ];
    if scheme == Scheme::Https {
        // The scheme of links that manage.py makes. Links that are made while a request is answered have the scheme of the request.
        lines.push(("PREFERRED_URL_SCHEME", text(scheme.as_str())));
        lines.push(("SESSION_COOKIE_SECURE", "True".into()));
    }
    lines
}

fn logins(login: &Login) -> Vec<Line> {
    let mut lines = Vec::new();
    if let Some(oidc) = &login.oidc {
        let options = &oidc.options;
        lines.extend([
            ("OIDC_LOGIN", "True".into()),
            ("OIDC_PROVIDER_NAME", python::text(&options.display_name)),
            ("OIDC_METADATA", python::text(&options.metadata_url)),
            ("OIDC_CLIENT", python::text(&oidc.client_id)),
            ("OIDC_SECRET", python::text(oidc.client_secret.expose())),
            ("OIDC_SCOPES", python::text(&options.scopes.join(" "))),
            ("OIDC_TOKEN_AUTH_METHOD", python::text(options.token_auth_method.as_str())),
            ("OIDC_USERNAME_CLAIM", python::text(options.username_claim.as_str())),
        ]);
    }
    if let Some(kerberos) = &login.kerberos {
        let options = serde_json::json!({
            "log_text": kerberos.options.display_name,
            "email_domain": kerberos.options.email_domain,
        });
        lines.push(("KRB5_LOGIN", python::value(&options)));
    }
    lines
}

/// Defaults of the operator, which `extraConfig` may replace.
fn chosen() -> Vec<Line> {
    vec![
        // There is no mail server in the pod.
        ("SEND_EMAILS", "False".into()),
        ("ENABLE_DISCUSSION", "False".into()),
        // The front page would fetch these from the internet.
        ("NEWS_URL", python::text("https://fedora-copr.github.io/")),
        ("NEWS_FEED_URL", python::text("")),
        ("INTRANET_IPS", "['127.0.0.1']".into()),
        ("DEFAULT_STORAGE", python::text("backend")),
        ("ITEMS_PER_PAGE", "10".into()),
        ("PAGES_URLS_COUNT", "5".into()),
        ("REPO_GPGCHECK", "1".into()),
    ]
}

#[cfg(test)]
mod tests {
    use copr_operator_api::v1alpha1::FRONTEND_OWNED;

    use super::*;
    use crate::fixtures::{minimal, public};

    #[test]
    fn everything_that_connects_copr_is_refused_as_an_extra_setting_and_nothing_else() {
        let public = public();
        for (key, _) in wiring(&public).into_iter().chain(logins(&public.login)) {
            assert!(FRONTEND_OWNED.contains(&key), "{key}");
        }
        for (key, _) in chosen() {
            assert!(!FRONTEND_OWNED.contains(&key), "{key}");
        }
    }

    #[test]
    fn each_key_is_set_once() {
        for instance in [minimal(), public()] {
            let text = render(&instance);
            let mut keys: Vec<_> = text.lines().map(|line| line.split(' ').next().unwrap()).collect();
            let all = keys.len();
            keys.sort_unstable();
            keys.dedup();
            assert_eq!(keys.len(), all, "{text}");
        }
    }
}
