//! Keys: as egui names them, and whose they are. A host has shortcuts of its own, above all Space for its transport.

use crate::editor::is_shortcut;
use egui::{Event, Key, Modifiers};
use keyboard_types::KeyboardEvent;
use nice_plug::editor::{Modifiers as HostModifiers, VirtualKeyCode};

/// The modifiers that are held.
pub fn modifiers(held: keyboard_types::Modifiers) -> Modifiers {
    let mac = cfg!(target_os = "macos");
    Modifiers {
        alt: held.alt(),
        ctrl: held.ctrl(),
        shift: held.shift(),
        mac_cmd: mac && held.meta(),
        command: if mac { held.meta() } else { held.ctrl() },
    }
}

/// The key by what it types, or where that is no key's name, as on a Cyrillic layout, by its place.
fn named(event: &KeyboardEvent) -> Option<Key> {
    Key::from_name(&event.key.to_string()).or_else(|| Key::from_name(&event.code.to_string()))
}

/// What a key does to a clipboard.
enum Clip {
    Cut,
    Copy,
    Paste,
}

fn clip(key: Option<Key>, held: Modifiers) -> Option<Clip> {
    let (ctrl_only, shift_only) = (held.command && !held.shift, held.shift && !held.command);
    match key? {
        Key::X if ctrl_only => Some(Clip::Cut),
        Key::Delete if shift_only => Some(Clip::Cut),
        Key::C | Key::Insert if ctrl_only => Some(Clip::Copy),
        Key::V if ctrl_only => Some(Clip::Paste),
        Key::Insert if shift_only => Some(Clip::Paste),
        _ => None,
    }
}

/// Adds what a key of the window means to `events`; `paste` gives the clipboard's text.
pub fn translate(event: &KeyboardEvent, events: &mut Vec<Event>, paste: impl FnOnce() -> Option<String>) {
    let (held, pressed, key) = (modifiers(event.modifiers), event.state.is_down(), named(event));
    let clip = if pressed { clip(key, held) } else { None };
    match clip {
        Some(Clip::Cut) => events.push(Event::Cut),
        Some(Clip::Copy) => events.push(Event::Copy),
        Some(Clip::Paste) => events.extend(paste().map(Event::Paste)),
        None => {}
    }
    if let Some(key) = key {
        let physical_key = Key::from_name(&event.code.to_string());
        events.push(Event::Key { key, physical_key, pressed, repeat: event.repeat, modifiers: held });
    }
    if let keyboard_types::Key::Character(text) = &event.key
        && pressed
        && clip.is_none()
        && !held.command
        && !held.mac_cmd
        // Ctrl with Alt is AltGr on some layouts, which types.
        && (!held.ctrl || held.alt)
        && !text.is_empty()
        && !text.chars().any(char::is_control)
    {
        events.push(Event::Text(text.clone()));
    }
}

/// What in the window has the keyboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Focus {
    #[default]
    Nothing,
    Control,
    Text,
}

/// Who gets a key of the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taker {
    Window,
    Host,
    /// Keys that mean nothing here by themselves, but may with the pointer.
    Both,
}

/// Keys that turn and press a control.
const STEERING: [Key; 11] = [
    Key::ArrowDown,
    Key::ArrowLeft,
    Key::ArrowRight,
    Key::ArrowUp,
    Key::PageUp,
    Key::PageDown,
    Key::Home,
    Key::End,
    Key::Enter,
    Key::Space,
    Key::Escape,
];

/// Text gets every key. Else Space is the host's transport, except on Linux, where hosts get no key of a plug-in's window, so
/// that it freezes the map as in the app. A control gets what steers it; the window its shortcuts, and Tab, which gives a
/// control the keyboard.
pub fn taker(event: &KeyboardEvent, focus: Focus) -> Taker {
    if focus == Focus::Text {
        return Taker::Window;
    }
    let (held, Some(key)) = (modifiers(event.modifiers), named(event)) else { return Taker::Both };
    if key == Key::Space && cfg!(not(target_os = "linux")) {
        return Taker::Host;
    }
    let steers = focus == Focus::Control && STEERING.contains(&key);
    let ours = steers || key == Key::Tab || is_shortcut(key);
    if ours && !held.command && !held.alt { Taker::Window } else { Taker::Both }
}

/// A key that a VST3 host hands over instead of sending it to the window: nothing where no field of text has use for it.
pub fn from_host(key: VirtualKeyCode, pressed: bool, held: HostModifiers) -> Vec<Event> {
    let key = match key {
        VirtualKeyCode::Backspace => Key::Backspace,
        VirtualKeyCode::Delete => Key::Delete,
        VirtualKeyCode::Return | VirtualKeyCode::NumpadEnter => Key::Enter,
        VirtualKeyCode::Escape => Key::Escape,
        VirtualKeyCode::Tab => Key::Tab,
        VirtualKeyCode::Space => Key::Space,
        VirtualKeyCode::Home => Key::Home,
        VirtualKeyCode::End => Key::End,
        VirtualKeyCode::ArrowLeft => Key::ArrowLeft,
        VirtualKeyCode::ArrowRight => Key::ArrowRight,
        VirtualKeyCode::ArrowUp => Key::ArrowUp,
        VirtualKeyCode::ArrowDown => Key::ArrowDown,
        _ => return Vec::new(),
    };
    let mac = cfg!(target_os = "macos");
    let command = held.contains(HostModifiers::COMMAND);
    let modifiers = Modifiers {
        alt: held.contains(HostModifiers::ALT),
        ctrl: held.contains(HostModifiers::CONTROL) || (command && !mac),
        shift: held.contains(HostModifiers::SHIFT),
        mac_cmd: command && mac,
        command,
    };
    let mut events = vec![Event::Key { key, physical_key: None, pressed, repeat: false, modifiers }];
    if key == Key::Space && pressed {
        events.push(Event::Text(" ".into()));
    }
    events
}

#[cfg(test)]
mod tests {
    use super::*;
    use keyboard_types::{Code, KeyState, NamedKey};

    fn typed(text: &str, code: Code) -> KeyboardEvent {
        let key = keyboard_types::Key::Character(text.into());
        KeyboardEvent { state: KeyState::Down, key, code, ..KeyboardEvent::default() }
    }

    fn events(event: &KeyboardEvent) -> Vec<Event> {
        let mut events = Vec::new();
        translate(event, &mut events, || Some("pasted".into()));
        events
    }

    #[test]
    fn keys_go_to_whom_they_mean_something() {
        let (freeze, other) = (typed("f", Code::KeyF), typed("m", Code::KeyM));
        let mut with_ctrl = freeze.clone();
        with_ctrl.modifiers = if cfg!(target_os = "macos") {
            keyboard_types::Modifiers::META
        } else {
            keyboard_types::Modifiers::CONTROL
        };
        let mut arrow = other.clone();
        arrow.key = keyboard_types::Key::Named(NamedKey::ArrowUp);
        for (event, nothing, control) in [
            (&freeze, Taker::Window, Taker::Window),
            (&other, Taker::Both, Taker::Both),
            (&with_ctrl, Taker::Both, Taker::Both),
            (&arrow, Taker::Both, Taker::Window),
        ] {
            assert_eq!(taker(event, Focus::Nothing), nothing, "{event:?}");
            assert_eq!(taker(event, Focus::Control), control, "{event:?}");
            assert_eq!(taker(event, Focus::Text), Taker::Window, "{event:?}");
        }
        let transport = if cfg!(target_os = "linux") { Taker::Window } else { Taker::Host };
        let space = typed(" ", Code::Space);
        assert_eq!([Focus::Nothing, Focus::Control].map(|focus| taker(&space, focus)), [transport; 2]);
    }

    #[test]
    fn keys_type_act_and_paste() {
        let key_of = |event: &KeyboardEvent| {
            events(event).iter().find_map(|event| match event {
                Event::Key { key, .. } => Some(*key),
                _ => None,
            })
        };
        assert_eq!(key_of(&typed("+", Code::Equal)), Some(Key::Plus));
        assert_eq!(key_of(&typed("A", Code::KeyA)), Some(Key::A));
        let cyrillic = typed("ф", Code::KeyA);
        assert_eq!(key_of(&cyrillic), Some(Key::A), "by its place");
        assert!(events(&cyrillic).contains(&Event::Text("ф".into())));
        let mut paste = typed("v", Code::KeyV);
        paste.modifiers = keyboard_types::Modifiers::CONTROL | keyboard_types::Modifiers::META;
        assert!(events(&paste).contains(&Event::Paste("pasted".into())));
        assert!(!events(&paste).iter().any(|event| matches!(event, Event::Text(_))));
    }

    #[test]
    fn a_host_hands_over_what_edits_text() {
        assert_eq!(from_host(VirtualKeyCode::Backspace, true, HostModifiers::empty()).len(), 1);
        assert!(from_host(VirtualKeyCode::Space, true, HostModifiers::empty()).contains(&Event::Text(" ".into())));
        assert!(from_host(VirtualKeyCode::F5, true, HostModifiers::empty()).is_empty());
    }
}
