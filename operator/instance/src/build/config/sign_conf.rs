//! `/etc/sign.conf`, of signd and of the backend's `sign`.

use copr_operator_api::component::port;
use copr_operator_kernel::platform::Platform;

use crate::validate::Instance;

/// The uid that docs/image-contract.md pins for the backend.
const BACKEND_UID: i64 = 1002;

/// For signd. It lets every address connect, as pods have no fixed ones: the NetworkPolicy decides who may.
pub fn server() -> String {
    format!(
        "allow: 0.0.0.0/0\nphrases: /var/lib/copr-keygen/phrases\ngpg: /usr/bin/gpg-copr\n\
         allowuser: copr-signer\nport: {}\nallow-unprivileged-ports: true\n",
        port::SIGND.number
    )
}

/// For `sign`, which speaks to the relay in its own pod. Both spellings of the unprivileged option: upstream has the second, Fedora patched the first.
pub fn client(instance: &Instance) -> String {
    let uid = match instance.platform {
        Platform::Kubernetes => BACKEND_UID,
        Platform::OpenShift { uid } => uid,
    };
    format!(
        "server: 127.0.0.1\nport: {}\nallowuser: copr\nallowuser: {uid}\n\
         allow-unprivileged-ports: true\nuse-unprivileged-ports: true\n",
        port::SIGND.number
    )
}
