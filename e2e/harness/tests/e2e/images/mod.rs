//! Images that are built from packages: once per input, and told in the end or in the way.

mod awaited;
mod changed;
mod healed;
mod interrupted;
mod mirror;
mod overlay;
mod prebuilt;
mod refused;
mod retention;
mod reuse;
mod stuck;
mod together;

use std::time::Duration;

const SOON: Duration = Duration::from_secs(60);
