//! The spectrogram of a whole signal.

use realfft::RealFftPlanner;

/// Samples of the window.
const WINDOW: usize = 2048;
/// Range below the loudest that is drawn, in dB.
pub const RANGE_DB: f64 = 80.0;

/// Power in dB of `columns` moments of a signal by frequency.
pub struct Spectrogram {
    /// `[columns][bins]`.
    columns: Vec<Vec<f32>>,
    hz_per_bin: f64,
    loudest: f32,
}

impl Spectrogram {
    /// Of `samples` at `sample_rate` Hz, evenly spread over `columns`.
    pub fn new(samples: &[f32], sample_rate: u32, columns: usize) -> Self {
        let fft = RealFftPlanner::<f32>::new().plan_fft_forward(WINDOW);
        let (mut input, mut bins) = (fft.make_input_vec(), fft.make_output_vec());
        let hann: Vec<f32> =
            (0..WINDOW).map(|i| 0.5 - 0.5 * (std::f32::consts::TAU * i as f32 / WINDOW as f32).cos()).collect();
        let mut loudest = f32::MIN;
        let columns = (0..columns)
            .map(|column| {
                let centre = ((column as f64 + 0.5) / columns as f64 * samples.len() as f64) as i64;
                for (index, (input, weight)) in input.iter_mut().zip(&hann).enumerate() {
                    let at = centre - WINDOW as i64 / 2 + index as i64;
                    let sample = usize::try_from(at).ok().and_then(|at| samples.get(at)).copied().unwrap_or(0.0);
                    *input = sample * weight * 4.0 / WINDOW as f32;
                }
                // Lengths are the plan's own, so this can't fail.
                let _ = fft.process(&mut input, &mut bins);
                let column: Vec<f32> = bins.iter().map(|bin| 10.0 * (bin.norm_sqr() + 1e-12).log10()).collect();
                loudest = column.iter().copied().fold(loudest, f32::max);
                column
            })
            .collect();
        Self { columns, hz_per_bin: f64::from(sample_rate) / WINDOW as f64, loudest }
    }

    /// Loudness at `time`, 0 to 1 of the whole, and `hz`: 0 for [`RANGE_DB`] below the loudest and less, 1 for the
    /// loudest.
    pub fn loudness(&self, time: f64, hz: f64) -> f64 {
        let column = ((time * self.columns.len() as f64) as usize).min(self.columns.len() - 1);
        let column = &self.columns[column];
        let bin = (hz / self.hz_per_bin).clamp(0.0, (column.len() - 1) as f64);
        let (low, share) = (bin as usize, bin.fract());
        let high = (low + 1).min(column.len() - 1);
        let db = f64::from(column[low]) * (1.0 - share) + f64::from(column[high]) * share;
        ((db - f64::from(self.loudest)) / RANGE_DB + 1.0).clamp(0.0, 1.0)
    }

    /// The loudest point in dB re a full-scale sine.
    pub fn loudest_db(&self) -> f64 {
        self.loudest.into()
    }
}
