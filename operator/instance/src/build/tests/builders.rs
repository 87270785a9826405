//! Builders, and how resalloc makes them.

use super::*;

#[test]
fn a_pool_per_machine_architecture_and_privileged_builders_only_when_asked() {
    let instance = valid(EXTERNAL, &with_secrets()).unwrap();
    let pools = config::pools_yaml::render(&instance);
    assert!(pools.contains("builder_amd64:") && pools.contains("builder_arm64:"), "{pools}");
    assert!(pools.contains("    - arch_x86_64\n    - arch_i386\n"), "{pools}");
    let privileged = |instance: &Instance| {
        let pod = builder::pod(instance, &instance.pools[0]);
        pod.spec.unwrap().containers[0].security_context.clone().unwrap().privileged
    };
    assert_eq!(privileged(&instance), Some(true));
    assert_eq!(privileged(&minimal()), None);
}

#[test]
fn builders_are_made_for_tickets_or_ahead_of_them() {
    let mut instance = minimal();
    let on_demand = config::pools_yaml::render(&instance);
    assert!(on_demand.contains("  max_prealloc: 0\n") && on_demand.contains("  tags_on_demand:\n"));
    instance.builders.warm = 2;
    insta::assert_snapshot!("pools_of_warm_builders", config::pools_yaml::render(&instance));
}

/// Written in two places.
#[test]
fn a_builder_that_was_idle_for_as_long_as_it_may_be_can_still_do_the_longest_build() {
    let idle = include_str!("../scripts/builder-check").split_once("\nIDLE_SECONDS = 6 * 3600\n");
    assert!(idle.is_some());
    let instance = minimal();
    let pod = builder::pod(&instance, &instance.pools[0]).spec.unwrap();
    assert_eq!(pod.active_deadline_seconds, Some(108_000 + 6 * 3600));
}

#[test]
fn the_builder_pod_has_the_measured_rights_and_no_other() {
    let instance = minimal();
    insta::assert_yaml_snapshot!(builder::pod(&instance, &instance.pools[0]));
}

#[test]
fn openshift_admits_builders_and_nothing_wider() {
    let instance = minimal();
    let pod = builder::pod(&instance, &instance.pools[0]);
    assert_fits("copr-builder", &pod.spec.unwrap(), &[]);
}

/// podman can't store on the overlay that a container's root is.
#[test]
fn mock_has_a_volume_for_the_image_that_it_starts_from() {
    let instance = minimal();
    let pod = builder::pod(&instance, &instance.pools[0]).spec.unwrap();
    let mounts = pod.containers[0].volume_mounts.clone().unwrap();
    let mount = mounts.iter().find(|mount| mount.mount_path == "/var/lib/containers").unwrap();
    let volume = pod.volumes.unwrap().into_iter().find(|volume| volume.name == mount.name).unwrap();
    assert!(volume.empty_dir.unwrap().size_limit.is_some());
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
fn resalloc_reads_its_pools_from_a_folder_that_the_kubelet_keeps_up_to_date() {
    let sets = build(&minimal()).stateful_sets;
    let resalloc = sets.iter().find(|set| set.name_any() == "demo-resalloc").unwrap();
    let mounts = resalloc.spec.clone().unwrap().template.spec.unwrap().containers[0].volume_mounts.clone();
    for path in ["/etc/resallocserver", "/etc/copr-operator/hooks"] {
        let mount = mounts.as_ref().unwrap().iter().find(|mount| mount.mount_path == path).unwrap();
        assert_eq!(mount.sub_path, None, "{path}");
    }
}
