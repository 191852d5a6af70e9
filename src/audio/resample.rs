//! Whole signals at another sample rate.

use audioadapter_buffers::direct::SequentialSliceOfVecs;
use rubato::{Fft, FixedSync, Resampler};

/// Why a signal can't be resampled.
#[derive(Debug, thiserror::Error)]
#[error("can't resample from {from} to {to} Hz: {why}")]
pub struct ResampleError {
    pub from: u32,
    pub to: u32,
    pub why: String,
}

/// `channels`, of one length, at `from` Hz, as they are at `to` Hz: aligned, and as long as the ratio says.
///
/// # Errors
/// [`ResampleError`] for rates the resampler refuses and signals too short to leave a sample.
pub fn resample(channels: &[Vec<f32>], from: u32, to: u32) -> Result<Vec<Vec<f32>>, ResampleError> {
    if from == to {
        return Ok(channels.to_vec());
    }
    let fail = |why: String| ResampleError { from, to, why };
    let (count, frames) = (channels.len(), channels.first().map_or(0, Vec::len));
    let mut resampler =
        Fft::<f32>::new(from as usize, to as usize, 1024, count, FixedSync::Both).map_err(|e| fail(e.to_string()))?;
    let input = SequentialSliceOfVecs::new(channels, count, frames).map_err(|e| fail(e.to_string()))?;
    let samples = resampler.process_all(&input, frames, None).map_err(|e| fail(e.to_string()))?.take_data();
    let channels: Vec<Vec<f32>> =
        (0..count).map(|channel| samples.iter().skip(channel).step_by(count).copied().collect()).collect();
    if channels.iter().any(Vec::is_empty) {
        return Err(fail("it is too short".to_owned()));
    }
    Ok(channels)
}
