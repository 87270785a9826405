//! The registries that are spoken to, each by one client for everybody. A client with a root store of its own takes two
//! megabytes, and one that is thrown away after a request takes its connection and its token with it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use backon::ExponentialBuilder;
use tokio::time::Instant;

use super::{
    Access, Asks, Error, Name, Registry,
    transport::{Pauses, Transport},
};
use crate::http;

/// How long a whole request may take, from its first byte to its answer's last.
const TIMEOUT: Duration = Duration::from_secs(30);
/// After this time a registry is asked again whether it speaks TLS and how its clients authenticate, and credentials that nobody
/// uses any more leave the memory.
const REMEMBERED: Duration = Duration::from_secs(600);
/// So many clients with certificate authorities of their own are kept: each takes memory, and users decide by their instances how
/// many there would be.
const CLIENTS_MAX: usize = 16;
const MAX: usize = 64;

/// Clients by what they trust, and registries by how they are spoken to.
pub struct Registries {
    clients: Mutex<HashMap<(bool, Option<String>), reqwest::Client>>,
    known: Mutex<HashMap<(String, Access), Known>>,
    pauses: Pauses,
    /// What was asked for, and when.
    pub asks: Asks,
}

/// Since when, and which.
type Known = (Instant, Arc<Registry>);

impl Default for Registries {
    fn default() -> Self {
        let between_tries = ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(500))
            .with_factor(2.0)
            .with_max_times(3)
            .with_jitter();
        Self::with_pauses(Pauses { between_tries, when_unreachable: Duration::from_secs(1) })
    }
}

impl Registries {
    /// With other pauses between tries.
    pub(super) fn with_pauses(pauses: Pauses) -> Self {
        Self { clients: Mutex::default(), known: Mutex::default(), pauses, asks: Asks::default() }
    }

    /// The registry of an image.
    pub fn of(&self, image: &str, access: &Access) -> Result<Arc<Registry>, Error> {
        let key = (Name::parse(image)?.host, access.clone());
        let now = Instant::now();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, (since, _)| now.duration_since(*since) < REMEMBERED);
        if let Some((_, registry)) = known.get(&key) {
            return Ok(registry.clone());
        }
        if known.len() >= MAX {
            known.clear();
        }
        let http = self.client(access)?;
        let registry = Arc::new(Registry { transport: Transport::new(access.clone(), http, self.pauses) });
        known.insert(key, (now, registry.clone()));
        Ok(registry)
    }

    fn client(&self, access: &Access) -> Result<reqwest::Client, http::Error> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (access.insecure, access.authority.clone());
        if let Some(client) = clients.get(&key) {
            return Ok(client.clone());
        }
        if clients.len() >= CLIENTS_MAX {
            clients.clear();
        }
        let client = http::client_that_trusts(access.authority.as_deref(), access.insecure, TIMEOUT)?;
        clients.insert(key, client.clone());
        Ok(client)
    }
}
