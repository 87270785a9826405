//! Registries as they are.

mod access;
mod memory;
mod pauses;
mod pull;
mod push;
mod secrets;
mod tls;

use std::{sync::Arc, time::Duration};

use backon::ExponentialBuilder;

pub use crate::testing as server;

use super::{Access, Keyring, Login, Registries, Registry, transport::Pauses};

/// Short pauses between tries.
pub fn registries() -> Registries {
    let between_tries =
        ExponentialBuilder::default().with_min_delay(Duration::from_millis(5)).with_max_times(3);
    Registries::with_pauses(Pauses { between_tries, when_unreachable: Duration::from_millis(5) })
}

pub fn insecure() -> Access {
    Access { insecure: true, ..Access::default() }
}

pub fn as_user(host: &str, user: &str, password: &str) -> Access {
    let login = Login::Basic(user.into(), password.into());
    Access { keyring: Keyring::of(host, login, "Secret robot (registry.pushSecret)"), ..insecure() }
}

pub fn registry(image: &str, access: &Access) -> Arc<Registry> {
    registries().of(image, access).unwrap()
}
