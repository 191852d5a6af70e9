//! A file played through a sound device, for `vrvq play`: read and decoded on a thread of its own, piece by piece.

use super::args::HostChoice;
use super::devices::{self, Devices, Direction};
use super::session::{self, SessionError};
use super::stats::Stats;
use super::streams::{ErrorReceiver, Render};
use super::track::{Track, TrackError};
use crate::coding::{CodingError, Resampling};
use crate::model::Model;
use cpal::traits::StreamTrait;
use rtrb::{Consumer, Producer, RingBuffer};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64};
use std::thread::JoinHandle;
use std::time::Duration;

/// Sound that waits for the device, and as much of it as there must be before it starts.
const RING_SECONDS: usize = 4;
/// How often the decoding thread looks for room.
const PERIOD: Duration = Duration::from_millis(10);
/// Longest block handled at once.
const MAX_BLOCK: usize = 8192;
/// Channels that are played.
const MAX_CHANNELS: usize = 2;

/// Why a file isn't played.
#[derive(Debug, thiserror::Error)]
pub enum PlayError {
    #[error(transparent)]
    Track(#[from] TrackError),
    #[error(transparent)]
    Session(#[from] SessionError),
    #[error("{name}: {source}")]
    Resampler { name: String, source: CodingError },
    #[error("{name} can't be played: {why}")]
    Thread { name: String, why: std::io::Error },
    #[error("the device \"{name}\" stopped: {why}")]
    Device { name: String, why: String },
    #[error("{name}: the decoder broke off; this is a bug, please report it")]
    Broken { name: String },
}

/// Where to play.
#[derive(Clone, Default)]
pub struct PlayOptions {
    pub system: Option<HostChoice>,
    /// Name, part of it, or id of the output device.
    pub device: Option<String>,
    /// Model for `.vrvq` files instead of the one that they name.
    pub model: Option<Arc<Model>>,
}

#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    /// All sound is in the ring.
    ended: AtomicBool,
    /// All sound was taken from it.
    over: AtomicBool,
    /// Samples of each channel that were played.
    played: AtomicU64,
    peaks: [AtomicU32; MAX_CHANNELS],
    underruns: AtomicU64,
}

/// A file that plays; dropping it stops it.
pub struct Playback {
    /// File name and device.
    pub name: String,
    pub output: String,
    /// Length in seconds, where the file tells it.
    pub seconds: Option<f64>,
    pub channels: usize,
    sample_rate: u32,
    shared: Arc<Shared>,
    errors: ErrorReceiver,
    thread: Option<JoinHandle<Result<Vec<String>, PlayError>>>,
    _stream: cpal::Stream,
}

/// The device's end of the ring.
struct Sink {
    ring: Consumer<f32>,
    shared: Arc<Shared>,
    blocks: Vec<Vec<f32>>,
}

impl Render for Sink {
    fn channels(&self) -> usize {
        self.blocks.len()
    }

    fn max_block(&self) -> usize {
        MAX_BLOCK
    }

    fn render(&mut self, frames: usize) -> &[Vec<f32>] {
        let channels = self.blocks.len();
        // Asked before the ring: what is missing then, is missing.
        let ended = self.shared.ended.load(Acquire);
        let there = frames.min(self.ring.slots() / channels);
        self.blocks.iter_mut().for_each(|block| block[..frames].fill(0.0));
        if let Ok(chunk) = self.ring.read_chunk(there * channels) {
            let (first, second) = chunk.as_slices();
            for (sample, index) in first.iter().chain(second).zip(0..) {
                self.blocks[index % channels][index / channels] = *sample;
            }
            chunk.commit_all();
        }
        for (block, peak) in self.blocks.iter().zip(&self.shared.peaks) {
            let highest = block[..frames].iter().fold(0.0f32, |peak, sample| peak.max(sample.abs()));
            // Non-negative floats keep their order as bits.
            peak.fetch_max(highest.to_bits(), Relaxed);
        }
        self.shared.played.fetch_add(there as u64, Relaxed);
        match (there < frames, ended) {
            (true, true) => self.shared.over.store(true, Release),
            (true, false) => _ = self.shared.underruns.fetch_add(1, Relaxed),
            (false, _) => {}
        }
        &self.blocks
    }
}

impl Playback {
    /// Opens the file and the device, and begins to play.
    ///
    /// # Errors
    /// [`PlayError`] names the file or the device and why it can't be used.
    pub fn start(path: &Path, options: &PlayOptions) -> Result<Self, PlayError> {
        devices::silence_system_messages();
        let track = Track::open(path, options.model.as_ref())?;
        let name = track.name.clone();
        let devices = Devices::list_preferred(options.system).map_err(SessionError::from)?;
        let output = session::choose(&devices, Direction::Output, options.device.as_deref());
        let output = output.map_err(SessionError::from)?;
        let own = Some(track.sample_rate()).filter(|&rate| output.capabilities.has_rate(rate));
        let sample_rate = session::choose_rate(own, &output, None)?;
        let channels = track.channels().min(MAX_CHANNELS);
        let resampling = Resampling::new(track.sample_rate(), sample_rate, channels)
            .map_err(|source| PlayError::Resampler { name: name.clone(), source })?;
        let seconds = track.frames().map(|frames| frames as f64 / f64::from(track.sample_rate()));

        let shared = Arc::new(Shared::default());
        let (producer, ring) = RingBuffer::new(RING_SECONDS * sample_rate as usize * channels);
        let feed = Feed { track, resampling, ring: producer, shared: shared.clone(), channels };
        let thread = std::thread::Builder::new()
            .name("vrvq play".into())
            .spawn(move || feed.run())
            .map_err(|why| PlayError::Thread { name: name.clone(), why })?;
        // A device that starts at once would play what isn't decoded yet.
        while ring.slots() < sample_rate as usize / 2 * channels && !thread.is_finished() {
            std::thread::sleep(PERIOD);
        }
        let sink = Sink { ring, shared: shared.clone(), blocks: vec![vec![0.0; MAX_BLOCK]; channels] };
        let (stream, errors) = session::open_output(&output, sample_rate, sink, Arc::<Stats>::default())?;
        let label = output.entry.label.clone();
        stream.play().map_err(|e| PlayError::Device { name: label.clone(), why: e.to_string() })?;
        let thread = Some(thread);
        Ok(Self { name, output: label, seconds, channels, sample_rate, shared, errors, thread, _stream: stream })
    }

    /// Seconds that were played.
    pub fn position(&self) -> f64 {
        self.shared.played.load(Relaxed) as f64 / f64::from(self.sample_rate)
    }

    /// Highest absolute sample of a channel since the last call.
    pub fn take_peak(&self, channel: usize) -> f32 {
        f32::from_bits(self.shared.peaks[channel].swap(0, Relaxed))
    }

    /// Times that the device had to be given silence, because decoding was too slow.
    pub fn underruns(&self) -> u64 {
        self.shared.underruns.load(Relaxed)
    }

    /// Whether all was played.
    ///
    /// # Errors
    /// [`PlayError::Device`] where the device stopped.
    pub fn over(&mut self) -> Result<bool, PlayError> {
        match self.errors.pop() {
            Ok(error) => Err(PlayError::Device { name: self.output.clone(), why: error.to_string() }),
            Err(_) => Ok(self.shared.over.load(Acquire)),
        }
    }

    /// Stops, and tells what was wrong with the file.
    ///
    /// # Errors
    /// Why it couldn't be read to its end.
    pub fn finish(mut self) -> Result<Vec<String>, PlayError> {
        self.stop().unwrap_or(Ok(Vec::new()))
    }

    fn stop(&mut self) -> Option<Result<Vec<String>, PlayError>> {
        self.shared.stop.store(true, Release);
        let broken = PlayError::Broken { name: self.name.clone() };
        self.thread.take().map(|thread| thread.join().unwrap_or(Err(broken)))
    }
}

impl Drop for Playback {
    fn drop(&mut self) {
        // Whoever drops it doesn't ask how it went.
        let _ = self.stop();
    }
}

/// The decoding thread.
struct Feed {
    track: Track,
    resampling: Resampling,
    ring: Producer<f32>,
    shared: Arc<Shared>,
    channels: usize,
}

impl Feed {
    fn run(mut self) -> Result<Vec<String>, PlayError> {
        let result = self.feed();
        // Also where it failed: what was read is played.
        self.shared.ended.swap(true, AcqRel);
        result?;
        let mut notes = self.track.notes();
        if self.track.channels() > self.channels {
            notes.push(format!("only the first two of {} channels were played", self.track.channels()));
        }
        Ok(notes)
    }

    fn feed(&mut self) -> Result<(), PlayError> {
        let mut sound = vec![Vec::new(); self.channels];
        let mut read = 0;
        let name = self.track.name.clone();
        let failed = |source| PlayError::Resampler { name: name.clone(), source };
        while let Some(planes) = self.track.read()? {
            read += planes[0].len() as u64;
            self.resampling.push(&planes[..self.channels], &mut sound).map_err(failed)?;
            if !send(&mut self.ring, &self.shared, &mut sound) {
                return Ok(());
            }
        }
        let length = self.resampling.output_length(read);
        self.resampling.finish(length, &mut sound).map_err(failed)?;
        send(&mut self.ring, &self.shared, &mut sound);
        Ok(())
    }
}

/// Sends `sound` as room comes; false where playing was stopped.
fn send(ring: &mut Producer<f32>, shared: &Shared, sound: &mut [Vec<f32>]) -> bool {
    let (channels, frames, mut sent) = (sound.len(), sound[0].len(), 0);
    while sent < frames {
        if shared.stop.load(Acquire) {
            return false;
        }
        let count = (ring.slots() / channels).min(frames - sent);
        if count == 0 {
            std::thread::sleep(PERIOD);
            continue;
        }
        if let Ok(chunk) = ring.write_chunk_uninit(count * channels) {
            chunk
                .fill_from_iter((sent..sent + count).flat_map(|frame| sound.iter().map(move |channel| channel[frame])));
        }
        sent += count;
    }
    sound.iter_mut().for_each(Vec::clear);
    true
}
