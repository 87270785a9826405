//! `/etc/resallocserver/server.yaml`.

use copr_operator_api::component::port;

/// Renders the file. Without `hostname` resalloc listens on localhost only; `scripts/resalloc-serve` makes of this address every
/// address, IPv6 included.
pub fn render() -> String {
    format!(
        "db_url: sqlite:////var/lib/resallocserver/db.sqlite\nlogdir: /var/log/resallocserver\n\
         hostname: 0.0.0.0\nport: {}\nloglevel: info\n",
        port::RESALLOC.number
    )
}
