//! Kubernetes objects as they are read and written: any kind, nothing lost.

use std::{fmt, fs, path::Path};

use anyhow::{Context as _, bail};
use serde_json::{Map, Value};

/// What distinguishes an object from all others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Id {
    /// Such as `apps/v1`.
    pub api_version: String,
    /// Such as `Deployment`.
    pub kind: String,
    /// None for what belongs to the whole cluster.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
}

impl fmt::Display for Id {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.kind, self.name)
    }
}

/// All documents of a file.
pub fn read(path: &Path) -> anyhow::Result<Vec<Value>> {
    let text = fs::read_to_string(path).with_context(|| format!("failed to read {}", path.display()))?;
    let documents: Vec<Value> =
        serde_saphyr::from_multiple(&text).with_context(|| format!("{} is no YAML", path.display()))?;
    Ok(documents.into_iter().filter(|document| !document.is_null()).collect())
}

/// The object as YAML, keys in alphabetical order.
pub fn yaml(object: &Value) -> anyhow::Result<String> {
    serde_saphyr::to_string(object).context("failed to write YAML")
}

/// As one file.
pub fn documents(objects: &[Value]) -> anyhow::Result<String> {
    Ok(objects.iter().map(yaml).collect::<Result<Vec<_>, _>>()?.join("---\n"))
}

/// Fails for what is no object.
pub fn id(object: &Value) -> anyhow::Result<Id> {
    Ok(Id {
        api_version: text(object, "/apiVersion")?.to_owned(),
        kind: text(object, "/kind")?.to_owned(),
        namespace: object.pointer("/metadata/namespace").and_then(Value::as_str).map(ToOwned::to_owned),
        name: text(object, "/metadata/name")?.to_owned(),
    })
}

/// Whether it is of that kind.
pub fn is(object: &Value, kind: &str) -> bool {
    object.get("kind").and_then(Value::as_str) == Some(kind)
}

/// The value at a JSON pointer.
pub fn get<'a>(object: &'a Value, pointer: &str) -> anyhow::Result<&'a Value> {
    let Some(value) = object.pointer(pointer) else {
        bail!("{} has no {pointer}", name(object));
    };
    Ok(value)
}

/// The text at a JSON pointer.
pub fn text<'a>(object: &'a Value, pointer: &str) -> anyhow::Result<&'a str> {
    get(object, pointer)?.as_str().with_context(|| format!("{}: {pointer} is no string", name(object)))
}

/// The map at a JSON pointer, to change it.
pub fn map<'a>(object: &'a mut Value, pointer: &str) -> anyhow::Result<&'a mut Map<String, Value>> {
    let name = name(object);
    object
        .pointer_mut(pointer)
        .and_then(Value::as_object_mut)
        .with_context(|| format!("{name} has no map {pointer}"))
}

/// Another value in the place of what is at a JSON pointer.
pub fn replace(object: &mut Value, pointer: &str, value: Value) -> anyhow::Result<()> {
    let name = name(object);
    *object.pointer_mut(pointer).with_context(|| format!("{name} has no {pointer}"))? = value;
    Ok(())
}

fn name(object: &Value) -> String {
    let part = |pointer| object.pointer(pointer).and_then(Value::as_str).unwrap_or("?");
    format!("{} {}", part("/kind"), part("/metadata/name"))
}
