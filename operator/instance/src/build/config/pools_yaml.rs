//! `/etc/resallocserver/pools.yaml`.

use crate::validate::Instance;

/// Renders the file: a pool per machine architecture, whose resources serve one ticket and are deleted.
pub fn render(instance: &Instance) -> String {
    instance
        .pools
        .iter()
        .map(|pool| {
            let tags: String = pool.copr_arches.iter().map(|arch| format!("    - arch_{arch}\n")).collect();
            format!(
                "\
builder_{arch}:
  max: {max}
  max_starting: {max}
  max_prealloc: 0
  # Seconds between two starts: a cmd_new that fails is tried again at once otherwise.
  start_delay: 1
  reuse_opportunity_time: 0
  reuse_max_count: 0
  cmd_new: python3 /etc/copr-operator/hooks/builder-new {arch}
  cmd_delete: python3 /etc/copr-operator/hooks/builder-delete
  cmd_livecheck: python3 /etc/copr-operator/hooks/builder-check
  livecheck_period: 10
  livecheck_attempts: 1
  tags_on_demand:
    - copr_builder
    - arch_noarch
{tags}",
                arch = pool.node_arch,
                max = instance.builders.max,
            )
        })
        .collect()
}
