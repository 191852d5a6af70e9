//! The view: it knows frame reports and settings, not the loop that makes them.

mod controls;

pub use controls::Controls;
