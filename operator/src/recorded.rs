//! Statuses that unit tests record for `e2e/kstatus`, whose test asks kstatus' own code about each.
#![expect(clippy::unwrap_used, reason = "it is called by tests only")]

use std::{collections::BTreeSet, fs, path::Path};

use kube::CustomResourceExt;
use serde_json::{Value, json};

/// The status that the API server gives to a new object of that kind.
pub fn status_of_new<K: CustomResourceExt>() -> Value {
    let crd = serde_json::to_value(K::crd()).unwrap();
    let schema = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    schema["properties"]["status"]["default"].clone()
}

/// Records objects, each with a name and with what kstatus is to make of it. `kind` begins the names of their files: those that
/// nobody records any more are found.
pub fn assert_recorded(kind: &str, objects: &[(&str, &str, Value)]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../e2e/kstatus/testdata");
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(&folder);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for (name, expected, object) in objects {
        let mut object = object.clone();
        // kstatus reads nothing of it.
        object.as_object_mut().unwrap().remove("spec");
        let record = serde_saphyr::to_string(&json!({"expected": expected, "object": object})).unwrap();
        settings.bind(|| insta::assert_snapshot!(format!("{kind}-{name}"), record));
    }
    let wanted: BTreeSet<_> = objects.iter().map(|(name, ..)| format!("{kind}-{name}.snap")).collect();
    let there = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let there: BTreeSet<_> = there.filter(|name| name.starts_with(kind) && name.ends_with(".snap")).collect();
    assert_eq!(wanted, there);
}
