//! A view in a window of its own, with a ring of reports and settings that a test can look into.
#![allow(dead_code, reason = "each test binary uses a part of it")]

#[path = "raster.rs"]
pub mod raster;
#[path = "synthetic.rs"]
pub mod synthetic;

use egui::{Event, Key, Modifiers, Pos2, Rect, accesskit::Role, vec2};
use egui_kittest::{Harness, kittest::Queryable};
use raster::{Painted, Textures};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use vrvq::editor::{Controls, LookMemory, NoMemory, Value, View};
use vrvq::engine::{FrameReport, LoopState, Monitor, ReportSender, Setting, Slot, Telemetry, report_ring};
use vrvq::preset::Folder;

/// Benches made by this process.
static MADE: AtomicU32 = AtomicU32::new(0);

/// Room that the harness leaves around what it shows.
pub const HARNESS_MARGIN: egui::Vec2 = vec2(8.0, 8.0);
pub const FRAME_RATE: f64 = 44_100.0 / 512.0;

/// Settings, and the gestures made on them.
#[derive(Default)]
pub struct Settings {
    pub settings: [Setting; 2],
    pub slot: Slot,
    pub monitor: Monitor,
    pub difference_gain: f32,
    pub level_match: bool,
    pub bypass: bool,
    pub safety: u32,
    pub open: Option<Value>,
    /// Whole gestures; a setting replaced as a whole is one.
    pub gestures: u32,
}

impl Controls for Settings {
    fn setting(&self, slot: Slot) -> Setting {
        self.settings[slot.index()]
    }

    fn replace(&mut self, slot: Slot, setting: &Setting) {
        assert_eq!(*setting, setting.clamped());
        assert!(setting.codebooks <= 8, "{}", setting.codebooks);
        self.settings[slot.index()] = *setting;
        self.gestures += 1;
    }

    fn slot(&self) -> Slot {
        self.slot
    }

    fn select(&mut self, slot: Slot) {
        self.slot = slot;
    }

    fn begin(&mut self, value: Value) {
        assert_eq!(self.open, None, "a gesture begins inside another");
        self.open = Some(value);
    }

    fn set(&mut self, value: Value, to: f32) {
        assert_eq!(self.open, Some(value), "a value is set outside a gesture");
        let (low, high) = value.range();
        assert!((low..=high).contains(&to), "{value:?} {to}");
        match value {
            Value::DifferenceGain => self.difference_gain = to,
            Value::Safety => self.safety = to.round() as u32,
            _ => self.settings[self.slot.index()] = value.set_in(self.chosen(), to),
        }
    }

    fn end(&mut self, value: Value) {
        assert_eq!(self.open, Some(value));
        self.open = None;
        self.gestures += 1;
    }

    fn monitor(&self) -> Monitor {
        self.monitor
    }

    fn set_monitor(&mut self, monitor: Monitor) {
        self.monitor = monitor;
    }

    fn difference_gain(&self) -> f32 {
        self.difference_gain
    }

    fn level_match(&self) -> bool {
        self.level_match
    }

    fn set_level_match(&mut self, on: bool) {
        self.level_match = on;
    }

    fn bypass(&self) -> bool {
        self.bypass
    }

    fn set_bypass(&mut self, bypass: bool) {
        self.bypass = bypass;
    }

    fn safety(&self) -> u32 {
        self.safety
    }
}

pub struct Bench {
    pub harness: Harness<'static, (View, Settings)>,
    pub sender: ReportSender,
    pub telemetry: Arc<Telemetry>,
    /// Folder of the user's presets; not made yet.
    pub presets: PathBuf,
    textures: Textures,
}

impl Bench {
    /// A view in a window of a size in points, with a running loop.
    pub fn new(width: f32, height: f32) -> Self {
        Self::at_scale(width, height, 1.0)
    }

    /// The same with `pixels` to a point.
    pub fn at_scale(width: f32, height: f32, pixels: f32) -> Self {
        Self::build((width, height), pixels, NoMemory)
    }

    /// A view whose look is kept.
    pub fn with_memory(memory: impl LookMemory + 'static) -> Self {
        Self::build((1000.0, 640.0), 1.0, memory)
    }

    fn build((width, height): (f32, f32), pixels: f32, memory: impl LookMemory + 'static) -> Self {
        let (sender, receiver) = report_ring(2048);
        let (telemetry, _) = Telemetry::new();
        telemetry.set_latency(2624, 44_100.0);
        telemetry.update_status(|status| {
            status.state = LoopState::Running;
            status.model = "Test model".into();
            status.frame_rate = FRAME_RATE;
            status.channels = 2;
        });
        let exporter = Arc::new(|reports: &[FrameReport], frame_rate: f64, title: &str| {
            format!("kept {} frames of {title} at {frame_rate:.2}", reports.len())
        });
        let number = MADE.fetch_add(1, Relaxed);
        let presets = std::env::temp_dir().join(format!("vrvq-view-{}-{number}", std::process::id()));
        let settings = Settings { safety: 1, ..Settings::default() };
        let textures = Textures::default();
        let harness = Harness::builder()
            .renderer(textures.clone())
            .with_pixels_per_point(pixels)
            .with_size(vec2(width, height) + 2.0 * HARNESS_MARGIN)
            .with_step_dt(1.0 / 60.0)
            .build_ui_state(
                |ui, (view, settings): &mut (View, Settings)| view.ui(ui, settings),
                (
                    View::new(receiver, telemetry.clone(), exporter)
                        .with_presets(Folder::new(&presets))
                        .with_recordings(presets.join("recordings"))
                        .with_memory(memory),
                    settings,
                ),
            );
        Self { harness, sender, telemetry, presets, textures }
    }

    /// Sends reports, at most as many as the ring holds, and lets the map glide to the newest.
    pub fn send(&mut self, reports: impl IntoIterator<Item = FrameReport>) {
        self.telemetry.count_block();
        reports.into_iter().for_each(|report| self.sender.send(report));
        self.harness.run_steps(40);
    }

    pub fn settings(&self) -> &Settings {
        &self.harness.state().1
    }

    pub fn knob(&self) -> Pos2 {
        self.harness.get_by_role_and_label(Role::Slider, "Level").rect().center()
    }

    /// Where the window of the view is.
    pub fn window(&self) -> Rect {
        Rect::from_min_size(Pos2::ZERO, self.harness.ctx.content_rect().size()).shrink2(HARNESS_MARGIN)
    }

    /// The window as a user sees it.
    pub fn paint(&mut self) -> Painted {
        let window = self.window();
        self.textures.paint(&self.harness.ctx, self.harness.output(), window)
    }

    pub fn press(&mut self, keys: &[Key]) {
        keys.iter().for_each(|&key| self.harness.key_press(key));
        self.harness.run_steps(3);
    }

    pub fn click(&mut self, label: &str) {
        self.harness.get_by_label(label).click();
        self.harness.run_steps(3);
    }

    /// Whether a text that contains `part` is on screen.
    pub fn shows(&self, part: &str) -> bool {
        self.harness.query_all_by_label_contains(part).next().is_some()
    }
}

impl Bench {
    /// Types `text` into the number called `name`.
    pub fn enter(&mut self, name: &str, text: &str) {
        self.click(name);
        self.harness.event(Event::Text(text.into()));
        self.press(&[Key::Enter]);
    }

    /// Clicks twice on what is called `name`.
    pub fn double_click(&mut self, name: &str) {
        let pos = self.harness.get_by_label(name).rect().center();
        self.double_click_at(pos);
    }

    /// Clicks twice at `pos`.
    pub fn double_click_at(&mut self, pos: Pos2) {
        self.harness.event(Event::PointerMoved(pos));
        for pressed in [true, false, true, false] {
            let button = egui::PointerButton::Primary;
            self.harness.event(Event::PointerButton { pos, button, pressed, modifiers: Modifiers::NONE });
        }
        self.harness.run_steps(3);
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        // Most never make it.
        let _ = std::fs::remove_dir_all(&self.presets);
    }
}

/// `frames` of the talker of [`synthetic`].
pub fn talk(frames: u64, level: f32, channels: usize) -> Vec<FrameReport> {
    (0..frames).map(|index| synthetic::report(index, level, channels)).collect()
}
