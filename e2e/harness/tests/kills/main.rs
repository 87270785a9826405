//! End to end, while something is killed. These disturb the whole cluster, so that they run one at a time and not beside
//! other tests.

mod images;
mod lease;
mod run;
mod upgrade;
