//! The view through its public surface.

#[path = "../common/models.rs"]
mod models;
#[path = "../common/view.rs"]
mod view;
#[path = "../common/window.rs"]
mod window;

mod controls;
mod library;
mod map;
mod panels;
mod settings;
