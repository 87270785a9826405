//! The administrator's copr-cli configuration (`~/.config/copr`).

use crate::validate::Instance;

/// Renders the file.
pub fn render(instance: &Instance) -> String {
    format!(
        "[copr-cli]\nlogin = {login}\nusername = {user}\ntoken = {token}\ncopr_url = {url}\n\
         # The URL is http: without this copr-cli refuses it.\nencrypted = false\n",
        login = instance.credentials.api_login,
        user = instance.admin.name,
        token = instance.credentials.api_token,
        url = instance.endpoints().frontend,
    )
}
