//! Between the host's sample rate and the model's, one hop at a time.
//!
//! The input side asks for as many host samples as one hop needs, the output side turns one hop into as many host
//! samples as it makes, so no further buffer (and no further delay) stands between resampler and codec. At the
//! model's own rate both sides pass samples through untouched.

use super::EngineError;
use audioadapter_buffers::direct::SequentialSlice;
use rubato::{Async, FixedAsync, Resampler, SincInterpolationParameters, WindowFunction};

/// Taps of the windowed sinc at the lower of the two rates; 64 samples of delay there.
const TAPS: usize = 128;

/// A pair of resamplers around the codec. Audio is planar: `[channels, samples]`.
pub(super) struct HopResampler {
    inputs: usize,
    outputs: usize,
    hop: usize,
    pair: Option<Pair>,
}

struct Pair {
    input: Async<f32>,
    output: Async<f32>,
}

fn sinc(ratio: f64, hop: usize, channels: usize, fixed: FixedAsync) -> Result<Async<f32>, EngineError> {
    // The filter is laid out in input samples: going down, it must be longer by the ratio to stay as steep.
    let taps = (TAPS as f64 * (1.0 / ratio).max(1.0)).ceil() as usize;
    let parameters = SincInterpolationParameters::new(taps, WindowFunction::BlackmanHarris2);
    Async::new_sinc(ratio, 1.0, &parameters, hop, channels, fixed).map_err(|e| EngineError::Resampler(e.to_string()))
}

impl HopResampler {
    /// Resamplers between `host_rate` and `model_rate` (Hz) for hops of `hop` samples at the model's rate, of `inputs`
    /// channels going in and `outputs` coming out.
    pub fn new(
        host_rate: f64,
        model_rate: f64,
        hop: usize,
        (inputs, outputs): (usize, usize),
    ) -> Result<Self, EngineError> {
        let pair = if host_rate == model_rate {
            None
        } else {
            Some(Pair {
                input: sinc(model_rate / host_rate, hop, inputs, FixedAsync::Output)?,
                output: sinc(host_rate / model_rate, hop, outputs, FixedAsync::Input)?,
            })
        };
        Ok(Self { inputs, outputs, hop, pair })
    }

    /// Host samples (each channel) that the next hop needs.
    pub fn input_needed(&self) -> usize {
        self.pair.as_ref().map_or(self.hop, |pair| pair.input.input_frames_next())
    }

    /// Most host samples that any hop needs.
    pub fn input_max(&self) -> usize {
        self.pair.as_ref().map_or(self.hop, |pair| pair.input.input_frames_max())
    }

    /// Most host samples that any hop makes.
    pub fn output_max(&self) -> usize {
        self.pair.as_ref().map_or(self.hop, |pair| pair.output.output_frames_max())
    }

    /// Makes one hop, `[inputs, hop]`, of [`Self::input_needed`] host samples, `[inputs, needed]`.
    pub fn resample_in(&mut self, host: &[f32], hop: &mut [f32]) -> Result<(), EngineError> {
        let channels = self.inputs;
        let Some(pair) = &mut self.pair else {
            hop.copy_from_slice(host);
            return Ok(());
        };
        process(&mut pair.input, channels, host, hop).map(|_| ())
    }

    /// Makes host samples of one hop and returns how many (each channel); `host` is `[outputs, room]` with room for
    /// [`Self::output_max`].
    pub fn resample_out(&mut self, hop: &[f32], host: &mut [f32]) -> Result<usize, EngineError> {
        let (channels, length) = (self.outputs, self.hop);
        let Some(pair) = &mut self.pair else {
            let room = host.len() / channels;
            for channel in 0..channels {
                host[channel * room..][..length].copy_from_slice(&hop[channel * length..][..length]);
            }
            return Ok(length);
        };
        process(&mut pair.output, channels, hop, host)
    }

    /// Back to silence.
    pub fn reset(&mut self) {
        if let Some(pair) = &mut self.pair {
            pair.input.reset();
            pair.output.reset();
        }
    }
}

fn process(
    resampler: &mut Async<f32>,
    channels: usize,
    input: &[f32],
    output: &mut [f32],
) -> Result<usize, EngineError> {
    let fail = |e: String| EngineError::Resampler(e);
    let (frames_in, frames_out) = (input.len() / channels, output.len() / channels);
    let input = SequentialSlice::new(input, channels, frames_in).map_err(|e| fail(e.to_string()))?;
    let mut output = SequentialSlice::new_mut(output, channels, frames_out).map_err(|e| fail(e.to_string()))?;
    let (_, made) = resampler.process_into_buffer(&input, &mut output, None).map_err(|e| fail(e.to_string()))?;
    Ok(made)
}

/// What the resamplers do to time, in host samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Timing {
    /// Delay from input to output of the whole chain: both resamplers and the codec between them.
    pub delay: f64,
    /// From an input sample to what the decoder makes of it, in samples at the model's rate.
    pub coded_delay: usize,
    /// Host samples that must have come in before an output sample of the same index exists, at most.
    pub lag: usize,
    /// Host samples of one hop, rounded up.
    pub hop: usize,
}

/// Hops that the measurement runs: enough for the phase of any ratio to wander through its range.
const MEASURED_HOPS: usize = 48;

/// Measures the chain with a codec that only delays by `codec_delay` samples: the resamplers' filters are
/// symmetric, so the first moment of an impulse's response is their exact delay, fractions included.
pub(super) fn measure(host_rate: f64, model_rate: f64, hop: usize, codec_delay: usize) -> Result<Timing, EngineError> {
    let ratio = host_rate / model_rate;
    let host_hop = (hop as f64 * ratio).ceil() as usize;
    if host_rate == model_rate {
        return Ok(Timing { delay: codec_delay as f64, coded_delay: codec_delay, lag: hop, hop });
    }
    let mut resampler = HopResampler::new(host_rate, model_rate, hop, (1, 1))?;
    let impulse_at = 2 * host_hop;
    let (mut consumed, mut made, mut lag) = (0, 0, 0);
    let (mut sum, mut moment) = (0.0, 0.0);
    let mut hop_samples = vec![0.0; hop];
    let mut host = vec![0.0; resampler.output_max()];
    for _ in 0..MEASURED_HOPS {
        let mut input = vec![0.0; resampler.input_needed()];
        if (consumed..consumed + input.len()).contains(&impulse_at) {
            input[impulse_at - consumed] = 1.0;
        }
        consumed += input.len();
        lag = lag.max(consumed - made);
        resampler.resample_in(&input, &mut hop_samples)?;
        let count = resampler.resample_out(&hop_samples, &mut host)?;
        for (index, &sample) in host[..count].iter().enumerate() {
            sum += f64::from(sample);
            moment += f64::from(sample) * (made + index) as f64;
        }
        made += count;
    }
    let delay = moment / sum - impulse_at as f64 + codec_delay as f64 * ratio;
    // The two resamplers are as long as each other.
    let coded_delay = ((delay / ratio + codec_delay as f64) / 2.0).round() as usize;
    // Two samples for phases the measurement didn't meet.
    Ok(Timing { delay, coded_delay, lag: lag + 2, hop: host_hop })
}
