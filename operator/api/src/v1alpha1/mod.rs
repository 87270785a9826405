//! Version `v1alpha1` of the group `copr.fedorainfracloud.org`.

mod builders;
mod component;
mod defaults;
mod images;
mod instance;
mod instance_status;
mod packages;
mod people;
mod pod;
mod proxy;
mod requirements;
mod scheduling;
mod test_run;
mod test_run_status;

pub use builders::*;
pub use component::*;
pub use defaults::*;
pub use images::*;
pub use instance::*;
pub use instance_status::*;
pub use packages::*;
pub use people::*;
pub use pod::*;
pub use proxy::*;
pub use test_run::*;
pub use test_run_status::*;

/// The API group of every resource of this operator.
pub const GROUP: &str = "copr.fedorainfracloud.org";

#[cfg(test)]
mod tests {
    use std::fmt::Display;

    use serde::Serialize;
    use strum::VariantArray;

    use super::*;

    fn agree<T: Serialize + VariantArray + Display>() {
        for value in T::VARIANTS {
            assert_eq!(serde_json::to_value(value).unwrap(), value.to_string());
        }
    }

    #[test]
    fn a_word_is_the_same_in_a_spec_and_wherever_else_it_is_told() {
        agree::<Isolation>();
        agree::<Phase>();
        agree::<PullPolicy>();
        agree::<SuiteName>();
    }
}
