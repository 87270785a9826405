//! Which edits of a spec replace which pods, as docs/lifecycle.md says.

use copr_operator_api::images::Image;

use super::*;

/// The names of the StatefulSets whose pods an edit replaces.
fn restarted(edit: impl FnOnce(&mut Instance)) -> String {
    let hashes = |instance: &Instance| -> BTreeMap<String, String> {
        let hash = |set: &k8s_openapi::api::apps::v1::StatefulSet| {
            let template = set.spec.clone().unwrap().template.metadata.unwrap().annotations.unwrap();
            template[TEMPLATE_HASH].clone()
        };
        build(instance).stateful_sets.iter().map(|set| (set.name_any(), hash(set))).collect()
    };
    let mut after = minimal();
    edit(&mut after);
    let (before, after) = (hashes(&minimal()), hashes(&after));
    let changed = before.keys().filter(|name| before[*name] != after[*name]);
    let names: Vec<_> = changed.map(|name| name.trim_start_matches("demo-")).collect();
    if names.is_empty() { "nothing".into() } else { names.join(", ") }
}

fn more_cpu() -> k8s_openapi::api::core::v1::ResourceRequirements {
    serde_json::from_value(serde_json::json!({"requests": {"cpu": "3"}})).unwrap()
}

fn account() -> Account {
    Account { name: "alice".into(), email: "alice@example.org".into(), admin: false, token: None }
}

fn dist_git() -> DistGit {
    DistGit {
        name: "x".into(),
        clone_url: "https://x".into(),
        clone_package_uri: "{pkgname}".into(),
        default_namespace: None,
        priority: 1,
    }
}

fn on_ssd() -> PodSettings {
    serde_json::from_value(serde_json::json!({"nodeSelector": {"disk": "ssd"}})).unwrap()
}

fn of_all(instance: &mut Instance, edit: fn(&mut Workload)) {
    let all = &mut instance.workloads;
    for workload in [
        &mut all.database,
        &mut all.redis,
        &mut all.keygen,
        &mut all.frontend,
        &mut all.dist_git,
        &mut all.resalloc,
        &mut all.backend,
    ] {
        edit(workload);
    }
}

#[test]
fn the_table_of_restarts_in_the_documentation_is_true() {
    type Edit = fn(&mut Instance);
    let edits: [(&str, Edit); 37] = [
        ("`frontend.image`", |i| i.workloads.frontend.image.push('x')),
        ("`backend.image`", |i| i.workloads.backend.image.push('x')),
        ("`backend.httpdImage`", |i| i.workloads.httpd_image.push('x')),
        ("`keygen.image`", |i| i.workloads.keygen.image.push('x')),
        ("`distGit.image`", |i| i.workloads.dist_git.image.push('x')),
        ("`resalloc.image`", |i| i.workloads.resalloc.image.push('x')),
        ("`database.image`", |i| i.workloads.database.image.push('x')),
        ("`redis.image`", |i| i.workloads.redis.image.push('x')),
        ("`keygen.resources`", |i| i.workloads.keygen.resources = more_cpu()),
        ("`keygen.pod`", |i| i.workloads.keygen.pod = on_ssd()),
        ("`keygen.storage.size`", |i| i.workloads.keygen.size.0 = "90Gi".into()),
        ("`builders.image`", |i| i.builders.image.push('x')),
        ("`chroots` (one more, one less)", |i| i.lists.chroots.push("fedora-45-x86_64".into())),
        ("`endOfLifeChroots`, when a day has come", |i| i.lists.ended.push("fedora-40-x86_64".into())),
        ("`users`, a token of theirs", |i| i.lists.users.push(account())),
        ("`groups`", |i| {
            i.lists.groups.push(Team { name: "x".into(), team: "x".into(), members: Vec::new() });
        }),
        ("`distGitInstances`", |i| i.lists.dist_gits.push(dist_git())),
        ("`builders.max`", |i| i.builders.max = 16),
        ("`builders.warm`", |i| i.builders.warm = 2),
        ("`builders.resources`", |i| i.builders.resources = more_cpu()),
        ("`builders.isolation`", |i| i.builders.isolation = Isolation::Privileged),
        ("`builders.pod`", |i| i.builders.pod = on_ssd()),
        ("`tests`", |i| _ = i.suite_images.insert(Image::Sanity, "x".into())),
        ("`defaults.resources`", |i| of_all(i, |workload| workload.resources = more_cpu())),
        ("`defaults.pod`", |i| of_all(i, |workload| workload.pod = on_ssd())),
        ("`proxy`", |i| i.proxy = vec![("http_proxy".into(), "http://proxy.example:3128".into())]),
        ("`admin.email`", |i| i.admin.email.push('x')),
        ("`admin.name`", |i| i.admin.name.push('x')),
        ("`url`", |i| i.url = public().url),
        ("`expose`", |i| i.exposure = public().exposure),
        ("`login`, its Secrets, or its ConfigMap", |i| i.login = public().login),
        ("`frontend.extraConfig`", |i| i.extra_config.frontend = public().extra_config.frontend),
        ("`backend.extraConfig`", |i| i.extra_config.backend = public().extra_config.backend),
        ("`distGit.extraConfig`", |i| i.extra_config.dist_git = public().extra_config.dist_git),
        ("`deletionPolicy`", |i| i.deletion_policy = DeletionPolicy::Retain),
        ("`images.pullPolicy`", |i| i.pull.policy = "Always".into()),
        ("rotated credentials", |i| {
            i.credentials = crate::credentials::Credentials::generate().unwrap();
        }),
    ];
    let documentation = include_str!("../../../../../docs/lifecycle.md");
    for (field, edit) in edits {
        let row = format!("| {field} | {} |", restarted(edit));
        assert!(documentation.contains(&row), "docs/lifecycle.md lacks the row: {row}");
    }
}
