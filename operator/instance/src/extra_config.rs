//! Which settings of Copr's configuration files are the operator's. Pure. What the API server's rules can look into, they refuse.

use copr_operator_api::v1alpha1::{ExtraConfig, FRONTEND_OWNED};

use super::validate::Error;

/// Refuses keys of `copr.conf` that the operator sets, or that Flask would not read.
pub fn check(extra: &ExtraConfig) -> Result<(), Error> {
    let field = "extraConfig.frontend";
    for key in extra.frontend.keys() {
        if FRONTEND_OWNED.contains(&key.as_str()) {
            return Err(Error::OwnedSetting { field, key: key.clone() });
        }
        let starts = key.starts_with(|c: char| c.is_ascii_uppercase());
        if !starts || !key.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_') {
            return Err(Error::MalformedSetting { field, key: key.clone() });
        }
    }
    Ok(())
}
