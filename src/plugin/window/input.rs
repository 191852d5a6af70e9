//! What happens to the window, gathered as egui takes it for the next frame.

use super::keys::{self, Focus, Taker};
use super::pointer;
use crate::model::Library;
use baseview::dpi::PhysicalPosition;
use baseview::{DropData, DropEffect, Event, EventStatus, MouseEvent, WindowEvent, WindowSize};
use egui::{HoveredFile, Modifiers, Pos2, RawInput, Rect, TouchPhase, Vec2, ViewportId, pos2, vec2};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A file that was dropped.
#[derive(Debug)]
struct File(PathBuf);

impl egui::DroppedFile for File {
    fn path(&self) -> &Path {
        &self.0
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        std::fs::read(&self.0).map_err(|error| format!("{}: {error}", self.0.display()))
    }
}

/// Events since the last frame, and what stays from one to the next.
#[derive(Default)]
pub struct Input {
    raw: RawInput,
    pointer: Pos2,
    modifiers: Modifiers,
    pixels_per_point: f32,
}

impl Input {
    pub fn new(size: WindowSize, max_texture_side: usize) -> Self {
        let raw = RawInput { max_texture_side: Some(max_texture_side), focused: true, ..RawInput::default() };
        let mut input = Self { raw, ..Self::default() };
        input.resize(size);
        input
    }

    /// The window has another size, or scale.
    pub fn resize(&mut self, size: WindowSize) {
        self.pixels_per_point = size.scale_factor as f32;
        let pixels = vec2(size.physical.width as f32, size.physical.height as f32);
        let area = Rect::from_min_size(Pos2::ZERO, pixels / self.pixels_per_point);
        self.raw.screen_rect = Some(area);
        let viewport = self.raw.viewports.entry(ViewportId::ROOT).or_default();
        viewport.native_pixels_per_point = Some(self.pixels_per_point);
        viewport.inner_rect = Some(area);
    }

    /// What a frame at `seconds` is drawn from.
    pub fn take(&mut self, seconds: f64, typed: impl FnOnce(&mut Vec<egui::Event>)) -> RawInput {
        typed(&mut self.raw.events);
        self.raw.time = Some(seconds);
        self.raw.take()
    }

    /// Takes in an event; `paste` gives the clipboard's text. Returns whose the event is, and whether a frame has to be drawn
    /// for it.
    pub fn take_in(
        &mut self,
        event: &Event,
        focus: Focus,
        paste: impl FnOnce() -> Option<String>,
    ) -> (EventStatus, bool) {
        match event {
            Event::Mouse(event) => self.take_in_mouse(event),
            Event::Keyboard(event) => {
                self.hold(event.modifiers);
                let taker = keys::taker(event, focus);
                if taker != Taker::Host {
                    keys::translate(event, &mut self.raw.events, paste);
                }
                (if taker == Taker::Window { EventStatus::Captured } else { EventStatus::Ignored }, true)
            }
            Event::Window(event) => {
                match event {
                    WindowEvent::Focused => self.focus(true),
                    WindowEvent::Unfocused => self.focus(false),
                    _ => {}
                }
                (EventStatus::Captured, true)
            }
            _ => (EventStatus::Ignored, false),
        }
    }

    fn focus(&mut self, focused: bool) {
        self.raw.focused = focused;
        self.raw.events.push(egui::Event::WindowFocused(focused));
        self.raw.viewports.entry(ViewportId::ROOT).or_default().focused = Some(focused);
    }

    fn hold(&mut self, held: keyboard_types::Modifiers) {
        let held = keys::modifiers(held);
        if held != self.modifiers {
            self.modifiers = held;
            self.raw.events.push(egui::Event::ModifiersChanged(held));
        }
    }

    fn point(&mut self, position: &PhysicalPosition<f64>) {
        self.pointer = pos2(position.x as f32, position.y as f32) / self.pixels_per_point;
        self.raw.events.push(egui::Event::PointerMoved(self.pointer));
    }

    fn take_in_mouse(&mut self, event: &MouseEvent) -> (EventStatus, bool) {
        let drop = match event {
            MouseEvent::CursorMoved { position, modifiers } => {
                self.hold(*modifiers);
                self.point(position);
                None
            }
            MouseEvent::ButtonPressed { button, modifiers } | MouseEvent::ButtonReleased { button, modifiers } => {
                self.hold(*modifiers);
                let pressed = matches!(event, MouseEvent::ButtonPressed { .. });
                self.raw.events.extend(pointer::button(*button).map(|button| egui::Event::PointerButton {
                    pos: self.pointer,
                    button,
                    pressed,
                    modifiers: self.modifiers,
                }));
                None
            }
            MouseEvent::WheelScrolled { delta, modifiers } => {
                self.hold(*modifiers);
                let (unit, delta) = pointer::wheel(*delta);
                self.turn_wheel(unit, delta);
                None
            }
            MouseEvent::CursorLeft => {
                self.raw.events.push(egui::Event::PointerGone);
                None
            }
            MouseEvent::DragEntered { position, data, .. } | MouseEvent::DragMoved { position, data, .. } => {
                self.point(position);
                self.raw.hovered_files = files(data)
                    .iter()
                    .map(|path| HoveredFile { path: Some(path.clone()), ..Default::default() })
                    .collect();
                Some(data)
            }
            MouseEvent::DragLeft => {
                self.raw.hovered_files.clear();
                self.raw.events.push(egui::Event::PointerGone);
                None
            }
            MouseEvent::DragDropped { position, data, .. } => {
                self.point(position);
                self.raw.hovered_files.clear();
                self.raw.dropped_files.extend(files(data).iter().map(|path| Arc::new(File(path.clone())) as _));
                Some(data)
            }
            _ => return (EventStatus::Ignored, false),
        };
        let status = match drop {
            None => EventStatus::Captured,
            Some(data) if files(data).iter().any(|path| Library::takes(path)) => {
                EventStatus::AcceptDrop(DropEffect::Copy)
            }
            Some(_) => EventStatus::Ignored,
        };
        (status, true)
    }

    fn turn_wheel(&mut self, unit: egui::MouseWheelUnit, delta: Vec2) {
        self.raw.events.push(egui::Event::MouseWheel {
            unit,
            delta,
            phase: TouchPhase::Move,
            source: egui::MouseWheelSource::Unknown,
            modifiers: self.modifiers,
        });
    }
}

fn files(data: &DropData) -> &[PathBuf] {
    match data {
        DropData::Files(paths) => paths,
        _ => &[],
    }
}
