//! The sound devices of a system, and what they can do.

use super::args::HostChoice;
use cpal::traits::{DeviceTrait, HostTrait};
use cpal::{DeviceDirection, SampleFormat, SupportedBufferSize, SupportedStreamConfigRange};
use std::fmt;

/// Rates that are offered where a device has them.
pub const COMMON_RATES: [u32; 8] = [22_050, 32_000, 44_100, 48_000, 88_200, 96_000, 176_400, 192_000];
/// Block sizes that are offered where a device has them.
pub const COMMON_BLOCKS: [u32; 8] = [64, 128, 256, 512, 1024, 2048, 4096, 8192];
/// Sample formats that can be converted, the best first.
const FORMATS: [SampleFormat; 7] = [
    SampleFormat::F32,
    SampleFormat::I32,
    SampleFormat::I24,
    SampleFormat::F64,
    SampleFormat::I16,
    SampleFormat::U16,
    SampleFormat::U8,
];
/// ALSA's device that plays into nothing, at no rate at all: never chosen unless it is named.
const NULL_ID: &str = "alsa:null";

/// What the library calls JACK.
const JACK: &str = "JACK";

/// Which way the sound goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Input,
    Output,
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if *self == Self::Input { "input" } else { "output" })
    }
}

/// Why a device can't be used.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DeviceError {
    #[error("{system} is not available: {why}")]
    Host { system: &'static str, why: String },
    #[error("there is no {direction} device: {why}")]
    None { direction: Direction, why: String },
    #[error("there is no {direction} device named \"{wanted}\"; there are: {known}")]
    Unknown { direction: Direction, wanted: String, known: String },
    #[error("\"{wanted}\" can mean several {direction} devices: {known}")]
    Ambiguous { direction: Direction, wanted: String, known: String },
    #[error("{direction} device \"{name}\" can't be asked what it supports: {why}")]
    Query { direction: Direction, name: String, why: String },
}

/// A device that can be opened.
#[derive(Clone)]
pub struct DeviceEntry {
    /// Stable id, such as "alsa:hw:CARD=0,DEV=0".
    pub id: String,
    /// Name for people; ids tell devices of one name apart.
    pub label: String,
    pub device: cpal::Device,
}

/// The devices of one sound system.
pub struct Devices {
    pub system: HostChoice,
    pub inputs: Vec<DeviceEntry>,
    pub outputs: Vec<DeviceEntry>,
}

/// What a device offers in one direction.
#[derive(Debug, Clone)]
pub struct Capabilities {
    ranges: Vec<SupportedStreamConfigRange>,
    default_rate: u32,
    default_channels: u16,
}

/// ALSA writes to the terminal whatever it fails to find; its errors come back as values as well. Holds for the
/// calling thread, once.
pub fn silence_system_messages() {
    #[cfg(target_os = "linux")]
    if let Ok(output) = alsa::Output::local_error_handler() {
        // The handler writes into this buffer as long as the thread lives.
        std::mem::forget(output);
    }
}

fn host_id(system: HostChoice) -> Option<cpal::HostId> {
    cpal::available_hosts().into_iter().find(|id| (id.name() == JACK) == (system == HostChoice::Jack))
}

/// Name of a sound system on this machine.
pub fn system_name(system: HostChoice) -> &'static str {
    host_id(system).map_or(if system == HostChoice::Jack { JACK } else { "The sound system" }, |id| id.name())
}

/// The device goes this way and no other.
fn goes_only(device: &cpal::Device, direction: DeviceDirection) -> bool {
    device.description().is_ok_and(|description| description.direction() == direction)
}

fn entry(device: cpal::Device) -> DeviceEntry {
    let id = device.id().map(|id| id.to_string()).unwrap_or_default();
    let label = device.description().map(|d| d.name().to_string()).unwrap_or_else(|_| id.clone());
    DeviceEntry { id, label, device }
}

/// Puts the default first and tells devices of one name apart.
fn arrange(devices: Vec<cpal::Device>, default: Option<cpal::Device>) -> Vec<DeviceEntry> {
    let mut entries: Vec<DeviceEntry> = default.into_iter().map(entry).collect();
    for device in devices.into_iter().map(entry) {
        if entries.iter().all(|known| known.id != device.id) {
            entries.push(device);
        }
    }
    let labels: Vec<String> = entries.iter().map(|entry| entry.label.clone()).collect();
    for entry in &mut entries {
        if labels.iter().filter(|label| **label == entry.label).count() > 1 {
            let plain = entry.id.split_once(':').map_or(entry.id.as_str(), |(_, id)| id);
            entry.label = format!("{} ({plain})", entry.label);
        }
    }
    entries
}

impl Devices {
    /// Lists the devices of a sound system. May take a while: some systems ask each device.
    ///
    /// # Errors
    /// [`DeviceError::Host`] where the system isn't there.
    pub fn list(system: HostChoice) -> Result<Self, DeviceError> {
        let fail = |why: String| DeviceError::Host { system: system_name(system), why };
        let host = host_id(system)
            .ok_or_else(|| fail("this build supports none".to_string()))
            .and_then(|id| cpal::host_from_id(id).map_err(|e| fail(e.to_string())))?;
        let inputs = host.input_devices().map_err(|e| fail(e.to_string()))?;
        let outputs = host.output_devices().map_err(|e| fail(e.to_string()))?;
        // JACK's devices claim both directions and have one.
        let inputs: Vec<_> = inputs.filter(|device| !goes_only(device, DeviceDirection::Output)).collect();
        let outputs: Vec<_> = outputs.filter(|device| !goes_only(device, DeviceDirection::Input)).collect();
        if system == HostChoice::Jack && inputs.is_empty() && outputs.is_empty() {
            return Err(fail("no server is running, or libjack is not installed".to_string()));
        }
        // A default that can't be opened isn't one.
        let input = host.default_input_device().filter(|device| device.default_input_config().is_ok());
        let output = host.default_output_device().filter(|device| device.default_output_config().is_ok());
        Ok(Self { system, inputs: arrange(inputs, input), outputs: arrange(outputs, output) })
    }

    /// The devices of the system asked for; without one, of the system's own, or of JACK where that one has no output
    /// and a server runs.
    ///
    /// # Errors
    /// [`DeviceError`] of the system asked for, or of the system's own.
    pub fn list_preferred(system: Option<HostChoice>) -> Result<Self, DeviceError> {
        if let Some(system) = system {
            return Self::list(system);
        }
        let own = Self::list(HostChoice::System);
        if own.as_ref().is_ok_and(|devices| devices.find(Direction::Output, None).is_ok()) {
            return own;
        }
        Self::list(HostChoice::Jack).or(own)
    }

    /// Devices of one direction, the default first.
    pub fn entries(&self, direction: Direction) -> &[DeviceEntry] {
        match direction {
            Direction::Input => &self.inputs,
            Direction::Output => &self.outputs,
        }
    }

    /// The device meant by `wanted`: an id, a name, or a part of a name that only one has; the default for `None`.
    ///
    /// # Errors
    /// [`DeviceError`] saying which devices there are.
    pub fn find(&self, direction: Direction, wanted: Option<&str>) -> Result<&DeviceEntry, DeviceError> {
        let entries = self.entries(direction);
        let real: Vec<&DeviceEntry> = entries.iter().filter(|entry| entry.id != NULL_ID).collect();
        let Some(wanted) = wanted else {
            let why = || format!("{} offers none", system_name(self.system));
            return real.first().copied().ok_or_else(|| DeviceError::None { direction, why: why() });
        };
        let plain = |entry: &DeviceEntry| entry.id.split_once(':').map(|(_, id)| id.to_string()).unwrap_or_default();
        let exact = |entry: &&DeviceEntry| entry.id == wanted || plain(entry) == wanted || entry.label == wanted;
        if let Some(entry) = entries.iter().find(exact) {
            return Ok(entry);
        }
        let lower = wanted.to_lowercase();
        let alike: Vec<&DeviceEntry> =
            entries.iter().filter(|entry| entry.label.to_lowercase().contains(&lower)).collect();
        let names = |entries: &[&DeviceEntry]| {
            let names: Vec<String> = entries.iter().map(|entry| format!("\"{}\"", entry.label)).collect();
            if names.is_empty() { "none".to_string() } else { names.join(", ") }
        };
        let wanted = wanted.to_string();
        match alike.as_slice() {
            [] => Err(DeviceError::Unknown { direction, wanted, known: names(&entries.iter().collect::<Vec<_>>()) }),
            [one] => Ok(one),
            several => Err(DeviceError::Ambiguous { direction, wanted, known: names(several) }),
        }
    }
}

impl DeviceEntry {
    /// Asks what the device can do; may open it for a moment.
    ///
    /// # Errors
    /// [`DeviceError::Query`] with what the system says.
    pub fn capabilities(&self, direction: Direction) -> Result<Capabilities, DeviceError> {
        let fail = |e: cpal::Error| DeviceError::Query { direction, name: self.label.clone(), why: e.to_string() };
        let (ranges, default) = match direction {
            Direction::Input => (
                self.device.supported_input_configs().map(Iterator::collect::<Vec<_>>).map_err(fail)?,
                self.device.default_input_config().map_err(fail)?,
            ),
            Direction::Output => (
                self.device.supported_output_configs().map(Iterator::collect::<Vec<_>>).map_err(fail)?,
                self.device.default_output_config().map_err(fail)?,
            ),
        };
        let ranges: Vec<_> = ranges.into_iter().filter(|range| FORMATS.contains(&range.sample_format())).collect();
        if ranges.is_empty() {
            return Err(DeviceError::Query {
                direction,
                name: self.label.clone(),
                why: "it has no sample format that can be converted".to_string(),
            });
        }
        Ok(Capabilities { ranges, default_rate: default.sample_rate(), default_channels: default.channels() })
    }
}

impl Capabilities {
    /// Whether the device has this sample rate.
    pub fn has_rate(&self, rate: u32) -> bool {
        self.ranges.iter().any(|range| (range.min_sample_rate()..=range.max_sample_rate()).contains(&rate))
    }

    /// The rate the system proposes.
    pub fn default_rate(&self) -> u32 {
        self.default_rate
    }

    /// The common rates it has.
    pub fn common_rates(&self) -> Vec<u32> {
        COMMON_RATES.into_iter().filter(|&rate| self.has_rate(rate)).collect()
    }

    /// The range of block sizes at `rate`, where the system tells it.
    pub fn block_range(&self, rate: u32) -> Option<(u32, u32)> {
        self.config(Direction::Output, rate).and_then(|range| match range.buffer_size() {
            SupportedBufferSize::Range { min, max } => Some((*min, *max)),
            SupportedBufferSize::Unknown => None,
        })
    }

    /// The set-up to open at `rate`: one or two channels where it can be, the best sample format.
    pub fn config(&self, direction: Direction, rate: u32) -> Option<SupportedStreamConfigRange> {
        let channels = |count: u16| match (direction, count) {
            // A stereo line input is stereo, a microphone mono; a system that says neither gets stereo.
            (Direction::Input, count) if count == self.default_channels && count <= 2 => 0,
            (_, 2) => 1,
            (_, 1) => 2,
            (_, more) => u32::from(more),
        };
        let format = |range: &SupportedStreamConfigRange| FORMATS.iter().position(|f| *f == range.sample_format());
        self.ranges
            .iter()
            .filter(|range| (range.min_sample_rate()..=range.max_sample_rate()).contains(&rate))
            .min_by_key(|range| (channels(range.channels()), format(range)))
            .copied()
    }
}

/// Text of all devices, for the terminal.
pub fn describe_all() -> String {
    let mut text = String::new();
    for system in [HostChoice::System, HostChoice::Jack] {
        let devices = match Devices::list(system) {
            Ok(devices) => devices,
            Err(e) => {
                text += &format!("{e}\n");
                continue;
            }
        };
        for direction in [Direction::Input, Direction::Output] {
            text += &format!("{} {direction} devices:\n", system_name(system));
            let entries = devices.entries(direction);
            if entries.is_empty() {
                text += "  none\n";
            }
            for entry in entries {
                text += &format!("  {}  [{}]\n    {}\n", entry.label, entry.id, describe(entry, direction));
            }
        }
    }
    text
}

fn describe(entry: &DeviceEntry, direction: Direction) -> String {
    let capabilities = match entry.capabilities(direction) {
        Ok(capabilities) => capabilities,
        Err(DeviceError::Query { why, .. }) => return format!("can't be opened: {why}"),
        Err(e) => return e.to_string(),
    };
    let rates: Vec<String> = capabilities.common_rates().iter().map(u32::to_string).collect();
    let rate = capabilities.default_rate();
    let blocks = capabilities
        .block_range(rate)
        .map_or("chosen by the system".to_string(), |(min, max)| format!("{min} to {max} samples"));
    format!("rates {} Hz (default {rate}), blocks {blocks}", rates.join(" "))
}
