//! What is used of all images. Pure.

use std::collections::BTreeSet;

use serde_json::Value;

/// The shortest word that can be a tag of ours, which is the hash of an image's inputs; digests are longer.
const SHORTEST: usize = 32;

/// Every hash that any object of the cluster mentions, whatever the field: what a spec, a status, an annotation or a kubelet says of
/// an image has its tag or its digest in it, and so has what a later version will add. Too much is used rather than too little.
#[derive(Clone, Debug, Default)]
pub struct Used(BTreeSet<String>);

impl Used {
    /// All that an object mentions.
    pub fn add(&mut self, object: &Value) {
        match object {
            Value::String(text) => self.add_text(text),
            Value::Array(values) => values.iter().for_each(|value| self.add(value)),
            Value::Object(fields) => {
                for (key, value) in fields {
                    self.add_text(key);
                    self.add(value);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn add_text(&mut self, text: &str) {
        let words = text.split(|c: char| !c.is_ascii_hexdigit()).filter(|word| word.len() >= SHORTEST);
        self.0.extend(words.map(str::to_ascii_lowercase));
    }

    /// Whether something uses the image with this tag or digest.
    pub fn has(&self, reference: &str) -> bool {
        let hash = reference.rsplit_once(':').map_or(reference, |(_, hash)| hash);
        self.0.contains(hash)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const TAG: &str = "0d97038ad8b1b616d26990abe2eeb603";
    const DIGEST: &str = "sha256:4aff9063ae6b190f42b237aa1fb409f24aff9063ae6b190f42b237aa1fb409f2";

    fn used(object: &Value) -> Used {
        let mut used = Used::default();
        used.add(object);
        used
    }

    #[test]
    fn a_tag_or_a_digest_is_used_wherever_it_stands() {
        let objects = [
            (
                "the spec of an instance",
                json!({"spec": {"images": {"frontend": format!("r:5000/copr/copr-frontend:{TAG}@{DIGEST}")}}}),
            ),
            (
                "a packages status",
                json!({"status": {"packages": {"images": [
                {"component": "frontend", "inputHash": TAG, "image": format!("r/x@{DIGEST}")}]}}}),
            ),
            (
                "images that still run while new ones are built",
                json!({"status": {
                "packages": {"images": []}, "images": {"frontend": format!("r/x:{TAG}@{DIGEST}")}}}),
            ),
            (
                "the template of a run",
                json!({"spec": {"instance": {"template": {"images": {
                "frontend": format!("r/x:{TAG}"), "backend": format!("r/y@{DIGEST}")}}}}}),
            ),
            (
                "a pod",
                json!({"spec": {"containers": [{"image": format!("r/x:{TAG}")}]},
                "status": {"containerStatuses": [{"imageID": format!("r/x@{DIGEST}")}]}}),
            ),
            (
                "a Job",
                json!({"metadata": {"labels": {"copr.fedorainfracloud.org/input-hash": TAG},
                "annotations": {"digest": DIGEST}}}),
            ),
            (
                "a field of a later version",
                json!({"spec": {"frontend": [{"image": format!("r/x:{TAG}@{DIGEST}")}]}}),
            ),
        ];
        for (what, object) in objects {
            let used = used(&object);
            assert!(used.has(TAG) && used.has(DIGEST), "{what}");
        }
    }

    #[test]
    fn nothing_else_is_used() {
        let used =
            used(&json!({"spec": {"images": {"tag": "2.7", "frontend": format!("r/x:{}", &TAG[1..])}}}));
        assert!(!used.has(TAG) && !used.has(DIGEST));
    }
}
