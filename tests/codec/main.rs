//! Codes, packets and files.

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/looped.rs"]
mod looped;
#[path = "../common/models.rs"]
mod models;

mod bits;
mod coding;
mod container;
mod search;
mod synthesis;
mod target;
