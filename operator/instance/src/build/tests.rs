//! Whole plans, as people read them. A change of what is rendered shows as a diff of a snapshot.

use std::collections::BTreeMap;

use copr_operator_api::v1alpha1::{DeletionPolicy, Isolation, PodSettings};
use copr_operator_kernel::{
    apply::{Lifetime, Planned},
    platform::Platform,
    testing::assert_fits,
};
use kube::ResourceExt as _;

use super::build;
use crate::{
    fixtures::{
        AUTHORITY, EXTERNAL, MINIMAL, minimal, observed, private_provider, public, valid, with_authority,
        with_secrets,
    },
    validate::{Account, DistGit, Instance, Team, Workload},
};

fn plan(instance: &Instance) -> Vec<Planned> {
    build(instance).plan().unwrap()
}

/// The plan as YAML documents, with Secrets' values as text.
fn render(instance: &Instance) -> String {
    let documents = plan(instance).into_iter().map(|planned| {
        let mut value = serde_json::to_value(&planned.object).unwrap();
        if let Some(data) = value.get_mut("data").filter(|_| planned.resource.kind == "Secret") {
            let decoded: BTreeMap<String, k8s_openapi::ByteString> =
                serde_json::from_value(data.clone()).unwrap();
            let text = decoded.into_iter().map(|(key, bytes)| (key, String::from_utf8(bytes.0).unwrap()));
            *data = serde_json::to_value(text.collect::<BTreeMap<_, _>>()).unwrap();
        }
        serde_saphyr::to_string(&value).unwrap()
    });
    documents.collect::<Vec<_>>().join("---\n")
}

fn names(instance: &Instance) -> Vec<String> {
    plan(instance).iter().map(|p| format!("{} {}", p.resource.kind, p.object.name_any())).collect()
}

#[test]
fn plan_of_the_minimal_instance() {
    insta::assert_snapshot!(render(&minimal()));
}

#[test]
fn external_database_and_redis_have_no_objects_and_are_dialled() {
    let instance = valid(EXTERNAL, &with_secrets()).unwrap();
    assert!(names(&instance).iter().all(|n| !n.ends_with("-database") || n.starts_with("NetworkPolicy")));
    let rendered = render(&instance);
    assert!(rendered.contains("postgresql+psycopg2://me:s3cr3t-pw@pg.example:5432/copr"));
    assert!(rendered.contains("redis_host = valkey.example") && rendered.contains("redis_port = 6380"));
}

#[test]
fn a_pool_per_machine_architecture_and_privileged_builders_only_when_asked() {
    let instance = valid(EXTERNAL, &with_secrets()).unwrap();
    let pools = super::config::pools_yaml::render(&instance);
    assert!(pools.contains("builder_amd64:") && pools.contains("builder_arm64:"), "{pools}");
    assert!(pools.contains("    - arch_x86_64\n    - arch_i386\n"), "{pools}");
    let privileged = |instance: &Instance| {
        let pod = super::builder::pod(instance, &instance.pools[0]);
        pod.spec.unwrap().containers[0].security_context.clone().unwrap().privileged
    };
    assert_eq!(privileged(&instance), Some(true));
    assert_eq!(privileged(&minimal()), None);
}

#[test]
fn builders_are_made_for_tickets_or_ahead_of_them() {
    let mut instance = minimal();
    let on_demand = super::config::pools_yaml::render(&instance);
    assert!(on_demand.contains("  max_prealloc: 0\n") && on_demand.contains("  tags_on_demand:\n"));
    instance.builders.warm = 2;
    insta::assert_snapshot!("pools_of_warm_builders", super::config::pools_yaml::render(&instance));
}

/// Written in two places.
#[test]
fn a_builder_that_was_idle_for_as_long_as_it_may_be_can_still_do_the_longest_build() {
    let idle = include_str!("scripts/builder-check").split_once("\nIDLE_SECONDS = 6 * 3600\n");
    assert!(idle.is_some());
    let instance = minimal();
    let pod = super::builder::pod(&instance, &instance.pools[0]).spec.unwrap();
    assert_eq!(pod.active_deadline_seconds, Some(108_000 + 6 * 3600));
}

#[test]
fn the_builder_pod_has_the_measured_rights_and_no_other() {
    let instance = minimal();
    insta::assert_yaml_snapshot!(super::builder::pod(&instance, &instance.pools[0]));
}

#[test]
fn openshift_admits_builders_and_nothing_wider() {
    let instance = minimal();
    let pod = super::builder::pod(&instance, &instance.pools[0]);
    assert_fits("copr-builder", &pod.spec.unwrap(), &[]);
}

/// podman can't store on the overlay that a container's root is.
#[test]
fn mock_has_a_volume_for_the_image_that_it_starts_from() {
    let instance = minimal();
    let pod = super::builder::pod(&instance, &instance.pools[0]).spec.unwrap();
    let mounts = pod.containers[0].volume_mounts.clone().unwrap();
    let mount = mounts.iter().find(|mount| mount.mount_path == "/var/lib/containers").unwrap();
    let volume = pod.volumes.unwrap().into_iter().find(|volume| volume.name == mount.name).unwrap();
    assert!(volume.empty_dir.unwrap().size_limit.is_some());
}

/// It writes a line for each connection.
#[test]
fn no_probe_connects_to_signd() {
    let sets = build(&minimal()).stateful_sets;
    let keygen = sets.iter().find(|set| set.name_any() == "demo-keygen").unwrap();
    let pod = keygen.spec.as_ref().unwrap().template.spec.as_ref().unwrap();
    let signd = pod.containers.iter().find(|container| container.name == "signd").unwrap();
    let probes = [&signd.startup_probe, &signd.readiness_probe, &signd.liveness_probe];
    assert!(probes.iter().any(|probe| probe.is_some()));
    for probe in probes.into_iter().flatten() {
        assert!(probe.tcp_socket.is_none());
        // 5167, listening, as the kernel writes it.
        assert!(
            probe.exec.as_ref().unwrap().command.as_ref().unwrap()[2].starts_with(":142F [0-9A-F]+:0000 0A")
        );
    }
}

#[test]
fn on_openshift_groups_and_uids_are_left_to_the_scc_and_builders_get_theirs() {
    let instance = valid(MINIMAL, &observed(Platform::OpenShift { uid: 1_000_100_000 })).unwrap();
    let rendered = render(&instance);
    assert!(!rendered.contains("fsGroup:"));
    assert!(rendered.contains("allowuser: 1000100000"));
    assert!(names(&instance).contains(&"RoleBinding demo-builder".to_owned()));
    assert!(!names(&minimal()).contains(&"RoleBinding demo-builder".to_owned()));
}

#[test]
fn every_object_is_owned_labelled_and_named_after_the_instance() {
    for planned in plan(&minimal()) {
        let object = planned.object;
        assert_eq!(object.owner_references()[0].uid, "0a1b2c", "{}", object.name_any());
        assert_eq!(object.labels()["app.kubernetes.io/instance"], "demo");
        assert!(object.name_any().starts_with("demo-"));
    }
}

/// The image's entrypoint exports both, too, but images of others have their own.
#[test]
fn who_forks_daemons_is_told_its_name_by_the_environment() {
    let mut told = 0;
    for set in build(&minimal()).stateful_sets {
        let pod = set.spec.unwrap().template.spec.unwrap();
        for container in pod.containers.into_iter().filter(|c| c.args.clone().unwrap().contains(&"--".into()))
        {
            let env = container.env.unwrap_or_default();
            for name in ["USER", "LOGNAME"] {
                let user = env.iter().find(|e| e.name == name).and_then(|e| e.value.clone()).unwrap();
                assert!(["copr", "copr-dist-git"].contains(&user.as_str()), "{}: {user}", container.name);
            }
            told += 1;
        }
    }
    assert_eq!(told, 3);
}

/// Copr writes its logs without an end.
#[test]
fn folders_of_logs_are_followed_and_bounded() {
    for (component, folder) in [("backend", "/var/log/copr-backend"), ("dist-git", "/var/lib/copr-dist-git")]
    {
        let sets = build(&minimal()).stateful_sets;
        let set = sets.iter().find(|s| s.name_any() == format!("demo-{component}")).unwrap();
        let pod = set.spec.as_ref().unwrap().template.spec.as_ref().unwrap();
        let logs = pod.containers.iter().find(|c| c.name == "logs").unwrap();
        assert_eq!(logs.args.as_ref().unwrap()[2], folder);
        let mount = logs.volume_mounts.iter().flatten().find(|m| m.mount_path == folder).unwrap();
        let volume = pod.volumes.iter().flatten().find(|v| v.name == mount.name).unwrap();
        assert!(volume.empty_dir.as_ref().unwrap().size_limit.is_some());
    }
}

/// What a dispatcher's container leaves behind when it alone dies is what its successor believes to be running.
#[test]
fn a_dispatcher_forgets_its_own_workers_whenever_it_starts() {
    let sets = build(&minimal()).stateful_sets;
    let args = |set: &str, container: &str| {
        let set = sets.iter().find(|s| s.name_any() == set).unwrap();
        let pod = set.spec.as_ref().unwrap().template.spec.as_ref().unwrap();
        pod.containers.iter().find(|c| c.name == container).unwrap().args.clone().unwrap()
    };
    for (set, container, workers, tasks) in [
        ("demo-backend", "build", "rpm_build_worker:*", "builds"),
        ("demo-backend", "action", "action_worker:*", "actions"),
        ("demo-dist-git", "importer", "import_worker:*", "imports"),
    ] {
        let args = args(set, container);
        assert!(args[1].ends_with("/forget-workers"));
        assert_eq!(args[2..4], [workers, "--"]);
        assert_eq!(args.last().unwrap(), tasks);
    }
}

#[test]
fn no_secret_is_in_anything_but_secrets() {
    for planned in plan(&minimal()) {
        let text = serde_json::to_string(&planned.object).unwrap();
        for secret in minimal().credentials.to_data().into_iter().filter(|(key, _)| !key.ends_with("-public"))
        {
            assert!(
                planned.resource.kind == "Secret" || !text.contains(secret.1.trim()),
                "{} of {} {}",
                secret.0,
                planned.resource.kind,
                planned.object.name_any()
            );
        }
    }
}

/// The names of the StatefulSets whose pods an edit replaces.
fn restarted(edit: impl FnOnce(&mut Instance)) -> String {
    let hashes = |instance: &Instance| -> BTreeMap<String, String> {
        let hash = |set: &k8s_openapi::api::apps::v1::StatefulSet| {
            let template = set.spec.clone().unwrap().template.metadata.unwrap().annotations.unwrap();
            template[super::TEMPLATE_HASH].clone()
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
        ("`tests`", |i| i.sanity_image = Some("x".into())),
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
    let documentation = include_str!("../../../../docs/lifecycle.md");
    for (field, edit) in edits {
        let row = format!("| {field} | {} |", restarted(edit));
        assert!(documentation.contains(&row), "docs/lifecycle.md lacks the row: {row}");
    }
}

#[test]
fn a_providers_authority_is_trusted_beside_those_of_the_image_and_a_new_one_restarts_the_frontend() {
    let private = |pem: &str| valid(&private_provider(), &with_authority(pem)).unwrap();
    let frontend = |instance: &Instance| {
        let sets = build(instance).stateful_sets;
        sets.into_iter().find(|set| set.name_any() == "demo-frontend").unwrap().spec.unwrap().template
    };
    let pod = frontend(&private(AUTHORITY)).spec.unwrap();
    let steps = pod.init_containers.unwrap();
    let names: Vec<_> = steps.iter().map(|step| step.name.as_str()).collect();
    assert_eq!(names, ["trust", "schema", "seed"]);
    let args = steps[0].args.clone().unwrap();
    assert_eq!(args[2..], ["/etc/copr-operator/ca/ca.crt", "/run/copr-operator/authorities/ca-bundle.crt"]);
    let httpd = &pod.containers[0];
    let bundle = httpd.env.iter().flatten().find(|env| env.name == "REQUESTS_CA_BUNDLE").unwrap();
    assert_eq!(bundle.value.as_ref(), args.last());
    for (container, mounted) in
        [(&steps[0], "/etc/copr-operator/ca/ca.crt"), (httpd, "/run/copr-operator/authorities")]
    {
        assert!(
            container.volume_mounts.iter().flatten().any(|mount| mount.mount_path == mounted),
            "{mounted}"
        );
    }
    let config =
        build(&private(AUTHORITY)).secrets.into_iter().find(|s| s.name_any() == "demo-frontend").unwrap();
    assert_eq!(config.data.unwrap()["ca.crt"].0, AUTHORITY.as_bytes());

    let hash = |instance: &Instance| {
        frontend(instance).metadata.unwrap().annotations.unwrap()[super::TEMPLATE_HASH].clone()
    };
    let two = format!("{AUTHORITY}{AUTHORITY}");
    assert_ne!(hash(&private(AUTHORITY)), hash(&private(&two)));
    let pod = frontend(&public()).spec.unwrap();
    assert!(pod.init_containers.unwrap().iter().all(|step| step.name != "trust"));
    assert!(pod.containers[0].env.iter().flatten().all(|env| env.name != "REQUESTS_CA_BUNDLE"));
}

#[test]
fn data_outlives_the_instance_only_where_the_spec_says_so() {
    let mut instance = minimal();
    let owned = |instance: &Instance| {
        let plan = plan(instance).into_iter().filter(|p| p.lifetime != Lifetime::Reconcile);
        plan.map(|p| !p.object.owner_references().is_empty()).collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(owned(&instance), [true].into());
    instance.deletion_policy = DeletionPolicy::Retain;
    assert_eq!(owned(&instance), [false].into());
}

#[test]
fn resalloc_reads_its_pools_from_a_folder_that_the_kubelet_keeps_up_to_date() {
    let sets = build(&minimal()).stateful_sets;
    let resalloc = sets.iter().find(|set| set.name_any() == "demo-resalloc").unwrap();
    let mounts = resalloc.spec.clone().unwrap().template.spec.unwrap().containers[0].volume_mounts.clone();
    for path in ["/etc/resallocserver", "/etc/copr-operator/hooks"] {
        let mount = mounts.as_ref().unwrap().iter().find(|mount| mount.mount_path == path).unwrap();
        assert_eq!(mount.sub_path, None, "{path}");
    }
}

/// What each of these writes into a pod, everything else being as it was.
#[test]
fn what_the_spec_says_of_pods_is_on_each_of_them() {
    let yaml = MINIMAL.to_owned()
        + "
  proxy: {http: 'http://proxy.example:3128', noProxy: [.example.org]}
  defaults:
    pod:
      labels: {team: copr}
      annotations: {example.org/cost: ci}
      tolerations: [{key: ci, operator: Exists}]
      affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: gpu, operator: DoesNotExist}]}]}}}
      topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: ScheduleAnyway}]
      priorityClassName: low
";
    let instance = valid(&yaml, &observed(Platform::Kubernetes)).unwrap();
    let plan = build(&instance);
    let sets = plan.stateful_sets.iter().map(|set| set.spec.clone().unwrap().template);
    let jobs = plan.jobs.iter().map(|job| job.spec.clone().unwrap().template);
    let builder = super::builder::pod(&instance, &instance.pools[0]);
    let builder =
        k8s_openapi::api::core::v1::PodTemplateSpec { metadata: Some(builder.metadata), spec: builder.spec };
    let mut with_proxy = Vec::new();
    for pod in sets.chain(jobs).chain([builder]) {
        let (metadata, spec) = (pod.metadata.unwrap(), pod.spec.unwrap());
        let labels = metadata.labels.unwrap();
        assert_eq!(
            (labels["team"].as_str(), labels["app.kubernetes.io/instance"].as_str()),
            ("copr", "demo")
        );
        assert_eq!(metadata.annotations.unwrap()["example.org/cost"], "ci");
        assert_eq!(spec.tolerations.unwrap()[0].key.as_deref(), Some("ci"));
        assert!(spec.affinity.unwrap().node_affinity.is_some());
        assert_eq!(spec.priority_class_name.as_deref(), Some("low"));
        let selected = spec.topology_spread_constraints.unwrap()[0].label_selector.clone().unwrap();
        assert_eq!(
            selected.match_labels.unwrap()["app.kubernetes.io/component"],
            labels["app.kubernetes.io/component"]
        );
        let proxied = |c: &k8s_openapi::api::core::v1::Container| {
            c.env
                .iter()
                .flatten()
                .any(|e| e.name == "no_proxy" && e.value.as_ref().unwrap().ends_with(".svc,.example.org"))
        };
        if spec.containers.iter().any(proxied) {
            with_proxy.push(labels["app.kubernetes.io/component"].clone());
        }
    }
    assert_eq!(with_proxy, ["frontend", "builder"]);
}

/// A cluster of one family gives an address of that one.
#[test]
fn services_have_an_address_of_each_family() {
    let services = build(&minimal()).services;
    assert_eq!(services.len(), 7);
    for service in services {
        assert_eq!(service.spec.unwrap().ip_family_policy.as_deref(), Some("PreferDualStack"));
    }
}

/// Builders, the backend, dist-git and tests know no host of people's, and needn't.
#[test]
fn whoever_is_inside_is_configured_with_names_of_services_only() {
    let instance = public();
    let internal = [
        super::config::main_ini::render(&instance),
        super::config::dist_git_client_ini::render(&instance),
        super::config::copr_dist_git_conf::render(&instance),
        super::config::pools_yaml::render(&instance),
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
