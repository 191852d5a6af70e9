//! How far the decoded sound is from the dry one, in the figures that are measured live.

use super::report::NOISE_FLOOR_DB;

/// What one hop adds to the distortion, all channels together; dry and decoded aligned to the sample.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Distortion {
    /// Energy of the dry samples.
    pub dry: f64,
    /// Energy of the decoded samples.
    pub decoded: f64,
    /// Sum of the products of both.
    pub product: f64,
    /// Log-spectral distance of the frame in dB: root mean square, over the bins of the view's spectrum, of the
    /// difference of both levels; what is below [`LOG_SPECTRAL_FLOOR_DB`] counts as that.
    pub log_spectral: f32,
    /// Noise-to-mask ratio of the frame, as a ratio of powers: the mean over the ear's bands ([`crate::masking`]).
    pub noise_to_mask: f32,
}

/// Level in dB re a full-scale sine, in one bin, that the log-spectral distance takes for nothing.
pub const LOG_SPECTRAL_FLOOR_DB: f32 = -90.0;
/// Seconds that the distortion is told over: long enough for a figure that stands, short enough to follow a knob.
pub const DISTORTION_SECONDS: f64 = 3.0;
/// Highest ratio told, in dB: beyond, arithmetic of single precision is all that differs.
const MOST_DB: f64 = 100.0;

impl Distortion {
    /// Of a hop of dry and decoded samples, without the spectra.
    pub fn of(dry: impl Iterator<Item = f32>, decoded: impl Iterator<Item = f32>) -> Self {
        let mut sum = Self::default();
        for (dry, decoded) in dry.zip(decoded) {
            let (dry, decoded) = (f64::from(dry), f64::from(decoded));
            sum.dry += dry * dry;
            sum.decoded += decoded * decoded;
            sum.product += dry * decoded;
        }
        sum
    }

    /// [`Self::noise_to_mask`] in dB, [`NOISE_FLOOR_DB`] at least.
    pub fn noise_to_mask_db(&self) -> f32 {
        (10.0 * self.noise_to_mask.log10()).max(NOISE_FLOOR_DB)
    }
}

/// Distortion over some frames.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct DistortionSum {
    sum: Distortion,
    log_spectral: f64,
    noise_to_mask: f64,
    frames: u64,
}

impl DistortionSum {
    /// Adds a frame.
    pub fn push(&mut self, frame: &Distortion) {
        self.sum.dry += frame.dry;
        self.sum.decoded += frame.decoded;
        self.sum.product += frame.product;
        self.log_spectral += f64::from(frame.log_spectral);
        self.noise_to_mask += f64::from(frame.noise_to_mask);
        self.frames += 1;
    }

    /// Scale-invariant signal-to-distortion ratio in dB (Le Roux et al., "SDR – half-baked or well done?", ICASSP
    /// 2019): the energy of the decoded sound's part along the dry one, over that of the rest. 100 at most, `None`
    /// without sound.
    pub fn si_sdr_db(&self) -> Option<f64> {
        let Distortion { dry, decoded, product, .. } = self.sum;
        if dry <= 0.0 || decoded <= 0.0 {
            return None;
        }
        let along = product * product / dry;
        let rest = (decoded - along).max(0.0);
        Some((10.0 * (along / rest).log10()).clamp(-MOST_DB, MOST_DB))
    }

    /// Log-spectral distance in dB: the mean of the frames' ones; `None` without frames.
    pub fn log_spectral_db(&self) -> Option<f64> {
        (self.frames > 0).then(|| self.log_spectral / self.frames as f64)
    }

    /// Noise-to-mask ratio in dB (Total NMR of ITU-R BS.1387-1): of the mean of the frames' ratios; below 0 what the codec got wrong is
    /// masked in the mean. `None` without frames.
    pub fn noise_to_mask_db(&self) -> Option<f64> {
        let mean = self.noise_to_mask / self.frames as f64;
        (self.frames > 0).then(|| (10.0 * mean.log10()).clamp(-MOST_DB, MOST_DB))
    }
}

impl<'a> FromIterator<&'a Distortion> for DistortionSum {
    fn from_iter<I: IntoIterator<Item = &'a Distortion>>(frames: I) -> Self {
        let mut sum = Self::default();
        frames.into_iter().for_each(|frame| sum.push(frame));
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenth_of_noise_is_twenty_decibels_at_any_gain() {
        let dry: Vec<f32> = (0..4410).map(|i| (i as f32 * 0.1).sin()).collect();
        let other: Vec<f32> = (0..4410).map(|i| (i as f32 * 0.37).sin()).collect();
        for gain in [0.25, 1.0, 3.0] {
            let decoded = dry.iter().zip(&other).map(|(a, b)| gain * (a + 0.1 * b));
            let frame = Distortion::of(dry.iter().copied(), decoded);
            let ratio = [frame].iter().collect::<DistortionSum>().si_sdr_db().unwrap();
            assert!((ratio - 20.0).abs() < 0.1, "{ratio} dB at gain {gain}");
        }
        let same = Distortion::of(dry.iter().copied(), dry.iter().copied());
        assert_eq!([same].iter().collect::<DistortionSum>().si_sdr_db(), Some(MOST_DB));
        let silent = Distortion::of(dry.iter().map(|_| 0.0), dry.iter().copied());
        assert_eq!([silent].iter().collect::<DistortionSum>().si_sdr_db(), None);
    }
}
