//! The administrator's copr-cli configuration (`~/.config/copr`).

use crate::validate::Instance;

/// Renders the file for a URL of the frontend.
pub fn render(instance: &Instance, url: &str) -> String {
    let mut text = format!(
        "[copr-cli]\nlogin = {login}\nusername = {user}\ntoken = {token}\ncopr_url = {url}\n",
        login = instance.credentials.api_login,
        user = instance.admin.name,
        token = instance.credentials.api_token,
    );
    if url.starts_with("http:") {
        text.push_str("# The URL is http: without this copr-cli refuses it.\nencrypted = false\n");
    }
    text
}
