//! Noise-to-mask ratio of whole signals.

use crate::masking::{MASKING_WINDOW, NoiseToMask};
use realfft::RealFftPlanner;

/// Samples from window to window, as BS.1387-1 has it.
const HOP: usize = MASKING_WINDOW / 2;
/// Lowest ratio told, in dB: signals that are equal have none.
const LEAST_DB: f64 = -100.0;

/// Noise-to-mask ratio in dB (Total NMR of ITU-R BS.1387-1, see [`crate::masking`]) of `decoded` against `original`, both aligned
/// and at `sample_rate` Hz, over the length of the shorter one: below 0 the noise is masked in the mean, -100 at least.
pub fn noise_to_mask_db(original: &[f32], decoded: &[f32], sample_rate: u32) -> f64 {
    let length = original.len().min(decoded.len());
    let mut ear = NoiseToMask::new(sample_rate.into(), HOP);
    let fft = RealFftPlanner::<f32>::new().plan_fft_forward(MASKING_WINDOW);
    let (mut input, mut bins, mut scratch) = (fft.make_input_vec(), fft.make_output_vec(), fft.make_scratch_vec());
    let hann = |index: usize| 0.5 - 0.5 * (std::f32::consts::TAU * index as f32 / MASKING_WINDOW as f32).cos();
    let window: Vec<f32> = (0..MASKING_WINDOW).map(|index| hann(index) * 4.0 / MASKING_WINDOW as f32).collect();
    let mut powers = [vec![0.0; bins.len()], vec![0.0; bins.len()]];
    let frames = 1 + length.saturating_sub(MASKING_WINDOW).div_ceil(HOP);
    let mut sum = 0.0;
    for start in (0..frames).map(|frame| frame * HOP) {
        for (signal, powers) in [original, decoded].into_iter().zip(&mut powers) {
            let samples = signal[start..length.min(start + MASKING_WINDOW)].iter().chain(std::iter::repeat(&0.0));
            for ((input, sample), weight) in input.iter_mut().zip(samples).zip(&window) {
                *input = sample * weight;
            }
            // Lengths are the plan's own, so this can't fail.
            let _ = fft.process_with_scratch(&mut input, &mut bins, &mut scratch);
            powers.iter_mut().zip(&bins).for_each(|(power, bin)| *power = bin.norm_sqr());
        }
        let ratios = ear.frame(&powers[0], &powers[1]);
        sum += ratios.iter().map(|&ratio| f64::from(ratio)).sum::<f64>() / ratios.len() as f64;
    }
    (10.0 * (sum / frames as f64).log10()).max(LEAST_DB)
}
