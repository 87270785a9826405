//! The resources that users write. Types only: no client, no clock, no behaviour beyond defaults.

pub mod v1alpha1;
