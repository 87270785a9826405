use super::*;
use crate::fixtures::{
    AUTHORITY, EXTERNAL, MINIMAL, PUBLIC, minimal, observed, parse, private_provider, public, secret, valid,
    with_authority, with_secrets,
};

#[test]
fn images_come_from_the_registry_unless_given() {
    let instance = valid(EXTERNAL, &with_secrets()).unwrap();
    assert_eq!(instance.workloads.frontend.image, "quay.io/copr/copr-frontend:latest");
    assert_eq!(instance.builders.image, "quay.io/me/builder@sha256:0123");
    assert_eq!(minimal().workloads.httpd_image, "quay.io/copr/copr-backend-httpd:2.7");
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

#[test]
fn a_block_wins_over_the_defaults_and_these_over_the_operators() {
    let yaml = MINIMAL.to_owned()
        + "
  defaults:
    resources: {limits: {memory: 3Gi}}
    storage: {className: slow}
    pod: {nodeSelector: {disk: hdd, zone: a}, priorityClassName: low}
  keygen:
    image: quay.io/me/keygen:1
    resources: {requests: {memory: 4Gi}}
    storage: {className: fast, size: 2Gi}
    pod: {nodeSelector: {disk: ssd}}
";
    let instance = valid(&yaml, &observed(Platform::Kubernetes)).unwrap();
    let keygen = &instance.workloads.keygen;
    assert_eq!(keygen.image, "quay.io/me/keygen:1");
    let amounts = serde_json::to_value(&keygen.resources).unwrap();
    assert_eq!(amounts, serde_json::json!({"requests": {"memory": "4Gi"}, "limits": {"memory": "4Gi"}}));
    assert_eq!((keygen.size.0.as_str(), keygen.class_name.as_deref()), ("2Gi", Some("fast")));
    assert_eq!(
        (keygen.pod.node_selector["disk"].as_str(), keygen.pod.node_selector["zone"].as_str()),
        ("ssd", "a")
    );
    let frontend = &instance.workloads.frontend;
    assert_eq!((frontend.size.0.as_str(), frontend.class_name.as_deref()), ("5Gi", Some("slow")));
    assert_eq!(frontend.pod.priority_class_name.as_deref(), Some("low"));
    assert_eq!(instance.builders.pod.node_selector["disk"], "hdd");
    assert_eq!(instance.builders.resources.limits.as_ref().unwrap()["memory"].0, "3Gi");
}

#[test]
fn what_contradicts_itself_is_named_with_its_field_before_any_image_is_built() {
    let above = "resources: {requests: {memory: 2Gi}, limits: {memory: 1Gi}}";
    let table = [
        (
            format!("backend: {{{above}}}"),
            "backend.resources: requests.memory (2Gi) is above limits.memory (1Gi)",
        ),
        (format!("builders: {{{above}}}"), "builders.resources: requests.memory"),
        (format!("tests: {{{above}}}"), "tests.resources: requests.memory"),
        (format!("defaults: {{{above}}}"), "defaults.resources: requests.memory"),
        (
            format!(
                "packages: {{repositories: [{{name: a, baseURL: 'https://a.example/'}}], build: {{{above}}}}}"
            ),
            "packages.build.resources: requests.memory",
        ),
        ("distGit: {pod: {labels: {'a b': c}}}".into(), "distGit.pod: labels: \"a b\" is no key of a label"),
    ];
    for (more, expected) in table {
        let instance = crate::fixtures::parse(&format!("{MINIMAL}  {more}\n"));
        let error = precheck(&instance.spec).unwrap_err();
        assert_eq!(error.reason(), "InvalidSpec");
        assert!(error.to_string().starts_with(expected), "{error}");
    }
}

#[test]
fn the_authority_of_a_provider_is_checked_before_a_frontend_is_given_it() {
    let yaml = private_provider();
    let of =
        |observed: &Observed| valid(&yaml, observed).map(|instance| instance.login.oidc.unwrap().authority);
    assert_eq!(of(&with_authority(AUTHORITY)), Ok(Some(AUTHORITY.into())));
    let with = |found: External| Observed { oidc_authority: Some(found), ..with_authority("") };
    let table = [
        (
            with(External { name: "provider-ca".into(), data: None }),
            "ConfigMapNotFound",
            "login.oidc.caConfigMap: there is no ConfigMap provider-ca in this namespace",
        ),
        (
            with(secret("provider-ca", &[("ca.pem", AUTHORITY)])),
            "ConfigMapInvalid",
            "login.oidc.caConfigMap: the ConfigMap provider-ca has no key ca.crt",
        ),
        (
            with_authority("nonsense"),
            "ConfigMapInvalid",
            "the ConfigMap provider-ca is malformed at ca.crt: ",
        ),
    ];
    for (observed, reason, expected) in table {
        let error = of(&observed).unwrap_err();
        assert_eq!(error.reason(), reason, "{error}");
        assert!(error.to_string().contains(expected), "{error}");
    }
    let public = public();
    assert_eq!(public.login.oidc.unwrap().authority, None);
}

#[test]
fn secrets_of_logins_are_checked_without_showing_them() {
    let id = ("client_id", "copr");
    let good = secret("copr-oidc", &[id, ("client_secret", "hunter2")]);
    let token = |token: &str| secret("copr-kerberos", &[("token", token)]);
    let fine = token("0123456789abcdef");
    let none = External { name: "copr-oidc".into(), data: None };
    let table = [
        (none, fine.clone(), "SecretNotFound", "login.oidc.clientSecret: there is no Secret copr-oidc"),
        (secret("copr-oidc", &[id]), fine.clone(), "SecretInvalid", "has no key client_secret"),
        (
            secret("copr-oidc", &[("client_secret", "hunter2")]),
            fine.clone(),
            "SecretInvalid",
            "has no key client_id",
        ),
        (
            secret("copr-oidc", &[id, ("client_secret", " \n")]),
            fine.clone(),
            "SecretInvalid",
            "nothing in it",
        ),
        (
            secret("copr-oidc", &[id, ("client_secret", "hunter2\nx")]),
            fine,
            "SecretInvalid",
            "more than one line",
        ),
        (
            good.clone(),
            token("hunter2"),
            "SecretInvalid",
            "login.kerberos.proxySecret: the Secret copr-kerberos has a token",
        ),
        (good, token("hunter2' or 'a' == 'a"), "SecretInvalid", "has a token that is not"),
    ];
    for (oidc, proxy, reason, expected) in table {
        let observed =
            Observed { oidc_secret: Some(oidc), proxy_secret: Some(proxy), ..observed(Platform::Kubernetes) };
        let error = valid(PUBLIC, &observed).unwrap_err();
        assert_eq!(error.reason(), reason, "{error}");
        assert!(error.to_string().contains(expected), "{error}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}

#[test]
fn no_secret_of_a_login_is_in_a_debug() {
    let shown = format!("{:?}", public());
    assert!(!shown.contains("s3cr3t") && !shown.contains("0123456789abcdef"), "{shown}");
}

#[test]
fn settings_of_the_operator_are_refused_before_any_image_is_built() {
    let spec = |key: &str| parse(&PUBLIC.replace("ITEMS_PER_PAGE", key)).spec;
    let said = |key: &str| precheck(&spec(key)).unwrap_err();
    assert_eq!(
        said("SERVER_NAME").to_string(),
        "frontend.extraConfig.SERVER_NAME: the operator sets this key itself"
    );
    assert_eq!(said("SERVER_NAME").reason(), "InvalidSpec");
    for key in ["items", "_X", "A = 1; B", "A-B"] {
        let error = said(key).to_string();
        assert!(error.starts_with(&format!("frontend.extraConfig.{key}: the keys")), "{error}");
    }
    assert_eq!(precheck(&spec("PAGES_URLS_COUNT")), Ok(()));
}
