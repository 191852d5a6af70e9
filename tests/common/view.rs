//! A view in a window of its own, with a ring of reports and settings that a test can look into.
#![allow(dead_code, reason = "each test binary uses a part of it")]

#[path = "raster.rs"]
pub mod raster;
#[path = "synthetic.rs"]
pub mod synthetic;

use egui::{Key, Pos2, Rect, accesskit::Role, vec2};
use egui_kittest::{Harness, kittest::Queryable};
use raster::{Painted, Textures};
use std::sync::Arc;
use vrvq::codec::{RateMode, Target};
use vrvq::editor::{Controls, View};
use vrvq::engine::{FrameReport, LoopState, Monitor, ReportSender, StereoMode, Telemetry, report_ring};

/// Room that the harness leaves around what it shows.
pub const HARNESS_MARGIN: egui::Vec2 = vec2(8.0, 8.0);
pub const FRAME_RATE: f64 = 44_100.0 / 512.0;

/// Settings, and the gestures made on the level.
pub struct Settings {
    pub level: f32,
    pub mode: RateMode,
    pub codebooks: u8,
    pub target: Target,
    pub stereo: StereoMode,
    pub monitor: Monitor,
    pub difference_gain: f32,
    pub level_match: bool,
    pub bypass: bool,
    pub safety: u32,
    pub open: bool,
    pub gestures: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            level: 16.0,
            mode: RateMode::Vbr,
            codebooks: 4,
            target: Target::default(),
            stereo: StereoMode::LeftRight,
            monitor: Monitor::Decoded,
            difference_gain: 0.0,
            level_match: false,
            bypass: false,
            safety: 1,
            open: false,
            gestures: 0,
        }
    }
}

impl Controls for Settings {
    fn level(&self) -> f32 {
        self.level
    }
    fn begin_level(&mut self) {
        assert!(!self.open, "a gesture begins inside another");
        self.open = true;
    }
    fn set_level(&mut self, level: f32) {
        assert!(self.open, "a level is set outside a gesture");
        assert!((1.0..=48.0).contains(&level), "{level}");
        self.level = level;
    }
    fn end_level(&mut self) {
        assert!(self.open);
        self.open = false;
        self.gestures += 1;
    }
    fn mode(&self) -> RateMode {
        self.mode
    }
    fn set_mode(&mut self, mode: RateMode) {
        self.mode = mode;
    }
    fn codebooks(&self) -> u8 {
        self.codebooks
    }
    fn set_codebooks(&mut self, codebooks: u8) {
        assert!((1..=8).contains(&codebooks), "{codebooks}");
        self.codebooks = codebooks;
    }
    fn target(&self) -> Target {
        self.target
    }
    fn set_target(&mut self, kilobits: f32) {
        self.target.kilobits = kilobits;
    }
    fn set_window(&mut self, seconds: f32) {
        self.target.window = seconds;
    }
    fn stereo(&self) -> StereoMode {
        self.stereo
    }
    fn set_stereo(&mut self, stereo: StereoMode) {
        self.stereo = stereo;
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
    fn set_difference_gain(&mut self, gain_db: f32) {
        self.difference_gain = gain_db;
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
    fn set_safety(&mut self, hops: u32) {
        self.safety = hops;
    }
}

pub struct Bench {
    pub harness: Harness<'static, (View, Settings)>,
    pub sender: ReportSender,
    pub telemetry: Arc<Telemetry>,
    textures: Textures,
}

impl Bench {
    /// A view in a window of a size in points, with a running loop.
    pub fn new(width: f32, height: f32) -> Self {
        Self::at_scale(width, height, 1.0)
    }

    /// The same with `pixels` to a point.
    pub fn at_scale(width: f32, height: f32, pixels: f32) -> Self {
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
        let textures = Textures::default();
        let harness = Harness::builder()
            .renderer(textures.clone())
            .with_pixels_per_point(pixels)
            .with_size(vec2(width, height) + 2.0 * HARNESS_MARGIN)
            .with_step_dt(1.0 / 60.0)
            .build_ui_state(
                |ui, (view, settings): &mut (View, Settings)| view.ui(ui, settings),
                (View::new(receiver, telemetry.clone(), exporter), Settings::default()),
            );
        Self { harness, sender, telemetry, textures }
    }

    /// Sends reports, at most as many as the ring holds, and lets the map glide to the newest.
    pub fn send(&mut self, reports: impl IntoIterator<Item = FrameReport>) {
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

/// `frames` of the talker of [`synthetic`].
pub fn talk(frames: u64, level: f32, channels: usize) -> Vec<FrameReport> {
    (0..frames).map(|index| synthetic::report(index, level, channels)).collect()
}
