//! `/etc/copr/copr.conf` of the frontend. It is Python, so every value is written as a Python literal.

use copr_operator_api::component::{Component, port};

use crate::validate::Instance;

/// Renders the file.
pub fn render(instance: &Instance) -> String {
    let urls = instance.endpoints();
    let host = format!("{}:{}", instance.host(Component::Frontend.name()), port::FRONTEND.number);
    let (redis_host, redis_port) = instance.redis_address();
    let text = |value: &str| python(value);
    let lines: [(&str, String); 35] = [
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
        ("BACKEND_BASE_URL", text(&urls.backend)),
        ("DIST_GIT_URL", text(&format!("{}/cgit", urls.dist_git))),
        ("DIST_GIT_CLONE_URL", text(&format!("{}/git", urls.dist_git))),
        ("COPR_DIST_GIT_LOGS_URL", text(&format!("{}/per-task-logs", urls.dist_git))),
        // There is no TLS between the pods; None would keep what each URL has, but the default is https.
        ("ENFORCE_PROTOCOL_FOR_BACKEND_URL", text("http")),
        ("ENFORCE_PROTOCOL_FOR_FRONTEND_URL", text("http")),
        ("REPO_NO_SSL", "True".into()),
        ("DATA_DIR", text("/var/lib/copr/data")),
        ("STORAGE_DIR", text("/var/lib/copr/data/srpm_storage")),
        ("WHOOSHEE_DIR", text("/var/lib/copr/data/whooshee")),
        ("OPENID_STORE", text("/var/lib/copr/data/openid_store")),
        ("LOG_DIR", text("/var/log/copr-frontend/")),
        ("LOG_FILENAME", text("/var/log/copr-frontend/frontend.log")),
        // No mail server in the pod.
        ("SEND_EMAILS", "False".into()),
        // The default lets users without an e-mail address be refused (copr-components.md §1).
        ("FAS_LOGIN", "False".into()),
        ("API_GSSAPI_AUTH", "False".into()),
        ("ENABLE_DISCUSSION", "False".into()),
        // The front page would fetch these from the internet.
        ("NEWS_URL", text("https://fedora-copr.github.io/")),
        ("NEWS_FEED_URL", text("")),
        ("INTRANET_IPS", "['127.0.0.1']".into()),
        ("DEFAULT_STORAGE", text("backend")),
        ("ITEMS_PER_PAGE", "10".into()),
        ("PAGES_URLS_COUNT", "5".into()),
        ("REPO_GPGCHECK", "1".into()),
    ];
    lines.iter().map(|(key, value)| format!("{key} = {value}\n")).collect()
}

/// A Python string literal. The control characters that would need more never pass validation.
fn python(value: &str) -> String {
    format!("'{}'", value.replace('\\', "\\\\").replace('\'', "\\'"))
}

#[cfg(test)]
mod tests {
    use super::python;

    #[test]
    fn quotes_and_backslashes_stay_inside_the_literal() {
        assert_eq!(python(r"a'b\c"), r"'a\'b\\c'");
    }
}
