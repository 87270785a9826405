//! End-to-end tests that share the cluster in peace. One program, so that those that mostly wait run beside those that
//! mostly work.

mod access;
mod builders;
mod control;
mod evidence;
mod images;
mod lifetimes;
mod outcomes;
mod paused;
mod people;
mod quota;
mod run;
mod tmt;
mod trouble;
mod uid;
mod upstream;
mod volumes;
mod warm;
