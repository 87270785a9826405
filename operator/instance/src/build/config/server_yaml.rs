//! `/etc/resallocserver/server.yaml`.

use copr_operator_api::component::port;

/// How often, in seconds, resalloc looks at its pools though no ticket was opened or closed and no hook has ended. When it looks,
/// it decides first what to start and then gives builders to tickets, so the replacement of a warm builder is started when it looks
/// next.
const SLEEP_SECONDS: u8 = 5;

/// Renders the file. Without `hostname` resalloc listens on localhost only; `scripts/resalloc-serve` makes of this address every
/// address, IPv6 included.
pub fn render() -> String {
    format!(
        "db_url: sqlite:////var/lib/resallocserver/db.sqlite\nlogdir: /var/log/resallocserver\n\
         hostname: 0.0.0.0\nport: {}\nloglevel: info\nsleeptime: {SLEEP_SECONDS}\n",
        port::RESALLOC.number
    )
}
