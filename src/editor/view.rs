//! The whole view, laid out for windows from 700 x 450 on: what runs at the top, the map in the middle, what is heard
//! and what it costs at the bottom.

use super::history::History;
use super::meters::Meters;
use super::{Controls, knob, map, theme};
use crate::codec::BitrateMeter;
use crate::engine::{LoopState, MAX_SAFETY_HOPS, Monitor, ReportReceiver, Status, Telemetry};
use egui::{Align, Button, Color32, Key, Layout, Rect, RichText, Sense, Ui, UiBuilder, pos2, vec2};
use std::sync::Arc;
use std::time::Duration;

/// Window of the current bitrate.
const CURRENT_SECONDS: f64 = 0.5;
const HEADER: f32 = 30.0;
const FOOTER: f32 = 142.0;
const MARGIN: f32 = 10.0;
/// Frame rate assumed before a loop has told its own.
const FRAME_RATE: f64 = 44_100.0 / 512.0;

/// The view of one live loop. It reads reports and figures and turns settings; it doesn't know what makes the sound.
pub struct View {
    reports: ReportReceiver,
    telemetry: Arc<Telemetry>,
    history: History,
    bitrate: BitrateMeter,
    frame_rate: f64,
    meters: Meters,
    themed: bool,
}

impl View {
    /// A view of the loop behind `reports` and `telemetry`.
    pub fn new(reports: ReportReceiver, telemetry: Arc<Telemetry>) -> Self {
        Self {
            reports,
            telemetry,
            history: History::default(),
            bitrate: BitrateMeter::new(FRAME_RATE, CURRENT_SECONDS),
            frame_rate: FRAME_RATE,
            meters: Meters::default(),
            themed: false,
        }
    }

    /// The window was closed: reports cost nothing until it is shown again, when textures are made anew.
    pub fn closed(&mut self) {
        self.telemetry.set_view_open(false);
        self.history = History::default();
        self.themed = false;
    }

    /// Draws the view over all of `ui` and turns `controls`.
    pub fn ui(&mut self, ui: &mut Ui, controls: &mut dyn Controls) {
        if !self.themed {
            theme::apply(ui.ctx());
            self.themed = true;
        }
        self.telemetry.set_view_open(true);
        let status = self.telemetry.status();
        let moved = self.receive(ui.ctx(), &status);
        let whole = ui.max_rect();
        ui.painter().rect_filled(whole, 0.0, theme::BACKGROUND);
        let inner = whole.shrink(MARGIN);
        let header = Rect::from_min_size(inner.min, vec2(inner.width(), HEADER));
        let footer = Rect::from_min_max(pos2(inner.left(), inner.bottom() - FOOTER), inner.max);
        let middle =
            Rect::from_min_max(pos2(inner.left(), header.bottom() + 4.0), pos2(inner.right(), footer.top() - MARGIN));
        ui.scope_builder(UiBuilder::new().max_rect(header), |ui| self.header(ui, &status));
        ui.scope_builder(UiBuilder::new().max_rect(middle), |ui| map::show(ui, middle, &self.history, self.frame_rate));
        ui.scope_builder(UiBuilder::new().max_rect(footer), |ui| self.footer(ui, footer, controls));
        self.message(ui, middle, &status);
        self.keys(ui, controls);
        let pause = if moved { 16 } else { 60 };
        ui.ctx().request_repaint_after(Duration::from_millis(pause));
    }

    /// Takes in new reports; true where there were any.
    fn receive(&mut self, context: &egui::Context, status: &Status) -> bool {
        if status.frame_rate > 0.0 && status.frame_rate != self.frame_rate {
            self.frame_rate = status.frame_rate;
            self.bitrate = BitrateMeter::new(status.frame_rate, CURRENT_SECONDS);
        }
        let mut moved = false;
        while let Some(report) = self.reports.receive() {
            self.bitrate.push(report.bits());
            self.history.push(context, report);
            moved = true;
        }
        moved
    }

    fn header(&self, ui: &mut Ui, status: &Status) {
        ui.horizontal_centered(|ui| {
            ui.label(RichText::new("VRVQ live").size(19.0).strong());
            ui.add_space(10.0);
            let model = if status.model.is_empty() { "no model" } else { &status.model };
            ui.label(RichText::new(model).size(13.0)).on_hover_text("The model that encodes and decodes.");
            ui.label(RichText::new(&status.runtime).color(theme::FAINT).size(12.0))
                .on_hover_text("What runs the model: the inference runtime and the device.");
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let (text, colour) = match &status.state {
                    LoopState::Running => ("● live", theme::ACCENT),
                    LoopState::Loading => ("● loading", theme::SECOND),
                    LoopState::Stopped => ("● stopped", theme::FAINT),
                    LoopState::Failed(_) => ("● failed", theme::WARNING),
                };
                ui.label(RichText::new(text).color(colour).size(13.0));
            });
        });
    }

    /// What keeps the map empty, over the map.
    fn message(&self, ui: &mut Ui, rect: Rect, status: &Status) {
        let (text, colour) = match &status.state {
            LoopState::Failed(reason) => (format!("The codec can't run: {reason}"), theme::WARNING),
            LoopState::Loading if self.history.newest().is_none() => ("Loading the model…".into(), theme::TEXT),
            LoopState::Stopped => ("No audio is being processed.".into(), theme::TEXT),
            _ => return,
        };
        let panel = Rect::from_center_size(rect.center(), vec2(rect.width().min(560.0) * 0.9, 70.0));
        ui.painter().rect_filled(panel, 6.0, Color32::from_black_alpha(210));
        ui.scope_builder(UiBuilder::new().max_rect(panel.shrink(10.0)), |ui| {
            ui.centered_and_justified(|ui| ui.label(RichText::new(text).size(15.0).color(colour)));
        });
    }

    fn footer(&mut self, ui: &mut Ui, rect: Rect, controls: &mut dyn Controls) {
        let meters = Rect::from_min_max(pos2(rect.right() - 64.0, rect.top()), rect.max);
        let columns = [(0.0, 104.0), (112.0, 124.0), (250.0, 190.0), (452.0, 148.0)];
        let spread = ((rect.width() - 680.0) / 4.0).clamp(0.0, 60.0);
        let area = |index: usize| {
            let (left, width) = columns[index];
            Rect::from_min_size(
                pos2(rect.left() + left + spread * index as f32, rect.top()),
                vec2(width, rect.height()),
            )
        };
        ui.scope_builder(UiBuilder::new().max_rect(area(0)), |ui| knob::show(ui, 84.0, controls));
        ui.scope_builder(UiBuilder::new().max_rect(area(1)), |ui| listen(ui, controls));
        ui.scope_builder(UiBuilder::new().max_rect(area(2)), |ui| self.bitrates(ui));
        ui.scope_builder(UiBuilder::new().max_rect(area(3)), |ui| self.costs(ui, controls));
        self.meters.show(ui, meters, &self.telemetry, self.history.channels());
    }

    fn bitrates(&mut self, ui: &mut Ui) {
        let figure = |ui: &mut Ui, value: f64, size: f32, name: &str, hint: &str| {
            let text = format!("{value:.2}");
            ui.label(RichText::new(text).size(size).strong().monospace()).on_hover_text(hint);
            ui.label(RichText::new(name).size(12.0).color(theme::FAINT));
        };
        ui.vertical(|ui| {
            ui.horizontal(|ui| {
                let hint = "Bits packed over the last half second, all channels: count and codes of each frame.";
                figure(ui, self.bitrate.current(), 40.0, "kb/s", hint);
            });
            ui.horizontal(|ui| {
                figure(ui, self.bitrate.mean(), 18.0, "mean", "Bits packed since the last reset, over its time.");
                figure(ui, self.bitrate.peak(), 18.0, "peak", "Highest half second since the last reset.");
            });
            let reset = ui.add(Button::new(RichText::new("Reset mean and peak").size(12.0)));
            if reset.clicked() {
                self.bitrate.reset();
            }
        });
    }

    fn costs(&self, ui: &mut Ui, controls: &mut dyn Controls) {
        let line = |ui: &mut Ui, name: &str, value: String, colour: Color32, hint: &str| {
            ui.horizontal(|ui| {
                ui.label(RichText::new(name).size(12.5).color(theme::FAINT));
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    ui.label(RichText::new(value).size(13.0).color(colour));
                });
            })
            .response
            .on_hover_text(hint);
        };
        let telemetry = &self.telemetry;
        let latency = format!("{} · {:.1} ms", telemetry.latency_samples(), telemetry.latency_ms());
        let hint = "Samples and time from input to output, the same for dry and decoded; reported to the host.";
        line(ui, "Latency", latency, theme::TEXT, hint);
        let load = telemetry.load();
        let colour = if load > 0.8 { theme::WARNING } else { theme::TEXT };
        let hint = "Time the codec thread works, as a share of real time. At 100 % frames come too late.";
        line(ui, "Codec load", format!("{:.0} %", 100.0 * load), colour, hint);
        let late = telemetry.late_frames();
        let colour = if late > 0 { theme::WARNING } else { theme::TEXT };
        let hint = "Frames that weren't ready in time and were faded out. More safety hops or a larger buffer help.";
        line(ui, "Late frames", late.to_string(), colour, hint);
        ui.horizontal(|ui| {
            ui.label(RichText::new("Safety").size(12.5).color(theme::FAINT))
                .on_hover_text("Whole hops of extra latency (11.6 ms each) that give the codec thread more time.");
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let hops = controls.safety();
                if ui.add_enabled(hops < MAX_SAFETY_HOPS, Button::new("+").min_size(vec2(22.0, 20.0))).clicked() {
                    controls.set_safety(hops + 1);
                }
                ui.label(RichText::new(hops.to_string()).size(13.0));
                if ui.add_enabled(hops > 0, Button::new("−").min_size(vec2(22.0, 20.0))).clicked() {
                    controls.set_safety(hops - 1);
                }
            });
        });
        if late > 0 && ui.add(Button::new(RichText::new("Clear late frames").size(12.0))).clicked() {
            telemetry.clear_late_frames();
        }
    }

    /// A and B switch what is heard, unless something is being typed.
    fn keys(&self, ui: &Ui, controls: &mut dyn Controls) {
        if ui.ctx().egui_wants_keyboard_input() {
            return;
        }
        if ui.input(|i| i.key_pressed(Key::A)) {
            controls.set_monitor(Monitor::Dry);
        }
        if ui.input(|i| i.key_pressed(Key::B)) {
            controls.set_monitor(Monitor::Decoded);
        }
    }
}

/// The A/B switch and bypass.
fn listen(ui: &mut Ui, controls: &mut dyn Controls) {
    let monitor = controls.monitor();
    let choices = [
        (Monitor::Dry, "A  Dry", "The input, delayed by the latency. Key: A"),
        (Monitor::Decoded, "B  Decoded", "What the codec made of the input. Key: B"),
    ];
    for (choice, text, hint) in choices {
        let chosen = monitor == choice;
        let text = RichText::new(text).size(16.0).strong();
        let (text, fill) = match (chosen, choice) {
            (true, Monitor::Decoded) => (text.color(Color32::BLACK), theme::ACCENT),
            (true, Monitor::Dry) => (text.color(Color32::BLACK), theme::TEXT),
            _ => (text.color(theme::FAINT), theme::PANEL),
        };
        let button = ui.add(Button::new(text).fill(fill).min_size(vec2(120.0, 40.0)).sense(Sense::click()));
        if button.on_hover_text(hint).clicked() {
            controls.set_monitor(choice);
        }
    }
    ui.add_space(4.0);
    let mut bypass = controls.bypass();
    let hint = "The aligned dry signal, whatever A/B says; the host's own bypass switch.";
    if ui.checkbox(&mut bypass, "Bypass").on_hover_text(hint).changed() {
        controls.set_bypass(bypass);
    }
}
