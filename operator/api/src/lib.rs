//! The API of the Copr operator: what users write and read, and whatever programs have in common that do so. No client, and
//! nothing that acts.

pub mod annotations;
pub mod component;
pub mod evidence;
pub mod images;
pub mod labels;
pub mod names;
pub mod status;
pub mod v1alpha1;
