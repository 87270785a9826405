//! What a run does, told over time: a world of one run, one instance and their pods, in which the pure
//! steps are carried out as the cluster would.

mod builders;
mod disturbed;
mod ending;
mod evidence;
mod happy;
mod infrastructure;
mod instance;
mod packages;
mod recorded;
mod reports;
mod restart;
mod turns;
mod verdicts;
pub mod world;
