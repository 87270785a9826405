//! `/etc/resallocserver/pools.yaml`.

use crate::validate::{Instance, Pool};

/// Renders the file: a pool per machine architecture, whose resources serve one ticket and are deleted.
pub fn render(instance: &Instance) -> String {
    instance.pools.iter().map(|pool| of(pool, instance.builders.max, instance.builders.warm)).collect()
}

/// resalloc makes resources either for tickets (`tags_on_demand`) or ahead of them (`tags`: up to `max_prealloc` that are free or
/// being started), never both in one pool or for one tag. When warm builders are switched off, resalloc deletes the free builders,
/// since no ticket asks for them.
fn of(pool: &Pool, max: i32, warm: i32) -> String {
    let (ahead, tags, start_delay) = if warm > 0 {
        // No delay between two starts: nothing wakes resalloc when a delay is over, so it would start one builder each time that it
        // looks at its pools. The pause after a failed start is made by builder-new itself.
        (" warm", "tags", "start_delay: 0")
    } else {
        let comment = "# Seconds between two starts: a cmd_new that fails is tried again at once otherwise.";
        ("", "tags_on_demand", &*format!("{comment}\n  start_delay: 1"))
    };
    let of_arches: String = pool.copr_arches.iter().map(|arch| format!("    - arch_{arch}\n")).collect();
    format!(
        "\
builder_{arch}:
  max: {max}
  max_starting: {max}
  max_prealloc: {warm}
  {start_delay}
  reuse_opportunity_time: 0
  reuse_max_count: 0
  cmd_new: python3 /etc/copr-operator/hooks/builder-new {arch}{ahead}
  cmd_delete: python3 /etc/copr-operator/hooks/builder-delete
  cmd_livecheck: python3 /etc/copr-operator/hooks/builder-check {arch}{ahead}
  livecheck_period: 10
  livecheck_attempts: 1
  {tags}:
    - copr_builder
    - arch_noarch
{of_arches}",
        arch = pool.node_arch,
    )
}
