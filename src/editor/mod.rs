//! The view: it knows frame reports and settings, not the loop that makes them.

pub mod colours;
mod controls;
mod history;
mod knob;
mod map;
mod meters;
pub mod theme;
mod view;

pub use controls::Controls;
pub use view::View;
