//! Settings of Copr's own configuration files that the operator has no field for.

use std::collections::BTreeMap;

use kube::KubeSchema;
use schemars::{Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// What the operator sets in `copr.conf`: other values would part Copr from what it is connected with, or its users from it.
pub const FRONTEND_OWNED: [&str; 43] = [
    "BACKEND_BASE_URL",
    "BACKEND_PASSWORD",
    "COPR_DIST_GIT_LOGS_URL",
    "DATA_DIR",
    "DEBUG",
    "DIST_GIT_CLONE_URL",
    "DIST_GIT_URL",
    "ENFORCE_PROTOCOL_FOR_BACKEND_URL",
    "ENFORCE_PROTOCOL_FOR_FRONTEND_URL",
    "ENV",
    "FAS_LOGIN",
    "KRB5_LOGIN",
    "LOG_DIR",
    "LOG_FILENAME",
    "MEMORY_ANALYZER",
    "OIDC_AUTH_URL",
    "OIDC_CLIENT",
    "OIDC_LOGIN",
    "OIDC_METADATA",
    "OIDC_PROVIDER_NAME",
    "OIDC_SCOPES",
    "OIDC_SECRET",
    "OIDC_TOKEN_AUTH_METHOD",
    "OIDC_TOKEN_URL",
    "OIDC_USERINFO_URL",
    "OIDC_USERNAME_CLAIM",
    "OPENID_STORE",
    "PREFERRED_URL_SCHEME",
    "PROFILER",
    "PUBLIC_COPR_BASE_URL",
    "PUBLIC_COPR_HOSTNAME",
    "REDIS_HOST",
    "REDIS_PORT",
    "REPO_NO_SSL",
    "SECRET_KEY",
    "SERVER_NAME",
    "SESSION_COOKIE_SECURE",
    "SESSION_REDIS",
    "SESSION_TYPE",
    "SQLALCHEMY_DATABASE_URI",
    "SQLALCHEMY_ECHO",
    "STORAGE_DIR",
    "WHOOSHEE_DIR",
];

/// What the operator sets in the section `backend` of `copr-be.conf`.
pub const BACKEND_OWNED: [&str; 16] = [
    "build_user",
    "builds_max_workers",
    "destdir",
    "do_sign",
    "frontend_auth",
    "frontend_base_url",
    "gently_gpg_sha256",
    "keygen_host",
    "log_dir",
    "redis_db",
    "redis_host",
    "redis_password",
    "redis_port",
    "resalloc_connection",
    "results_baseurl",
    "statsdir",
];

/// What the operator sets in the section `dist-git` of `copr-dist-git.conf`.
pub const DIST_GIT_OWNED: [&str; 11] = [
    "cgit_cache_file",
    "cgit_cache_list_file",
    "cgit_cache_lock_file",
    "frontend_auth",
    "frontend_base_url",
    "git_base_url",
    "log_dir",
    "lookaside_location",
    "per_task_log_dir",
    "redis_host",
    "redis_port",
];

/// Settings of `copr-be.conf`, by section.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct BackendConfig {
    /// Of the section `backend`, for example `prune_days: "30"`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "settings")]
    #[x_kube(validation = Rule::new(none_of(&BACKEND_OWNED)).message(owned("copr-be.conf", &BACKEND_OWNED).as_str()))]
    pub backend: BTreeMap<String, String>,
    /// Of the section `builder`, for example `timeout: "21600"`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "settings")]
    pub builder: BTreeMap<String, String>,
}

/// The rule that no key is one of these, nor no key at all.
pub(super) fn none_of(owned: &[&str]) -> String {
    let list: Vec<_> = owned.iter().map(|key| format!("'{key}'")).collect();
    format!("self.all(key, key.matches('^[a-z][a-z0-9_]*$') && !(key in [{}]))", list.join(", "))
}

/// What is said where one is.
pub(super) fn owned(file: &str, owned: &[&str]) -> String {
    format!(
        "keys have lower-case letters, digits and '_'; in {file} these are the operator's: {}",
        owned.join(", ")
    )
}

/// Keys and values of an INI file.
pub(super) fn settings(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "maxProperties": 64,
        "additionalProperties": {"type": "string", "maxLength": 4096, "pattern": r"^[^\x00-\x1f\x7f]*$"},
    })
}

/// Of any type, which no CEL rule can look into.
pub(super) fn any_values(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "maxProperties": 128,
        "additionalProperties": {"x-kubernetes-preserve-unknown-fields": true},
    })
}
