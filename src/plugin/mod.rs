//! The plug-in: parameters, process, state and the window, for CLAP and VST3 by nice-plug.

mod choices;
mod controls;
mod model;
mod params;
mod setting;
mod vst3;
mod window;

pub use choices::{ModeChoice, MonitorChoice, SlotChoice, StereoChoice};
pub use params::VrvqParams;
pub use setting::SettingParams;

use crate::engine::{LiveLoop, LoopConfig, MAX_CHANNELS, ModelChoice, ReportReceiver, Slot, Telemetry};
use crate::model::Library;
use nice_plug::prelude::*;
use std::num::NonZeroU32;
use std::sync::Arc;
use window::SessionEditor;

/// One instance in a host.
pub struct VrvqPlugin {
    params: Arc<VrvqParams>,
    telemetry: Arc<Telemetry>,
    /// Moves into the window when the host asks for it.
    reports: Option<ReportReceiver>,
    live: Option<LiveLoop>,
    latency: u32,
    /// Whether a VST3 host renders offline.
    mode: Option<Arc<vst3::Mode>>,
}

impl Default for VrvqPlugin {
    fn default() -> Self {
        let (telemetry, reports) = Telemetry::new();
        let model = ModelChoice::new(Library::user(), telemetry.clone());
        let (params, mode) = (Arc::new(VrvqParams::new(model)), vst3::Mode::of_host());
        Self { params, telemetry, reports: Some(reports), live: None, latency: 0, mode }
    }
}

impl VrvqPlugin {
    /// Brings the loop's settings to the parameters'.
    fn follow_parameters(&mut self) {
        if let Some(live) = &mut self.live {
            for slot in Slot::ALL {
                live.set_setting(slot, &self.params.of(slot).setting());
            }
            live.select(self.params.slot.value().into());
            live.set_monitor(self.params.monitor.value().into());
            live.set_difference_gain(self.params.difference_gain.value());
            live.set_level_match(self.params.level_match.value());
            live.set_bypass(self.params.bypass.value());
            live.set_safety(self.params.safety.value() as u32);
        }
    }
}

/// Main input and output of `channels` each.
const fn layout(channels: u32) -> AudioIOLayout {
    AudioIOLayout {
        main_input_channels: NonZeroU32::new(channels),
        main_output_channels: NonZeroU32::new(channels),
        ..AudioIOLayout::const_default()
    }
}

impl Plugin for VrvqPlugin {
    const NAME: &'static str = "VRVQ live";
    const VENDOR: &'static str = "VRVQ";
    const URL: &'static str = "";
    const EMAIL: &'static str = "";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const AUDIO_IO_LAYOUTS: &'static [AudioIOLayout] = &[layout(2), layout(1)];
    // A level change inside a block reaches the frame it belongs to.
    const SAMPLE_ACCURATE_AUTOMATION: bool = true;

    type Editor = SessionEditor;
    type SysExMessage = ();
    type BackgroundTask = ();

    fn params(&self) -> Arc<dyn Params> {
        self.params.clone()
    }

    fn editor(&mut self, _executor: AsyncExecutor<Self>) -> Option<Self::Editor> {
        let reports = self.reports.take()?;
        Some(SessionEditor::new(self.params.clone(), self.telemetry.clone(), reports))
    }

    fn activate(
        &mut self,
        layout: &AudioIOLayout,
        buffer: &BufferConfig,
        context: &mut impl ActivateContext<Self>,
    ) -> bool {
        let channels = layout.main_input_channels.map_or(2, NonZeroU32::get) as usize;
        let config = LoopConfig {
            sample_rate: f64::from(buffer.sample_rate),
            channels,
            max_block: buffer.max_buffer_size.max(1) as usize,
            safety_hops: self.params.safety.value() as u32,
            offline: self.mode.as_ref().map_or(buffer.process_mode == ProcessMode::Offline, |mode| mode.offline()),
        };
        // The old loop's thread ends before the new one starts, so that its sessions are free to be used again.
        self.live = None;
        let choice = self.params.model.0.clone();
        self.telemetry.set_slot(self.params.slot.value().into());
        let started =
            choice.model().map_err(Into::into).and_then(|model| LiveLoop::start(config, model, self.telemetry.clone()));
        match started {
            Ok(live) => {
                self.latency = live.latency();
                choice.attach(live.switch());
                self.live = Some(live);
                self.follow_parameters();
                context.set_latency_samples(self.latency);
                true
            }
            Err(error) => {
                nice_error!("VRVQ live can't run: {error}");
                false
            }
        }
    }

    fn deactivate(&mut self) {
        self.live = None;
    }

    fn reset(&mut self) {
        self.follow_parameters();
        if let Some(live) = &mut self.live {
            live.reset();
        }
    }

    fn process(
        &mut self,
        buffer: &mut Buffer,
        _aux: &mut AuxiliaryBuffers,
        context: &mut impl ProcessContext<Self>,
    ) -> ProcessStatus {
        self.follow_parameters();
        let Some(live) = &mut self.live else {
            return ProcessStatus::Error("not activated");
        };
        if let Some(mode) = &self.mode {
            live.set_offline(mode.offline());
        }
        let mut channels: [&mut [f32]; MAX_CHANNELS] = [&mut [], &mut []];
        let count = buffer.channels().min(MAX_CHANNELS);
        for (slice, channel) in channels.iter_mut().zip(buffer.as_slice()) {
            *slice = channel;
        }
        live.process(&mut channels[..count]);
        let latency = live.latency();
        if latency != self.latency {
            self.latency = latency;
            match context.plugin_api() {
                // Its latency changes while it is activated and at no other time (clap/ext/latency.h), which
                // `activate` does. Told from here, a host that stops it first hears of it in between.
                PluginApi::Clap => context.request_restart(),
                _ => context.set_latency_samples(latency),
            }
        }
        ProcessStatus::Tail(latency)
    }
}

impl ClapPlugin for VrvqPlugin {
    const CLAP_ID: &'static str = "org.vrvq.live";
    const CLAP_DESCRIPTION: Option<&'static str> = Some("Hear and see a variable-bitrate neural audio codec");
    const CLAP_MANUAL_URL: Option<&'static str> = None;
    const CLAP_SUPPORT_URL: Option<&'static str> = None;
    const CLAP_FEATURES: &'static [ClapFeature] = &[
        ClapFeature::AudioEffect,
        ClapFeature::Analyzer,
        ClapFeature::Utility,
        ClapFeature::Stereo,
        ClapFeature::Mono,
    ];
}

impl Vst3Plugin for VrvqPlugin {
    const VST3_CLASS_ID: [u8; 16] = *b"VRVQ.live.codec.";
    const VST3_SUBCATEGORIES: &'static [Vst3SubCategory] =
        &[Vst3SubCategory::Fx, Vst3SubCategory::Analyzer, Vst3SubCategory::Tools];
}
