//! The keys that the view acts on without a control having the keyboard.

use egui::Key;

/// Of the monitor, the settings, the panels, the axes, the theme, freezing and zooming, and of the blind test. Without Escape,
/// which means something only in a blind test, and closes windows in hosts.
const SHORTCUTS: [Key; 19] = [
    Key::A,
    Key::B,
    Key::C,
    Key::D,
    Key::F,
    Key::H,
    Key::K,
    Key::L,
    Key::R,
    Key::S,
    Key::T,
    Key::V,
    Key::X,
    Key::Num1,
    Key::Num2,
    Key::Space,
    Key::Plus,
    Key::Equals,
    Key::Minus,
];

/// Whether the view acts on a key by itself, so that a host shouldn't as well.
pub fn is_shortcut(key: Key) -> bool {
    SHORTCUTS.contains(&key)
}
