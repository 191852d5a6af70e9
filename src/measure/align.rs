//! Alignment of a decoded signal with its original, for codecs that don't state their delay.

use realfft::RealFftPlanner;
use realfft::num_complex::Complex;

/// The lag in samples, within ±`most`, at which `decoded` resembles `original` most: positive where it comes late. 0
/// where they have nothing in common.
pub fn lag(original: &[f32], decoded: &[f32], most: usize) -> i64 {
    let length = original.len().max(decoded.len());
    if length == 0 {
        return 0;
    }
    let size = (length + most + 1).next_power_of_two();
    let mut planner = RealFftPlanner::<f32>::new();
    let (forward, inverse) = (planner.plan_fft_forward(size), planner.plan_fft_inverse(size));
    let spectrum = |signal: &[f32]| {
        let (mut input, mut bins) = (forward.make_input_vec(), forward.make_output_vec());
        input[..signal.len()].copy_from_slice(signal);
        // Lengths are the plan's own, here and below, so this can't fail.
        let _ = forward.process(&mut input, &mut bins);
        bins
    };
    let (a, mut b) = (spectrum(original), spectrum(decoded));
    b.iter_mut().zip(&a).for_each(|(b, a)| *b *= a.conj());
    // Of real signals, these two are real.
    let last = b.len() - 1;
    (b[0], b[last]) = (Complex::new(b[0].re, 0.0), Complex::new(b[last].re, 0.0));
    let mut correlation = inverse.make_output_vec();
    let _ = inverse.process(&mut b, &mut correlation);
    let most = most as i64;
    let at = |lag: i64| correlation[lag.rem_euclid(size as i64) as usize];
    let best = (-most..=most).max_by(|&x, &y| at(x).total_cmp(&at(y)).then(y.abs().cmp(&x.abs())));
    best.filter(|&lag| at(lag) > 0.0).unwrap_or(0)
}

/// `decoded`, moved by `lag` samples to where it belongs, at `length` samples.
pub fn align(decoded: &[f32], lag: i64, length: usize) -> Vec<f32> {
    let sample = |index: usize| usize::try_from(index as i64 + lag).ok().and_then(|at| decoded.get(at)).copied();
    (0..length).map(|index| sample(index).unwrap_or(0.0)).collect()
}
