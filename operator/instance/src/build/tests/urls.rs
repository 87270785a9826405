//! URLs for people, and those for what runs inside the cluster.

use super::*;

/// Builders, the backend, dist-git and tests know no host of people's, and needn't.
#[test]
fn whoever_is_inside_is_configured_with_names_of_services_only() {
    let instance = public();
    let internal = [
        config::main_ini::render(&instance),
        config::dist_git_client_ini::render(&instance),
        config::copr_dist_git_conf::render(&instance),
        config::pools_yaml::render(&instance),
    ];
    for text in internal {
        assert!(!text.contains("example.org"), "{text}");
    }
    insta::assert_snapshot!("files_of_a_public_instance", files_of(&instance, "demo-frontend"));
    insta::assert_snapshot!("backend_of_a_public_instance", files_of(&instance, "demo-backend"));
    insta::assert_snapshot!("client_of_a_public_instance", files_of(&instance, "demo-client"));
}

fn files_of(instance: &Instance, secret: &str) -> String {
    let secrets = build(instance).secrets;
    let secret = secrets.into_iter().find(|candidate| candidate.name_any() == secret).unwrap();
    let files = secret.data.unwrap().into_iter();
    files.map(|(name, content)| format!("# {name}\n{}\n", String::from_utf8(content.0).unwrap())).collect()
}

#[test]
fn inside_the_frontends_service_leads_to_the_answers_with_urls_of_services() {
    let of = |instance: &Instance| {
        let services = build(instance).services;
        let service = services.into_iter().find(|service| service.name_any() == "demo-frontend").unwrap();
        let ports = service.spec.unwrap().ports.unwrap().into_iter();
        ports
            .map(|p| format!("{} {} -> {:?}", p.name.unwrap(), p.port, p.target_port.unwrap()))
            .collect::<Vec<_>>()
    };
    assert_eq!(of(&minimal()), ["http 5000 -> Int(5000)"]);
    assert_eq!(of(&public()), ["http 5000 -> Int(5004)", "public 8080 -> Int(5000)"]);
}
