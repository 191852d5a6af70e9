//! How a sound in one of the ear's bands masks the others (BS.1387-1, 2.1.7).

use super::bands::{Band, WIDTH_BARK};

/// Powers add up after they were compressed by this exponent.
const EXPONENT: f32 = 0.4;
/// Slope towards lower frequencies in dB a Bark.
const LOWER_DB: f64 = 27.0;
/// Sounds far beyond full scale mask no further than this many dB a Bark.
const FLATTEST_DB: f32 = -1.0;

/// Spreads the power of each band over all.
pub(super) struct Spreading {
    /// Factors from a band to the one below: of power and compressed.
    lower: [f32; 2],
    /// Slope towards higher frequencies in dB a band, without the part of the level.
    upper_db: Vec<f32>,
    /// What a band without sound would come to, which is divided by.
    norms: Vec<f32>,
    compressed: Vec<f32>,
}

impl Spreading {
    pub fn new(bands: &[Band]) -> Self {
        let lower = 10f64.powf(-LOWER_DB * WIDTH_BARK / 10.0);
        let mut spreading = Self {
            lower: [lower as f32, lower.powf(EXPONENT.into()) as f32],
            upper_db: bands.iter().map(|band| ((-24.0 - 230.0 / band.centre_hz) * WIDTH_BARK) as f32).collect(),
            norms: vec![1.0; bands.len()],
            compressed: vec![0.0; bands.len()],
        };
        let mut norms = vec![1.0; bands.len()];
        spreading.apply(&mut norms);
        spreading.norms = norms;
        spreading
    }

    /// Spreads `powers`, `[bands]`, in place.
    pub fn apply(&mut self, powers: &mut [f32]) {
        let bands = powers.len();
        self.compressed.fill(0.0);
        for (band, &power) in powers.iter().enumerate() {
            let level = 10.0 * power.log10();
            // A louder sound reaches further up.
            let slope = self.upper_db[band] + 0.2 * WIDTH_BARK as f32 * level;
            let upper = 10f32.powf(slope.min(FLATTEST_DB * WIDTH_BARK as f32) / 10.0);
            // The whole of a band's spread holds its power.
            let [lower, lower_compressed] = self.lower;
            let below = lower * (1.0 - lower.powi(band as i32)) / (1.0 - lower);
            let above = (1.0 - upper.powi((bands - band) as i32)) / (1.0 - upper);
            let here = (power / (below + above)).powf(EXPONENT);
            let mut share = here;
            for to in self.compressed[..band].iter_mut().rev() {
                share *= lower_compressed;
                *to += share;
            }
            let upper = upper.powf(EXPONENT);
            let mut share = here;
            for to in &mut self.compressed[band..] {
                *to += share;
                share *= upper;
            }
        }
        for ((power, &sum), norm) in powers.iter_mut().zip(&self.compressed).zip(&self.norms) {
            *power = sum.powf(1.0 / EXPONENT) / norm;
        }
    }
}
