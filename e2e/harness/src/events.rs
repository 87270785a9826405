//! What the operator tells of an object in events.

use std::time::Duration;

use anyhow::Result;
use k8s_openapi::api::core::v1::Event;
use kube::runtime::watcher;

use crate::Context;

/// Waits for an event about the object, for the reason, with a note that names all of it.
pub async fn told(ctx: &Context, object: &str, reason: &str, named: &[&str], within: Duration) -> Result<()> {
    let about = watcher::Config::default().fields(&format!("involvedObject.name={object},reason={reason}"));
    let says = |event: &Event| {
        event.message.as_ref().is_some_and(|note| named.iter().all(|name| note.contains(name)))
    };
    let what = format!("an event {reason} of {object} that names {named:?}");
    ctx.until_any(about, &what, within, says).await?;
    Ok(())
}
