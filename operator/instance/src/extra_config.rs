//! Settings of Copr's own configuration files, and which of them are the operator's. Pure. What the API server's rules can look into,
//! they refuse.

use std::collections::BTreeMap;

use copr_operator_api::v1alpha1::{BackendConfig, CoprInstanceSpec, FRONTEND_OWNED};
use serde_json::Value;

use super::validate::Error;

/// The settings, by component.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExtraConfig {
    /// Of `copr.conf`.
    pub frontend: BTreeMap<String, Value>,
    /// Of `copr-be.conf`.
    pub backend: BackendConfig,
    /// Of `copr-dist-git.conf`.
    pub dist_git: BTreeMap<String, String>,
}

impl ExtraConfig {
    /// Those of a spec.
    pub fn of(spec: &CoprInstanceSpec) -> Self {
        Self {
            frontend: spec.frontend.extra_config.clone(),
            backend: (*spec.backend.extra_config).clone(),
            dist_git: spec.dist_git.extra_config.clone(),
        }
    }
}

/// Refuses keys of `copr.conf` that the operator sets, or that Flask would not read.
pub fn check(spec: &CoprInstanceSpec) -> Result<(), Error> {
    for key in spec.frontend.extra_config.keys() {
        let problem = if FRONTEND_OWNED.contains(&key.as_str()) {
            "the operator sets this key itself"
        } else if !is_key(key) {
            "the keys of this file are upper-case letters, digits and '_', and start with a letter"
        } else {
            continue;
        };
        return Err(Error::Field { field: format!("frontend.extraConfig.{key}"), problem: problem.into() });
    }
    Ok(())
}

fn is_key(key: &str) -> bool {
    key.starts_with(|c: char| c.is_ascii_uppercase())
        && key.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}
