//! The callbacks of the sound system. Nothing here allocates, locks or logs once a stream runs.

use super::bridge::BridgeInput;
use super::stats::Stats;
use cpal::traits::DeviceTrait;
use cpal::{Error, ErrorKind, FromSample, Sample, SampleFormat, SizedSample, Stream, StreamConfig};
use rtrb::{Consumer, Producer, RingBuffer};
use std::sync::Arc;
use std::time::Instant;

/// Errors that wait to be shown; further ones are dropped.
const ERRORS: usize = 16;

/// Errors of one stream.
pub type ErrorReceiver = Consumer<Error>;

/// Passes errors on without a lock; under- and overruns are only counted.
fn error_callback(mut errors: Producer<Error>, stats: Arc<Stats>) -> impl FnMut(Error) + Send + 'static {
    move |error| {
        if error.kind() == ErrorKind::Xrun {
            stats.count_xrun();
        } else {
            let _ = errors.push(error);
        }
    }
}

fn unsupported(format: SampleFormat) -> Error {
    Error::with_message(ErrorKind::UnsupportedConfig, format!("samples of format {format} can't be converted"))
}

/// Calls a generic function with the type of a sample format.
macro_rules! with_sample_type {
    ($format:expr, $function:ident($($argument:expr),*)) => {
        match $format {
            SampleFormat::F32 => $function::<f32>($($argument),*),
            SampleFormat::F64 => $function::<f64>($($argument),*),
            SampleFormat::I32 => $function::<i32>($($argument),*),
            SampleFormat::I24 => $function::<cpal::I24>($($argument),*),
            SampleFormat::I16 => $function::<i16>($($argument),*),
            SampleFormat::U16 => $function::<u16>($($argument),*),
            SampleFormat::U8 => $function::<u8>($($argument),*),
            other => Err(unsupported(other)),
        }
    };
}

/// What an output callback plays.
pub trait Render: Send + 'static {
    /// 1 or 2.
    fn channels(&self) -> usize;
    /// Longest block that is rendered at once.
    fn max_block(&self) -> usize;
    /// Renders the next `frames` samples; each channel holds at least that many, the valid ones first. Real-time safe.
    fn render(&mut self, frames: usize) -> &[Vec<f32>];
}

/// Opens an output stream that plays what `processor` renders; it doesn't run yet.
///
/// # Errors
/// What the sound system says.
pub fn open_output(
    device: &cpal::Device,
    config: StreamConfig,
    format: SampleFormat,
    processor: impl Render,
    stats: Arc<Stats>,
) -> Result<(Stream, ErrorReceiver), Error> {
    with_sample_type!(format, output(device, config, processor, stats))
}

/// Opens an input stream that fills `bridge`; it doesn't run yet.
///
/// # Errors
/// What the sound system says.
pub fn open_input(
    device: &cpal::Device,
    config: StreamConfig,
    format: SampleFormat,
    bridge: BridgeInput,
    stats: Arc<Stats>,
) -> Result<(Stream, ErrorReceiver), Error> {
    with_sample_type!(format, input(device, config, bridge, stats))
}

fn output<T: SizedSample + FromSample<f32>>(
    device: &cpal::Device,
    config: StreamConfig,
    mut processor: impl Render,
    stats: Arc<Stats>,
) -> Result<(Stream, ErrorReceiver), Error> {
    let channels = usize::from(config.channels).max(1);
    let (sender, receiver) = RingBuffer::new(ERRORS);
    let on_error = error_callback(sender, stats.clone());
    let mut promoted = false;
    let on_data = move |data: &mut [T], _: &cpal::OutputCallbackInfo| {
        if !std::mem::replace(&mut promoted, true) {
            promote(data.len() / channels, config.sample_rate);
        }
        let started = Instant::now();
        let (frames, longest) = (data.len() / channels, processor.max_block());
        for block in data.chunks_mut(longest * channels) {
            spread(&mut processor, block, channels);
        }
        stats.count_block(frames, longest, started.elapsed());
    };
    Ok((device.build_output_stream(config, on_data, on_error, None)?, receiver))
}

/// The codec thread has real-time priority where the system grants it; a callback without it would have to wait for
/// that. Two system calls, in the first block only.
fn promote(frames: usize, sample_rate: u32) {
    let _ = audio_thread_priority::promote_current_thread_to_real_time(frames as u32, sample_rate);
}

/// Renders into interleaved samples: mono goes to the first two channels, stereo to a mono device as its mean,
/// further channels are silent.
fn spread<T: SizedSample + FromSample<f32>>(processor: &mut impl Render, block: &mut [T], channels: usize) {
    let rendered_channels = processor.channels();
    let rendered = processor.render(block.len() / channels);
    for (frame, samples) in block.chunks_exact_mut(channels).enumerate() {
        for (channel, sample) in samples.iter_mut().enumerate() {
            let value = match (channel, rendered_channels, channels) {
                (0, 2, 1) => 0.5 * (rendered[0][frame] + rendered[1][frame]),
                (0 | 1, 1, _) => rendered[0][frame],
                (0 | 1, _, _) => rendered[channel][frame],
                _ => 0.0,
            };
            *sample = T::from_sample(value.clamp(-1.0, 1.0));
        }
    }
}

fn input<T: SizedSample>(
    device: &cpal::Device,
    config: StreamConfig,
    mut bridge: BridgeInput,
    stats: Arc<Stats>,
) -> Result<(Stream, ErrorReceiver), Error>
where
    f32: FromSample<T>,
{
    let channels = usize::from(config.channels).max(1);
    let (sender, receiver) = RingBuffer::new(ERRORS);
    let on_error = error_callback(sender, stats);
    let on_data = move |data: &[T], _: &cpal::InputCallbackInfo| {
        bridge.push(data.len() / channels, |frame, channel| f32::from_sample(data[frame * channels + channel]));
    };
    Ok((device.build_input_stream(config, on_data, on_error, None)?, receiver))
}
