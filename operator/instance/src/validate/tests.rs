use super::*;
use crate::fixtures::{EXTERNAL, MINIMAL, minimal, observed, secret, valid, with_secrets};

#[test]
fn images_come_from_the_registry_unless_given() {
    let instance = valid(EXTERNAL, &with_secrets()).unwrap();
    assert_eq!(instance.images.frontend, "quay.io/copr/copr-frontend:latest");
    assert_eq!(instance.images.builder, "quay.io/me/builder@sha256:0123");
    assert_eq!(minimal().images.backend_httpd, "quay.io/copr/copr-backend-httpd:2.7");
}

#[test]
fn a_missing_secret_is_named_with_its_field() {
    let mut observed = with_secrets();
    observed.database_secret = Some(External { name: "pg".into(), data: None });
    let error = valid(EXTERNAL, &observed).unwrap_err();
    assert_eq!(error.reason(), "SecretNotFound");
    assert_eq!(error.to_string(), "database.externalSecret: there is no Secret pg in this namespace");
}

#[test]
fn bad_secrets_are_refused_without_showing_them() {
    let table = [
        (secret("pg", &[]), secret("r", &[("host", "h")]), "has no key uri"),
        (
            secret("pg", &[("uri", "mysql://u:hunter2@h/d")]),
            secret("r", &[("host", "h")]),
            "is not of the form",
        ),
        (secret("pg", &[("uri", "postgresql://u@h/d")]), secret("r", &[("port", "1")]), "has no key host"),
        (secret("pg", &[("uri", "postgresql://u@h/d")]), secret("r", &[("host", "a b")]), "not a host name"),
        (
            secret("pg", &[("uri", "postgresql://u@h/d")]),
            secret("r", &[("host", "h"), ("port", "99999")]),
            "number below 65536",
        ),
    ];
    for (database, redis, expected) in table {
        let observed = Observed {
            database_secret: Some(database),
            redis_secret: Some(redis),
            ..observed(Platform::Kubernetes)
        };
        let error = valid(EXTERNAL, &observed).unwrap_err();
        assert_eq!(error.reason(), "SecretInvalid");
        assert!(error.to_string().contains(expected), "{error}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}

#[test]
fn an_architecture_that_nothing_builds_is_refused() {
    let yaml = MINIMAL.replace("fedora-44-x86_64", "fedora-44-vax");
    let error = valid(&yaml, &observed(Platform::Kubernetes)).unwrap_err();
    assert_eq!(error.reason(), "InvalidSpec");
    assert!(error.to_string().contains("fedora-44-vax") && error.to_string().contains("vax"));
}

#[test]
fn what_the_spec_alone_says_is_checked_before_any_image_is_built() {
    let mut instance = crate::fixtures::parse(MINIMAL);
    instance.spec.chroots = vec!["fedora-44-mips".into()];
    let error = precheck(&instance.spec).unwrap_err();
    assert_eq!(error.reason(), "InvalidSpec");
}
