//! The backend's ssh configuration for builders.

use crate::validate::Instance;

/// Renders the configuration. It doesn't set RequestTTY, with which rsync, which uses the file, too, would fail. When a node is
/// gone, nothing closes the connections to its builders, so a builder counts as lost after 20 seconds of silence.
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
    ServerAliveInterval 5
    ServerAliveCountMax 4
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

#[cfg(test)]
mod tests {
    #[test]
    fn a_silent_builder_is_given_up_within_half_a_minute() {
        let config = super::render();
        let option = |name: &str| -> u32 {
            let line = config.lines().find_map(|line| line.trim().strip_prefix(name)).unwrap();
            line.trim().parse().unwrap()
        };
        assert!(option("ServerAliveInterval ") * option("ServerAliveCountMax ") <= 30);
    }
}
