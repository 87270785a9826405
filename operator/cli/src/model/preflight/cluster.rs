//! What is of the cluster as a whole.

use copr_operator_kernel::report;
use jiff::SignedDuration;
use k8s_openapi::api::core::v1::Node;

use super::{Answer, Facts, Finding};
use crate::model::count;

/// From which on pods have user namespaces without being asked to.
const MINOR: u32 = 33;
/// From which on tmpfs, which every pod has, can be mounted with mapped ids.
const KERNEL: (u32, u32) = (6, 3);
const DEFAULT_CLASS: &str = "storageclass.kubernetes.io/is-default-class";
/// By the names of their DaemonSets.
const ENFORCERS: [&str; 9] = [
    "calico-node",
    "canal",
    "cilium",
    "ovnkube-node",
    "antrea-agent",
    "kube-router",
    "weave-net",
    "kube-network-policies",
    "kindnet",
];
const PRIVILEGED: &str =
    "or let builders be privileged: isolation: Privileged under builders and packages.build";

pub fn version(facts: &Facts) -> Finding {
    const WHAT: &str = "Kubernetes";
    let info = match &facts.version {
        Ok(info) => info,
        Err(why) => return Finding::unknown(WHAT, why),
    };
    let minor: String = info.minor.chars().take_while(char::is_ascii_digit).collect();
    match minor.parse::<u32>() {
        Ok(minor) if info.major != "1" || minor >= MINOR => Finding::yes(WHAT, &info.git_version),
        Ok(_) => Finding::no(
            WHAT,
            format!("{} has no user namespaces by itself", info.git_version),
            format!("upgrade the cluster to 1.{MINOR} or newer; {PRIVILEGED}"),
        ),
        Err(_) => Finding::unknown(WHAT, format!("its version is {}", info.git_version)),
    }
}

pub fn api(facts: &Facts) -> Finding {
    const WHAT: &str = "Copr's resources";
    match &facts.served {
        Ok(true) => Finding::yes(WHAT, "CoprInstance and CoprTestRun are served"),
        Ok(false) => Finding::no(
            WHAT,
            "the cluster knows no CoprTestRun: the operator isn't installed",
            "kubectl apply --server-side -f install.yaml, of a release (on OpenShift install-openshift.yaml)",
        ),
        Err(why) => Finding::unknown(WHAT, why),
    }
}

pub fn operator(facts: &Facts) -> Finding {
    const WHAT: &str = "Operator";
    let look = format!(
        "kubectl --namespace {} get deployments,pods; --operator-namespace names another one",
        facts.operator_namespace
    );
    let lease = match &facts.lease {
        Ok(Some(lease)) => lease.spec.clone().unwrap_or_default(),
        Ok(None) => {
            return Finding::no(WHAT, format!("none has ever run in {}", facts.operator_namespace), look);
        }
        Err(why) => return Finding::unknown(WHAT, why),
    };
    let holder = lease.holder_identity.unwrap_or_default();
    let Some(renewed) = lease.renew_time.filter(|_| !holder.is_empty()) else {
        return Finding::no(WHAT, "nobody holds its Lease", look);
    };
    let silent = facts.now.duration_since(renewed.0);
    // The clocks may differ a little.
    let allowed = SignedDuration::from_secs(2 * i64::from(lease.lease_duration_seconds.unwrap_or(30)));
    if silent > allowed {
        let silent = report::duration(silent);
        return Finding::no(WHAT, format!("{holder} has been silent for {silent}"), look);
    }
    Finding::yes(WHAT, format!("{holder} is at work"))
}

pub fn user_namespaces(facts: &Facts) -> Finding {
    const WHAT: &str = "User namespaces";
    let nodes = match &facts.nodes {
        Ok(nodes) => nodes,
        Err(why) => return Finding::unknown(WHAT, format!("the nodes can't be listed: {why}")),
    };
    let able: Vec<_> = nodes.iter().filter(|node| inability(node).is_none()).collect();
    let unable = nodes.iter().filter_map(|node| {
        Some(format!("{}: {}", node.metadata.name.as_deref().unwrap_or_default(), inability(node)?))
    });
    let unable: Vec<_> = unable.collect();
    let mend = format!(
        "containerd 2.0 or CRI-O 1.25, and Linux {}.{} or newer on the nodes; {PRIVILEGED}",
        KERNEL.0, KERNEL.1
    );
    match (able.len(), unable.as_slice()) {
        (0, []) => Finding::unknown(WHAT, "there is no node"),
        (able, []) => Finding::yes(WHAT, format!("{}, all of them", count(able, "node"))),
        (0, _) => Finding::no(WHAT, unable.join("; "), mend),
        (able, _) => Finding::but(WHAT, format!("{}; not {}", count(able, "node"), unable.join("; ")), mend),
    }
}

/// Why a node's pods can't have one, as far as it says.
fn inability(node: &Node) -> Option<String> {
    let status = node.status.as_ref()?;
    let kernel = status.node_info.as_ref().map(|info| info.kernel_version.clone()).unwrap_or_default();
    let mut numbers = kernel.split(|c: char| !c.is_ascii_digit()).map(str::parse::<u32>);
    if let (Some(Ok(major)), Some(Ok(minor))) = (numbers.next(), numbers.next())
        && (major, minor) < KERNEL
    {
        return Some(format!("Linux {kernel}"));
    }
    let handlers = status.runtime_handlers.as_ref()?;
    let has = |name: Option<&String>| name.is_none_or(String::is_empty);
    let default = handlers.iter().find(|handler| has(handler.name.as_ref()))?;
    let able = default.features.as_ref().and_then(|features| features.user_namespaces);
    (able != Some(true)).then(|| "its container runtime has none".to_owned())
}

pub fn network_policies(facts: &Facts) -> Finding {
    const WHAT: &str = "Network policies";
    let sets = match &facts.daemon_sets {
        Ok(sets) => sets,
        Err(why) => return Finding::unknown(WHAT, format!("what enforces them can't be looked for: {why}")),
    };
    let names: Vec<_> = sets.iter().filter_map(|set| set.metadata.name.as_deref()).collect();
    let known = |name: &&&str| ENFORCERS.iter().any(|enforcer| name.starts_with(enforcer));
    if let Some(name) = names.iter().find(known) {
        return Finding::yes(WHAT, format!("{name} enforces them"));
    }
    if names.iter().any(|name| name.starts_with("kube-flannel"))
        && names.iter().any(|name| name.starts_with("calico"))
    {
        return Finding::yes(WHAT, "calico enforces them");
    }
    let mend = "a network that enforces them, such as Calico, Cilium or OVN-Kubernetes; without, builds reach whatever the cluster's pods reach";
    if names.iter().any(|name| name.starts_with("kube-flannel")) {
        return Finding::but(
            WHAT,
            "flannel doesn't enforce them: everything works, and nothing keeps a build away from other pods",
            mend,
        );
    }
    Finding { answer: Answer::Unknown, ..Finding::but(WHAT, "no DaemonSet is known to enforce them", mend) }
}

pub fn volumes(facts: &Facts) -> Finding {
    const WHAT: &str = "Volumes";
    let classes = match &facts.classes {
        Ok(classes) => classes,
        Err(why) => return Finding::unknown(WHAT, format!("the StorageClasses can't be listed: {why}")),
    };
    let is_default = |class: &&k8s_openapi::api::storage::v1::StorageClass| {
        class.metadata.annotations.as_ref().and_then(|a| a.get(DEFAULT_CLASS)).is_some_and(|v| v == "true")
    };
    let name =
        |class: &k8s_openapi::api::storage::v1::StorageClass| class.metadata.name.clone().unwrap_or_default();
    match (classes.iter().find(is_default), classes.first()) {
        (Some(class), _) if class.allow_volume_expansion == Some(true) => {
            Finding::yes(WHAT, format!("StorageClass {}, which can grow them", name(class)))
        }
        (Some(class), _) => Finding::but(
            WHAT,
            format!("StorageClass {} can't grow them", name(class)),
            format!(
                "kubectl patch storageclass {} -p '{{\"allowVolumeExpansion\": true}}', if its driver can",
                name(class)
            ),
        ),
        (None, Some(class)) => Finding::no(
            WHAT,
            "no StorageClass is the default",
            format!(
                "kubectl annotate storageclass {} {DEFAULT_CLASS}=true; or name one in the instance's defaults.storage.className",
                name(class)
            ),
        ),
        (None, None) => Finding::no(
            WHAT,
            "there is no StorageClass",
            "install a CSI driver, or a provisioner of local volumes",
        ),
    }
}
