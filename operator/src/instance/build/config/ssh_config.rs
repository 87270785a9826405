//! The backend's ssh configuration for builders.

use crate::instance::validate::Instance;

/// Renders the configuration. No RequestTTY: rsync over this file would fail for ever.
pub fn render() -> String {
    "\
Host *
    User root
    IdentityFile /etc/copr-operator/ssh/id_ed25519
    IdentitiesOnly yes
    UserKnownHostsFile /etc/copr-operator/ssh/known_hosts
    GlobalKnownHostsFile /dev/null
    StrictHostKeyChecking yes
    PasswordAuthentication no
    ServerAliveInterval 20
    ServerAliveCountMax 5
    ConnectTimeout 60
    ControlMaster auto
    ControlPath /tmp/ssh-%C
    ControlPersist 60
"
    .into()
}

/// Every builder of the instance has the one host key that the instance generated.
pub fn known_hosts(instance: &Instance) -> String {
    format!("* {}\n", instance.credentials.builder_host.public)
}
