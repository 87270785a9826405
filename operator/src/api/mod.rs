//! The resources that users write, and what is known of the components that they are about. Types and tables only: no client, no
//! clock, no behaviour beyond defaults.

pub mod component;
pub mod images;
pub mod v1alpha1;
