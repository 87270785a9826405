//! The builds: Jobs in the cluster, and what is said of them.

pub mod builds;
pub mod condition;
pub mod decide;
pub mod events;
pub mod failure;
mod files;
pub mod heal;
pub mod identity;
pub mod job;
pub mod kept;
pub mod look;
pub mod start;
#[cfg(test)]
mod tests;
