//! A running loop with its two devices.

use super::args::RunArgs;
use super::bridge::{BridgeConfig, BridgeInput, bridge};
use super::clip::{Clip, ClipError};
use super::devices::{Capabilities, DeviceEntry, DeviceError, Devices, Direction};
use super::player::{Player, Transport};
use super::processor::{Processor, Source};
use super::settings::Settings;
use super::stats::Stats;
use super::streams::{self, ErrorReceiver, Render};
use crate::engine::{EngineError, LiveLoop, LoopConfig, LoopState, ModelChoice, Telemetry};
use cpal::traits::StreamTrait;
use cpal::{BufferSize, StreamConfig};
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Weak};
use std::time::Duration;

/// Block size asked for where the user names none.
pub const DEFAULT_BLOCK: u32 = 512;
/// Longest block that a loop is started anew for.
const MAX_BLOCK: u32 = 8192;
/// Blocks longer than the loop takes at once, within seconds, after which it is started anew for them: a system that was late once
/// isn't worth it.
const LONGER_BLOCKS: u32 = 4;
/// Rates tried, in this order, where the devices' defaults differ.
const FALLBACK_RATES: [u32; 3] = [48_000, 44_100, 96_000];

/// How often the state of loading is looked at.
const LOADING_PERIOD: Duration = Duration::from_millis(10);

/// Why the devices don't play.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    #[error(transparent)]
    Device(#[from] DeviceError),
    #[error(transparent)]
    Clip(#[from] ClipError),
    #[error("the loop can't start: {0}")]
    Engine(#[from] EngineError),
    #[error("{direction} device \"{name}\" doesn't have {wanted} Hz; it has {known}")]
    Rate { direction: Direction, name: String, wanted: u32, known: String },
    #[error(
        "input \"{input}\" ({input_rates}) and output \"{output}\" ({output_rates}) have no sample rate in common: \
         choose another device"
    )]
    NoCommonRate { input: String, input_rates: String, output: String, output_rates: String },
    #[error("{direction} device \"{name}\" refuses {rate} Hz with blocks of {block}: {why}")]
    Open { direction: Direction, name: String, rate: u32, block: String, why: String },
}

/// What to play: the input device, or a clip.
#[derive(Clone)]
pub enum Play {
    Input,
    Clip(Arc<Clip>, Arc<Transport>),
}

/// Devices and format asked for; `None` is the default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Wanted {
    pub input: Option<String>,
    pub output: Option<String>,
    pub sample_rate: Option<u32>,
    pub buffer_size: Option<u32>,
}

impl Wanted {
    /// What the command line asks for.
    pub fn from_args(args: &RunArgs) -> Self {
        Self {
            input: args.input_device.clone(),
            output: args.output_device.clone(),
            sample_rate: args.sample_rate,
            buffer_size: args.buffer_size,
        }
    }

    /// This, and where it asks for nothing, `other`.
    pub fn or(self, other: Self) -> Self {
        Self {
            input: self.input.or(other.input),
            output: self.output.or(other.output),
            sample_rate: self.sample_rate.or(other.sample_rate),
            buffer_size: self.buffer_size.or(other.buffer_size),
        }
    }
}

/// What any loop of the app needs.
#[derive(Clone)]
pub struct Parts {
    pub models: Arc<ModelChoice>,
    pub telemetry: Arc<Telemetry>,
    pub settings: Arc<Settings>,
}

/// Two running streams; dropping it stops them.
pub struct Session {
    /// Label of the input device, where it is used.
    pub input: Option<String>,
    pub output: String,
    pub sample_rate: u32,
    /// Block size that the devices were asked for.
    pub block: u32,
    /// Longest block that the loop takes at once.
    longest: u32,
    pub stats: Arc<Stats>,
    /// What was done otherwise than asked.
    pub notes: Vec<String>,
    /// Rates that both devices have, and block sizes that they offer.
    pub rates: Vec<u32>,
    pub blocks: Vec<u32>,
    /// The clip at the device's rate, where one is played.
    pub clip: Option<(Arc<Clip>, Arc<Transport>)>,
    errors: Vec<(Direction, ErrorReceiver)>,
    _streams: Vec<cpal::Stream>,
}

/// A device and what it can do.
pub(super) struct Chosen<'a> {
    pub entry: &'a DeviceEntry,
    pub capabilities: Capabilities,
}

/// The device meant by `name`.
pub(super) fn choose<'a>(
    devices: &'a Devices,
    direction: Direction,
    name: Option<&str>,
) -> Result<Chosen<'a>, DeviceError> {
    let entry = devices.find(direction, name)?;
    Ok(Chosen { entry, capabilities: entry.capabilities(direction)? })
}

fn rates_text(capabilities: &Capabilities) -> String {
    let rates: Vec<String> = capabilities.common_rates().iter().map(u32::to_string).collect();
    if rates.is_empty() { format!("{} Hz", capabilities.default_rate()) } else { format!("{} Hz", rates.join(", ")) }
}

/// The rate asked for, or one that the devices have in common.
pub(super) fn choose_rate(wanted: Option<u32>, output: &Chosen, input: Option<&Chosen>) -> Result<u32, SessionError> {
    let fits = |rate: u32| input.is_none_or(|input| input.capabilities.has_rate(rate));
    if let Some(rate) = wanted {
        let sides = [(Direction::Output, Some(output)), (Direction::Input, input)];
        for (direction, chosen) in sides.into_iter().filter_map(|(d, chosen)| Some((d, chosen?))) {
            if !chosen.capabilities.has_rate(rate) {
                let (name, known) = (chosen.entry.label.clone(), rates_text(&chosen.capabilities));
                return Err(SessionError::Rate { direction, name, wanted: rate, known });
            }
        }
        return Ok(rate);
    }
    let common = output.capabilities.common_rates();
    let mut rates = std::iter::once(output.capabilities.default_rate()).chain(FALLBACK_RATES).chain(common);
    rates.find(|&rate| output.capabilities.has_rate(rate) && fits(rate)).ok_or_else(|| SessionError::NoCommonRate {
        input: input.map(|input| input.entry.label.clone()).unwrap_or_default(),
        input_rates: input.map(|input| rates_text(&input.capabilities)).unwrap_or_default(),
        output: output.entry.label.clone(),
        output_rates: rates_text(&output.capabilities),
    })
}

/// Block sizes that all devices allow.
fn block_limits(rate: u32, chosen: &[&Chosen]) -> (u32, u32) {
    let mut limits = (16, 8192);
    for (min, max) in chosen.iter().filter_map(|chosen| chosen.capabilities.block_range(rate)) {
        limits = (limits.0.max(min), limits.1.min(max));
    }
    // A device of huge blocks only: its word counts.
    (limits.0, limits.1.max(limits.0))
}

impl Session {
    /// Opens the devices and starts the loop, which takes blocks of `longest` samples too: devices may come with longer ones
    /// than they were asked for.
    ///
    /// # Errors
    /// [`SessionError`] names the device and what it refuses. Nothing runs then.
    pub fn open(
        devices: &Devices,
        wanted: &Wanted,
        longest: u32,
        play: &Play,
        parts: &Parts,
    ) -> Result<Self, SessionError> {
        let output = choose(devices, Direction::Output, wanted.output.as_deref())?;
        let input = match play {
            Play::Input => Some(choose(devices, Direction::Input, wanted.input.as_deref())?),
            Play::Clip(..) => None,
        };
        let sample_rate = choose_rate(wanted.sample_rate, &output, input.as_ref())?;
        let chosen: Vec<&Chosen> = std::iter::once(&output).chain(&input).collect();
        let (least, most) = block_limits(sample_rate, &chosen);
        let asked = wanted.buffer_size.unwrap_or(DEFAULT_BLOCK);
        let block = asked.clamp(least, most);
        let mut notes = Vec::new();
        if wanted.buffer_size.is_some_and(|asked| asked != block) {
            notes.push(format!("Blocks of {asked} samples are not offered here; {block} is used."));
        }
        let rates = super::devices::COMMON_RATES
            .into_iter()
            .filter(|&rate| chosen.iter().all(|chosen| chosen.capabilities.has_rate(rate)))
            .collect();
        let blocks = super::devices::COMMON_BLOCKS.into_iter().filter(|b| (least..=most).contains(b)).collect();
        let clip = match play {
            Play::Input => None,
            Play::Clip(clip, transport) => Some((Arc::new(clip.at_rate(sample_rate)?), transport.clone())),
        };
        let mut session = Self {
            input: input.as_ref().map(|input| input.entry.label.clone()),
            output: output.entry.label.clone(),
            sample_rate,
            block,
            longest: block.max(longest),
            stats: Arc::default(),
            notes,
            rates,
            blocks,
            clip,
            errors: Vec::new(),
            _streams: Vec::new(),
        };
        if let Err(first) = session.start(&output, input.as_ref(), parts, BufferSize::Fixed(block)) {
            // Some devices take no block size at all.
            session.start(&output, input.as_ref(), parts, BufferSize::Default).map_err(|_| first)?;
            session.notes.push(format!("Blocks of {block} samples are refused; the device chooses its own."));
        }
        Ok(session)
    }

    fn start(
        &mut self,
        output: &Chosen,
        input: Option<&Chosen>,
        parts: &Parts,
        buffer_size: BufferSize,
    ) -> Result<(), SessionError> {
        self._streams.clear();
        self.errors.clear();
        self.stats = Arc::default();
        let (rate, longest) = (self.sample_rate, self.longest as usize);
        let format = |chosen: &Chosen, direction: Direction| {
            let range = chosen.capabilities.config(direction, rate);
            range.ok_or_else(|| open_error(direction, chosen, rate, buffer_size, "no sample format".to_string()))
        };
        let output_format = format(output, Direction::Output)?;
        let input_format = input.map(|input| format(input, Direction::Input)).transpose()?;
        let mut bridge_input = None;
        let source = match &self.clip {
            Some((clip, transport)) => Source::Clip(Player::new(clip.clone(), transport.clone(), true)),
            None => {
                let channels = usize::from(input_format.map_or(1, |format| format.channels())).clamp(1, 2);
                let config = BridgeConfig { channels, sample_rate: rate, input_block: longest, output_block: longest };
                let (into, out_of) = bridge(config, self.stats.clone());
                bridge_input = Some(into);
                Source::Input(Box::new(out_of))
            }
        };
        let processor = start_loop(source, parts, rate, longest)?;
        let config = |format: &cpal::SupportedStreamConfigRange| StreamConfig {
            channels: format.channels(),
            sample_rate: rate,
            buffer_size,
        };
        let (stream, errors) = streams::open_output(
            &output.entry.device,
            config(&output_format),
            output_format.sample_format(),
            processor,
            self.stats.clone(),
        )
        .map_err(|e| open_error(Direction::Output, output, rate, buffer_size, e.to_string()))?;
        self._streams.push(stream);
        self.errors.push((Direction::Output, errors));
        if let (Some(input), Some(format), Some(bridge)) = (input, input_format, bridge_input) {
            self.add_input(input, config(&format), format.sample_format(), bridge)
                .map_err(|why| open_error(Direction::Input, input, rate, buffer_size, why))?;
        }
        for stream in &self._streams {
            stream.play().map_err(|e| open_error(Direction::Output, output, rate, buffer_size, e.to_string()))?;
        }
        Ok(())
    }

    fn add_input(
        &mut self,
        input: &Chosen,
        config: StreamConfig,
        format: cpal::SampleFormat,
        bridge: BridgeInput,
    ) -> Result<(), String> {
        let (stream, errors) = streams::open_input(&input.entry.device, config, format, bridge, self.stats.clone())
            .map_err(|e| e.to_string())?;
        self._streams.insert(0, stream);
        self.errors.push((Direction::Input, errors));
        Ok(())
    }

    /// The longest block to open the devices anew for, where they keep coming with longer ones than the loop takes at once:
    /// its latency counts on none. They are asked for the same as before; what they offer may be shorter.
    pub fn needs_longer(&self) -> Option<u32> {
        let (number, longest) = self.stats.longer_blocks();
        (number >= LONGER_BLOCKS && longest <= MAX_BLOCK).then_some(longest)
    }

    /// The next error that a stream had, with the side it happened on.
    pub fn take_error(&mut self) -> Option<(Direction, cpal::Error)> {
        self.errors.iter_mut().find_map(|(direction, errors)| errors.pop().ok().map(|error| (*direction, error)))
    }
}

/// What is said then.
pub fn longer_blocks(longest: u32) -> String {
    format!("The device takes blocks of {longest} samples; the loop starts anew for them.")
}

/// An output that plays what `render` renders, in blocks of the usual size where the device takes them; it doesn't run yet.
///
/// # Errors
/// [`SessionError::Open`] names the device and what it refuses.
pub(super) fn open_output(
    output: &Chosen,
    rate: u32,
    render: impl Render,
    stats: Arc<Stats>,
) -> Result<(cpal::Stream, ErrorReceiver), SessionError> {
    let (least, most) = block_limits(rate, &[output]);
    let buffer_size = BufferSize::Fixed(DEFAULT_BLOCK.clamp(least, most));
    let fail = |why: String| open_error(Direction::Output, output, rate, buffer_size, why);
    let format = output.capabilities.config(Direction::Output, rate);
    let format = format.ok_or_else(|| fail("no sample format".to_owned()))?;
    let config = StreamConfig { channels: format.channels(), sample_rate: rate, buffer_size };
    streams::open_output(&output.entry.device, config, format.sample_format(), render, stats)
        .map_err(|e| fail(e.to_string()))
}

fn open_error(direction: Direction, chosen: &Chosen, rate: u32, buffer: BufferSize, why: String) -> SessionError {
    let block = match buffer {
        BufferSize::Fixed(size) => format!("{size} samples"),
        BufferSize::Default => "its own size".to_string(),
    };
    SessionError::Open { direction, name: chosen.entry.label.clone(), rate, block, why }
}

/// A processor whose loop has started to load the model, and takes audio when it has.
///
/// # Errors
/// Those of [`LiveLoop::start`].
pub fn start_loop(source: Source, parts: &Parts, sample_rate: u32, block: usize) -> Result<Processor, EngineError> {
    let config = LoopConfig {
        sample_rate: f64::from(sample_rate),
        channels: source.channels(),
        max_block: block,
        safety_hops: parts.settings.safety(),
        offline: false,
    };
    parts.telemetry.set_slot(parts.settings.slot());
    let mut live = LiveLoop::start(config, parts.models.model()?, parts.telemetry.clone())?;
    parts.models.attach(live.switch());
    parts.settings.apply(&mut live);
    let loaded = Arc::new(AtomicBool::new(false));
    announce(Arc::downgrade(&loaded), parts.telemetry.clone())?;
    Ok(Processor::new(source, live, parts.settings.clone(), loaded))
}

/// Sets `loaded` when the codec thread is done loading, one way or the other: the audio thread can't ask, because
/// the state is behind a lock.
fn announce(loaded: Weak<AtomicBool>, telemetry: Arc<Telemetry>) -> std::io::Result<()> {
    let wait = move || {
        while telemetry.status().state == LoopState::Loading && loaded.strong_count() > 0 {
            std::thread::sleep(LOADING_PERIOD);
        }
        if let Some(loaded) = loaded.upgrade() {
            loaded.store(true, Relaxed);
        }
    };
    std::thread::Builder::new().name("vrvq loading".to_string()).spawn(wait).map(|_| ())
}
