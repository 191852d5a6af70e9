//! The whole view: what runs at the top, the map in the middle, what is heard and what it costs at the bottom.

use super::constant::Constant;
use super::header::Asked;
use super::history::History;
use super::insight::Insight;
use super::layout::Layout;
use super::look::{Look, Memory, NoMemory};
use super::map::Map;
use super::meters::Meters;
use super::models::{self, Models};
use super::note::{Exporter, Notes};
use super::pace::{Driver, Pace};
use super::presets::Presets;
use super::record::Recording;
use super::rest::Rest;
use super::{Controls, blind, header, knob, mode, readout, search, stereo, strip, switches, theme};
use crate::codec::BitrateMeter;
use crate::engine::{FrameReport, LoopState, MAX_CHANNELS, ModelChoice, ReportReceiver, Status, Telemetry};
use crate::preset::{self, Folder};
use crate::recording::RecordError;
use crate::saved;
use egui::{Rect, Ui};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Window of the current bitrate.
const CURRENT_SECONDS: f64 = 0.5;
/// Frame rate assumed before a loop has told its own.
const FRAME_RATE: f64 = 44_100.0 / 512.0;
/// How often a view that doesn't move looks for something new.
const IDLE: Duration = Duration::from_millis(100);
/// And while only meters fall or a report is due.
const CALM: Duration = Duration::from_millis(16);

/// The view of one live loop. It reads reports and figures and turns settings; it doesn't know what makes the sound.
pub struct View {
    reports: ReportReceiver,
    telemetry: Arc<Telemetry>,
    history: History,
    bitrate: BitrateMeter,
    /// The same of each coded channel.
    shares: [BitrateMeter; MAX_CHANNELS],
    frame_rate: f64,
    meters: Meters,
    rest: Rest,
    map: Map,
    blind: Option<blind::Panel>,
    notes: Notes,
    presets: Presets,
    models: Models,
    recording: Recording,
    insight: Insight,
    look: Look,
    memory: Box<dyn Memory>,
    themed: bool,
    pace: Pace,
    /// Where OpenGL paints a window that is cleared with the background before.
    driver: Option<Driver>,
}

fn meter(frame_rate: f64) -> BitrateMeter {
    BitrateMeter::new(frame_rate, CURRENT_SECONDS)
}

impl View {
    /// A view of the loop behind `reports` and `telemetry`, for windows of 700 x 450 points or more; `exporter` saves what
    /// is on screen.
    pub fn new(reports: ReportReceiver, telemetry: Arc<Telemetry>, exporter: Exporter) -> Self {
        Self {
            reports,
            recording: Recording::new(telemetry.clone(), saved::recordings()),
            telemetry,
            history: History::default(),
            bitrate: meter(FRAME_RATE),
            shares: [meter(FRAME_RATE), meter(FRAME_RATE)],
            frame_rate: FRAME_RATE,
            meters: Meters::default(),
            rest: Rest::default(),
            map: Map::default(),
            blind: None,
            notes: Notes::new(exporter),
            presets: Presets::new(preset::user_folder()),
            models: Models::default(),
            insight: Insight::default(),
            look: Look::default(),
            memory: Box::new(NoMemory),
            themed: false,
            pace: Pace::default(),
            driver: None,
        }
    }

    /// The same with a menu of models that turns `choice`.
    pub fn with_models(self, choice: Arc<ModelChoice>) -> Self {
        Self { models: Models::new(choice), ..self }
    }

    /// The same with the user's presets in another folder.
    pub fn with_presets(self, folder: Folder) -> Self {
        Self { presets: Presets::new(folder), ..self }
    }

    /// The same with recordings in another folder.
    pub fn with_recordings(self, folder: PathBuf) -> Self {
        Self { recording: Recording::new(self.telemetry.clone(), folder), ..self }
    }

    /// Starts to record to `path`.
    ///
    /// # Errors
    /// Those of [`Recorder::start_at`](crate::recording::Recorder::start_at).
    pub fn record_to(&mut self, path: &Path) -> Result<(), RecordError> {
        self.recording.start_at(path)
    }

    /// The same, whose look is kept by `memory`.
    pub fn with_memory(mut self, memory: impl Memory + 'static) -> Self {
        self.memory = Box::new(memory);
        self
    }

    /// The view is in a window that egui's OpenGL painter paints, whose driver sets how often that is done, and that is cleared
    /// with [`background`](Self::background) before, so that the view needn't fill it. To be called for each new window.
    pub fn painted_by_opengl(&mut self) {
        (self.driver, self.pace) = (Some(Driver::default()), Pace::default());
    }

    /// Colour to clear the window with, in a context's theme: red, green, blue and opacity from 0 to 1, in sRGB.
    pub fn background(context: &egui::Context) -> [f32; 4] {
        theme::adopt(context);
        theme::ink().background.to_normalized_gamma_f32()
    }

    /// The window was closed: a recording goes on; reports cost nothing until it is shown again, when textures are made anew.
    pub fn closed(&mut self) {
        self.telemetry.set_view_open(false);
        // Nobody could end a test that nobody sees. The level match stays: it is a setting like any other.
        if self.blind.take().is_some() {
            self.telemetry.set_blind(None);
        }
        self.history = History::default();
        self.map.closed();
        self.themed = false;
    }

    /// Draws the view over all of `ui` and turns `controls`; asks for its own repaints. Shown means open: from here on
    /// reports are sent until [`Self::closed`].
    pub fn ui(&mut self, ui: &mut Ui, controls: &mut dyn Controls) {
        if !self.themed {
            theme::apply(ui.ctx());
            self.look = self.memory.recall();
            ui.ctx().set_theme(self.look.theme);
            self.meters.start(&self.telemetry);
            self.rest = Rest::default();
            self.themed = true;
        }
        theme::adopt(ui.ctx());
        ui.ctx().accesskit_node_builder(egui::accesskit_root_id(), |window| window.set_label("VRVQ live"));
        self.pace.start(ui.input(|input| input.time));
        self.telemetry.set_view_open(true);
        self.telemetry.set_slot(controls.slot());
        let status = self.telemetry.status();
        let received = self.receive(&status);
        let time = ui.input(|input| input.time);
        let resting = self.rest.look(&self.telemetry, time) && status.state == LoopState::Running;
        if let Some(text) = self.models.take_files(ui) {
            self.notes.say(text.into());
        }
        if let Some(text) = self.models.news(&status) {
            self.notes.say(text);
        }
        let mut constant;
        let controls: &mut dyn Controls = if status.constant {
            constant = Constant(controls);
            &mut constant
        } else {
            controls
        };

        let layout = Layout::new(ui.max_rect());
        let scale = layout.scale;
        match &self.driver {
            Some(driver) => self.pace.painting = driver.painting(ui).unwrap_or_default(),
            None => {
                ui.painter().rect_filled(ui.max_rect(), 0.0, theme::ink().background);
            }
        }
        let taken = self.recording.show(ui, layout.strip, scale, &status, &mut self.notes);
        match header::show(ui, layout.header, scale, taken, (&status, resting, &mut self.models), self.look.theme) {
            Some(Asked::Save) => {
                let shown = self.map.span().map_or(0..0, |span| span.frames.clone());
                let frames: Vec<FrameReport> = self.history.range(shown).copied().collect();
                self.notes.export(ui.ctx(), frames, self.frame_rate, status.model.clone());
            }
            Some(Asked::Theme) => {
                self.look.theme = self.look.theme.next();
                ui.ctx().set_theme(self.look.theme);
                if let Err(why) = self.memory.keep(self.look) {
                    self.notes.say(why);
                }
            }
            None => {}
        }
        let Self { telemetry, notes, presets, .. } = self;
        let keys = self.blind.is_none();
        if strip::show(ui, layout.strip, scale, keys, telemetry, notes, presets, controls) {
            self.models.copy(controls.slot());
        }
        let mean = self.bitrate.mean();
        let (map, panel) = self.insight.split(layout.map, scale);
        let scrolls = self.map.show(ui, map, scale, &self.history, (self.frame_rate, mean));
        if let Some(rows) = self.map.rows() {
            if status.constant {
                models::no_importance(ui, rows.importance, scale);
            }
            self.insight.switches(ui, map.left(), rows, scale);
        }
        header::message(ui, map, scale, &status, resting, self.history.received() == 0);
        if let (Some(panel), Some(span)) = (panel, self.map.span()) {
            self.insight.show(ui, panel, scale, &self.history, span, status.curves.as_deref());
        }
        self.notes.show(ui, map, scale);
        let codebooks = self.history.codebooks().clamp(1, 255) as u8;
        knob::show(ui, layout.level, scale, codebooks, mode::level_in_use(&self.history), controls);
        let refused = status.constant.then_some(&mut self.notes);
        mode::show(ui, layout.level, scale, (&self.history, self.frame_rate), refused, controls);
        self.listen(ui, layout.listen, scale, &status, controls);
        let names = controls.stereo().channel_names();
        let shares: Vec<readout::Share<'_>> = names.iter().copied().zip(&self.shares).collect();
        let two = status.channels > 1;
        let shown = if two && shares.len() > 1 { &shares[..] } else { &[] };
        readout::bitrate(ui, layout.bitrate, scale, &mut self.bitrate, shown);
        if two {
            stereo::show(ui, layout.bitrate, scale, controls);
        }
        let hop_ms = 1000.0 / self.frame_rate;
        let named = !status.by_sound || search::leaves_room(layout.engine, scale);
        readout::engine(ui, layout.engine, scale, named, &self.telemetry, (hop_ms, resting), controls);
        if status.by_sound {
            search::show(ui, layout.engine, scale, &self.history, controls);
        }
        let blind = self.blind.is_some();
        self.meters.show(ui, layout.meters, scale, &self.telemetry, status.channels, blind);

        match (received || scrolls, self.meters.moving()) {
            (true, _) => ui.ctx().request_repaint_after(self.pace.next()),
            (false, true) => ui.ctx().request_repaint_after(self.pace.interval().max(CALM)),
            (false, false) => ui.ctx().request_repaint_after(IDLE),
        }
    }

    /// The card of what is heard: the switches, or the blind test.
    fn listen(&mut self, ui: &mut Ui, rect: Rect, scale: f32, status: &Status, controls: &mut dyn Controls) {
        if let Some(panel) = &mut self.blind {
            if !panel.show(ui, rect, scale, &status.model, &self.telemetry, controls) {
                self.blind = None;
            }
            return;
        }
        let two = status.channels > 1;
        switches::show(ui, rect, scale, two, self.telemetry.match_gain_db(controls.slot()), controls);
        switches::keys(ui, two, controls);
        self.blind = blind::start(ui, rect, scale, &self.telemetry, controls);
    }

    /// Takes in new reports; true where there were any.
    fn receive(&mut self, status: &Status) -> bool {
        if status.frame_rate > 0.0 && status.frame_rate != self.frame_rate {
            self.frame_rate = status.frame_rate;
            // What another model made was at another pace.
            self.history = History::default();
            self.bitrate = meter(status.frame_rate);
            self.shares = [meter(status.frame_rate), meter(status.frame_rate)];
        }
        let mut received = false;
        while let Some(report) = self.reports.receive() {
            self.bitrate.push(report.bits());
            for (share, frame) in self.shares.iter_mut().zip(report.channel_frames()) {
                share.push(u32::from(frame.bits));
            }
            self.history.push(report, self.map.frozen());
            received = true;
        }
        received
    }
}
