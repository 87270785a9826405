//! Two operators: one acts, and the other takes over when it's lost.

use std::time::Duration;

use anyhow::{Result, ensure};
use copr_e2e::{fixtures, with_namespace};
use copr_operator_api::v1alpha1::CoprInstance;
use k8s_openapi::api::{apps::v1::StatefulSet, coordination::v1::Lease};
use kube::Api;

const NAMESPACE: &str = "copr-operator";
const LEASE: &str = "copr-operator";
const SOON: Duration = Duration::from_secs(90);

#[tokio::test]
#[ignore = "needs a cluster with the operator: ./check e2e"]
async fn of_two_operators_one_acts_and_the_other_takes_over() -> Result<()> {
    with_namespace("lease", |ctx| async move {
        let operator = ctx.operator();
        operator.scale(2).await?;
        let leases: Api<Lease> = Api::namespaced(ctx.client.clone(), NAMESPACE);
        let holder = async || {
            let lease = leases.get(LEASE).await?;
            Ok::<_, anyhow::Error>(lease.spec.and_then(|spec| spec.holder_identity).unwrap_or_default())
        };
        let first = holder().await?;
        operator.kill_one(&first).await?;
        // Only whoever holds the Lease makes anything of this.
        ctx.create(&fixtures::instance("copr", fixtures::instance_spec())).await?;
        ctx.until::<StatefulSet>("copr-frontend", "made", SOON, |_| true).await?;
        let second = holder().await?;
        ensure!(
            second != first && !second.is_empty(),
            "{first} still holds the Lease, or nobody: {second:?}"
        );
        ctx.delete::<CoprInstance>("copr", SOON).await?;
        operator.scale(1).await
    })
    .await
}
