//! What a run does, told over time: a world of one run, one instance and their pods, in which the pure
//! steps are carried out as the cluster would.

mod builders;
mod counting;
mod disturbed;
mod ending;
mod evidence;
mod forge;
mod happy;
mod infrastructure;
mod instance;
pub mod openshift;
mod packages;
mod queue;
mod recorded;
mod reports;
mod restart;
mod source;
mod suites;
mod turns;
mod verdicts;
pub mod world;
