//! The pods of components: probes, logs, environment, and what the spec says of all of them.

use super::*;

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
        frontend(instance).metadata.unwrap().annotations.unwrap()[TEMPLATE_HASH].clone()
    };
    let two = format!("{AUTHORITY}{AUTHORITY}");
    assert_ne!(hash(&private(AUTHORITY)), hash(&private(&two)));
    let pod = frontend(&public()).spec.unwrap();
    assert!(pod.init_containers.unwrap().iter().all(|step| step.name != "trust"));
    assert!(pod.containers[0].env.iter().flatten().all(|env| env.name != "REQUESTS_CA_BUNDLE"));
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
    let builder = builder::pod(&instance, &instance.pools[0]);
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
