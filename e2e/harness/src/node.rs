//! The nodes: what no test can succeed on.

use anyhow::{Context as _, Result};
use k8s_openapi::api::core::v1::{Node, NodeCondition};
use kube::{Api, Client, ResourceExt, api::ListParams};

/// What nodes lack, if they do: memory, disk or processes. The kubelet then evicts pods, the scheduler sends none
/// there, and a test can only wait for its deadline.
pub async fn lacking(client: &Client) -> Result<Option<String>> {
    let nodes: Api<Node> = Api::all(client.clone());
    let nodes = nodes.list(&ListParams::default()).await.context("failed to list the nodes")?;
    let pressures: Vec<String> = nodes.iter().flat_map(pressures).collect();
    Ok((!pressures.is_empty()).then(|| {
        format!(
            "the cluster lacks what tests take, and they say nothing of the operator: {}",
            pressures.join("; ")
        )
    }))
}

fn pressures(node: &Node) -> Vec<String> {
    let conditions = node.status.iter().flat_map(|status| status.conditions.iter().flatten());
    conditions.filter(|condition| is_pressure(condition)).map(|condition| said(node, condition)).collect()
}

fn is_pressure(condition: &NodeCondition) -> bool {
    condition.type_.ends_with("Pressure") && condition.status == "True"
}

fn said(node: &Node, condition: &NodeCondition) -> String {
    let message = condition.message.as_deref().unwrap_or_default();
    format!("node {} has {}: {message}", node.name_any(), condition.type_)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_named_and_a_ready_node_is_not() -> Result<()> {
        let node: Node = serde_json::from_value(serde_json::json!({
            "metadata": {"name": "n"},
            "status": {"conditions": [
                {"type": "DiskPressure", "status": "True", "message": "kubelet has disk pressure"},
                {"type": "MemoryPressure", "status": "False", "message": "kubelet has sufficient memory available"},
                {"type": "Ready", "status": "True", "message": "kubelet is posting ready status"},
            ]},
        }))?;
        assert_eq!(pressures(&node), ["node n has DiskPressure: kubelet has disk pressure"]);
        Ok(())
    }
}
