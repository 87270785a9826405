//! End-to-end tests that take longest.

mod defects;
mod scale;
mod suite_image;
