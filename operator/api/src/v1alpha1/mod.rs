//! Version `v1alpha1` of the group `copr.fedorainfracloud.org`.

mod builders;
mod component;
mod defaults;
mod evidence;
mod extra_config;
mod images;
mod instance;
mod instance_status;
mod login;
mod packages;
mod people;
mod pod;
mod proxy;
mod report;
mod requirements;
mod scheduling;
mod source;
mod suite;
mod test_run;
mod test_run_status;
mod url;

pub use builders::*;
pub use component::*;
pub use defaults::*;
pub use evidence::*;
pub use extra_config::*;
pub use images::*;
pub use instance::*;
pub use instance_status::*;
pub use login::*;
pub use packages::*;
pub use people::*;
pub use pod::*;
pub use proxy::*;
pub use report::*;
pub use source::*;
pub use suite::*;
pub use test_run::*;
pub use test_run_status::*;
pub use url::*;

/// The API group of every resource of this operator.
pub const GROUP: &str = "copr.fedorainfracloud.org";

/// Keeps the API server from filling in what an item of a list leaves out: `kubectl apply` replaces a list as a whole, and would find
/// another one there each time that the same manifest is applied.
fn without_default(schema: &mut schemars::Schema) {
    schema.remove("default");
}

#[cfg(test)]
mod tests {
    use std::fmt::Display;

    use kube::CustomResourceExt as _;
    use serde::Serialize;
    use serde_json::Value;
    use strum::VariantArray;

    use super::*;

    /// The paths of the defaults below `items` of a list.
    fn defaults_in_lists(schema: &Value, path: &str, in_list: bool, found: &mut Vec<String>) {
        if in_list && schema.get("default").is_some() {
            found.push(path.to_owned());
        }
        if let Some(items) = schema.get("items") {
            defaults_in_lists(items, &format!("{path}[]"), true, found);
        }
        if let Some(values) = schema.get("additionalProperties").filter(|values| values.is_object()) {
            defaults_in_lists(values, &format!("{path}{{}}"), in_list, found);
        }
        for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            defaults_in_lists(property, &format!("{path}.{name}"), in_list, found);
        }
    }

    #[test]
    fn items_of_lists_have_no_defaults_that_would_change_a_list_at_each_apply() {
        let mut found = Vec::new();
        for crd in [CoprInstance::crd(), CoprTestRun::crd()] {
            let crd = serde_json::to_value(&crd).unwrap();
            let spec = crd.pointer("/spec/versions/0/schema/openAPIV3Schema/properties/spec").unwrap();
            defaults_in_lists(spec, "spec", false, &mut found);
        }
        assert_eq!(found, [""; 0]);
    }

    fn agree<T: Serialize + VariantArray + Display>() {
        for value in T::VARIANTS {
            assert_eq!(serde_json::to_value(value).unwrap(), value.to_string());
        }
    }

    #[test]
    fn a_word_is_the_same_in_a_spec_and_wherever_else_it_is_told() {
        agree::<Isolation>();
        agree::<Phase>();
        agree::<ForgeType>();
        agree::<ReportTarget>();
        agree::<ReportState>();
        agree::<ReportEvent>();
        agree::<PullPolicy>();
        agree::<SuiteName>();
    }
}
