//! The loop's settings, its simulated line and its models.

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/looped.rs"]
mod looped;
#[path = "../common/models.rs"]
mod models;

mod loss;
mod settings;
mod swap;
