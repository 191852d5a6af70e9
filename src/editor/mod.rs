//! The view: it knows frame reports and settings, not the loop that makes them.

mod axes;
mod blind;
mod chips;
pub mod colours;
mod controls;
mod curves;
mod distortion;
mod freeze;
mod header;
mod history;
mod insight;
mod knob;
mod layout;
mod look;
mod map;
mod meters;
mod mode;
mod note;
mod pictures;
mod presets;
mod readout;
mod record;
mod scroll;
mod stereo;
mod strip;
mod switches;
pub mod theme;
mod tip;
mod usage;
mod value;
mod view;
mod viewport;

pub use controls::{Controls, Value};
pub use look::{Look, Memory as LookMemory, NoMemory, ThemeChoice};
pub use note::Exporter;
pub use view::View;
