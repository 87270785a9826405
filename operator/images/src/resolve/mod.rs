//! What an instance's images are made from: repositories, packages, tags, and the hash of all of it.

pub mod candidates;
pub mod expected;
pub mod inputs;
pub mod pin;
pub mod prebuilt;
pub mod repository;
pub mod require;
pub mod spec_hash;
