//! The ear's bands.

/// Edges of the lowest and the highest band in Hz (BS.1387-1, 2.1.5).
const LOWEST_HZ: f64 = 80.0;
const HIGHEST_HZ: f64 = 18_000.0;
/// Width of a band in Bark.
pub(super) const WIDTH_BARK: f64 = 0.25;

/// A band of a quarter of a Bark, and what of each bin lies in it.
pub(super) struct Band {
    pub low_hz: f64,
    pub high_hz: f64,
    pub centre_hz: f64,
    /// First bin of `shares`.
    pub first: usize,
    /// Share of each bin, in 0 to 1.
    pub shares: Vec<f32>,
}

/// Bark of a frequency in Hz, by Schroeder's formula.
fn bark(hz: f64) -> f64 {
    7.0 * (hz / 650.0).asinh()
}

fn hertz(bark: f64) -> f64 {
    650.0 * (bark / 7.0).sinh()
}

/// The bands that a spectrum of `bins` bins up to `nyquist` Hz, both ends included, reaches with their centres.
pub(super) fn bands(bins: usize, nyquist: f64) -> Vec<Band> {
    let (low, high) = (bark(LOWEST_HZ), bark(HIGHEST_HZ));
    let spacing = nyquist / (bins - 1) as f64;
    let number = ((high - low) / WIDTH_BARK).ceil() as usize;
    let band = |index: usize| {
        let start = low + index as f64 * WIDTH_BARK;
        let end = (start + WIDTH_BARK).min(high);
        let (low_hz, high_hz) = (hertz(start), hertz(end));
        // A bin stands for what is half a bin around it.
        let first = (low_hz / spacing + 0.5).floor() as usize;
        let last = ((high_hz / spacing + 0.5).ceil() as usize).min(bins);
        let share = |bin: usize| {
            let (from, to) = ((bin as f64 - 0.5) * spacing, (bin as f64 + 0.5) * spacing);
            ((to.min(high_hz) - from.max(low_hz)) / spacing).clamp(0.0, 1.0) as f32
        };
        let shares = (first..last).map(share).collect();
        Band { low_hz, high_hz, centre_hz: hertz((start + end) / 2.0), first, shares }
    };
    (0..number).map(band).take_while(|band| band.centre_hz < nyquist).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_are_those_of_the_standard_and_part_the_bins_among_them() {
        let bands = bands(1025, 24_000.0);
        assert_eq!(bands.len(), 109);
        assert!((bands[0].high_hz - 103.445).abs() < 0.01 && (bands[0].centre_hz - 91.708).abs() < 0.01);
        assert!((bands[108].centre_hz - 17_690.045).abs() < 0.01 && (bands[108].high_hz - 18_000.0).abs() < 1e-6);
        let mut sums = vec![0.0; 1025];
        for band in &bands {
            for (sum, share) in sums[band.first..].iter_mut().zip(&band.shares) {
                *sum += share;
            }
        }
        // 80 Hz is bin 3.4, 18 kHz bin 768: between them each bin counts once, beyond them nothing.
        assert!(sums[..3].iter().chain(&sums[769..]).all(|&sum| sum == 0.0));
        assert!(sums[4..768].iter().all(|sum| (sum - 1.0).abs() < 1e-3), "{sums:?}");
    }

    #[test]
    fn lower_rates_have_the_bands_below_half_of_them() {
        let bands = bands(1025, 8_000.0);
        assert!(bands.last().is_some_and(|band| (7_500.0..8_000.0).contains(&band.centre_hz)));
        assert!(bands.iter().all(|band| !band.shares.is_empty()));
    }
}
