//! Scale-invariant signal-to-distortion ratio.

/// Energy below which there is nothing to compare.
const SILENCE: f64 = 1e-12;

/// SI-SDR in dB (Le Roux et al., ICASSP 2019) of `decoded` against `original`, over the length of the shorter one:
/// the energy of the part of `decoded` that is a multiple of `original`, over the energy of the rest. Means are
/// removed first.
pub fn si_sdr(original: &[f32], decoded: &[f32]) -> f64 {
    let length = original.len().min(decoded.len());
    let (original, decoded) = (&original[..length], &decoded[..length]);
    let mean = |x: &[f32]| x.iter().map(|&x| f64::from(x)).sum::<f64>() / length.max(1) as f64;
    let (mean_original, mean_decoded) = (mean(original), mean(decoded));
    let pairs = || {
        let both = original.iter().zip(decoded);
        both.map(|(&o, &d)| (f64::from(o) - mean_original, f64::from(d) - mean_decoded))
    };
    let (mut product, mut energy) = (0.0, 0.0);
    for (original, decoded) in pairs() {
        product += original * decoded;
        energy += original * original;
    }
    let scale = product / energy.max(SILENCE);
    let rest: f64 = pairs().map(|(original, decoded)| (decoded - scale * original).powi(2)).sum();
    10.0 * (scale * scale * energy / rest.max(SILENCE)).log10()
}
