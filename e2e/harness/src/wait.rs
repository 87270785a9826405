//! Waiting: on a watch, until a deadline, whatever the API server does in between.

use std::{fmt::Debug, pin::pin, time::Duration};

use anyhow::{Result, bail};
use futures::StreamExt;
use kube::{
    Api, Resource,
    runtime::{WatchStreamExt, watcher},
};
use serde::{Serialize, de::DeserializeOwned};

/// Watches one object until the condition holds, and returns it as it then was. `None` is an object
/// that doesn't exist. Errors of the watch are not errors of the test: the API server may restart.
pub async fn until<K>(
    api: Api<K>,
    name: &str,
    what: &str,
    within: Duration,
    condition: impl Fn(Option<&K>) -> bool,
) -> Result<Option<K>>
where
    K: Resource + Clone + Debug + Send + Serialize + DeserializeOwned + 'static,
{
    let mut last = None;
    let mut error = None;
    let mut states = pin!(watcher::watch_object(api, name).default_backoff());
    let found = tokio::time::timeout(within, async {
        while let Some(state) = states.next().await {
            match state {
                Ok(object) => {
                    let holds = condition(object.as_ref());
                    last = object;
                    if holds {
                        return true;
                    }
                }
                Err(failed) => error = Some(failed),
            }
        }
        false
    })
    .await;
    if found == Ok(true) {
        return Ok(last);
    }
    let seen = match &last {
        Some(object) => serde_saphyr::to_string(&status_of(object))?,
        None => "it doesn't exist".into(),
    };
    match error {
        Some(error) => {
            bail!("{name}: not {what} within {within:?}; last watch error: {error}; last seen: {seen}")
        }
        None => bail!("{name}: not {what} within {within:?}; last seen: {seen}"),
    }
}

/// Watches all objects that the configuration selects until the condition holds of one, and returns that.
pub async fn until_any<K>(
    api: Api<K>,
    selected: watcher::Config,
    what: &str,
    within: Duration,
    condition: impl Fn(&K) -> bool,
) -> Result<K>
where
    K: Resource + Clone + Debug + Send + Serialize + DeserializeOwned + 'static,
{
    let mut objects = pin!(watcher(api, selected).default_backoff().applied_objects());
    let mut error = None;
    let found = tokio::time::timeout(within, async {
        while let Some(object) = objects.next().await {
            match object {
                Ok(object) if condition(&object) => return Some(object),
                Ok(_) => {}
                Err(failed) => error = Some(failed),
            }
        }
        None
    })
    .await;
    match (found, error) {
        (Ok(Some(object)), _) => Ok(object),
        (_, Some(error)) => bail!("not {what} within {within:?}; last watch error: {error}"),
        (_, None) => bail!("not {what} within {within:?}"),
    }
}

/// The status, which says why; the whole object if it has none.
fn status_of<K: Serialize>(object: &K) -> serde_json::Value {
    let mut value = serde_json::to_value(object).unwrap_or_default();
    match value.get_mut("status") {
        Some(status) => status.take(),
        None => value,
    }
}
