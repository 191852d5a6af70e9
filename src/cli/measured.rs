//! Files measured one by one, by several workers, and the table of what came out.

use super::args::MeasureArgs;
use super::failure::{Failure, interruption, print};
use super::model::workers;
use super::progress::{Progress, warn};
use crate::compare::Scores;
use crate::measure::{Analysis, MelDistance, noise_to_mask_db, read_mono, si_sdr};
use crate::model::Model;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

/// One file at one operating point.
#[derive(Debug, Clone)]
pub struct Measurement {
    pub codec: String,
    pub point: String,
    pub bits: f64,
    pub seconds: f64,
    pub distances: Distances,
    pub scores: Scores,
}

/// A measure: its name in figures, and where it stands in a row.
pub type Measure = (&'static str, fn(&Row) -> Option<f64>);

/// What is always measured.
pub const MEASURES: [Measure; 3] = [
    ("SI-SDR, dB", |row| Some(row.si_sdr_db)),
    ("Log-mel distance", |row| Some(row.log_mel)),
    ("Noise-to-mask ratio, dB", |row| Some(row.noise_to_mask_db)),
];

/// How far a decoded signal is from its original.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Distances {
    /// Scale-invariant signal-to-distortion ratio in dB.
    pub si_sdr_db: f64,
    /// Log-mel distance.
    pub log_mel: f64,
    /// Noise-to-mask ratio in dB.
    pub noise_to_mask_db: f64,
}

/// Measures distances at one sample rate.
pub struct Ruler {
    sample_rate: u32,
    mel: MelDistance,
}

impl Ruler {
    /// For signals at `sample_rate` Hz.
    pub fn new(sample_rate: u32) -> Self {
        Self { sample_rate, mel: MelDistance::new(sample_rate) }
    }

    /// The distances of `decoded` from `original`, aligned.
    pub fn measure(&self, original: &[f32], decoded: &[f32]) -> Distances {
        Distances {
            si_sdr_db: si_sdr(original, decoded),
            log_mel: self.mel.distance(original, decoded),
            noise_to_mask_db: noise_to_mask_db(original, decoded, self.sample_rate),
        }
    }
}

/// An operating point: kb/s over all files, the rest as means of the files.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    pub codec: String,
    pub point: String,
    pub kilobits_per_second: f64,
    pub si_sdr_db: f64,
    pub log_mel: f64,
    pub noise_to_mask_db: f64,
    pub pesq: Option<f64>,
    pub estoi: Option<f64>,
    pub visqol: Option<f64>,
    pub files: usize,
}

/// The start of each file, encoded once and measured by `work`; what fails is reported and left out.
///
/// # Errors
/// [`Failure::Reported`] where nothing could be measured, [`Failure::Interrupted`].
pub fn each<W>(files: &[PathBuf], args: &MeasureArgs, model: &Arc<Model>, work: W) -> Result<Vec<Measurement>, Failure>
where
    W: Fn(&Analysis) -> Result<Vec<Measurement>, Failure> + Sync,
{
    let progress = Progress::new(files.len() as u64, args.quiet);
    let next = AtomicUsize::new(0);
    let results: Mutex<Vec<(usize, Vec<Measurement>)>> = Mutex::new(Vec::new());
    let (rate, effort) = (model.card().sample_rate, args.search.effort(model)?);
    let one = |path: &Path| -> Result<Vec<Measurement>, Failure> {
        interruption()?;
        let samples = read_mono(path, rate, 0.0, args.duration)?;
        work(&Analysis::new(model, samples, effort)?)
    };
    let worker = || {
        while let Some(path) = files.get(next.fetch_add(1, Relaxed)) {
            progress.doing(path.display().to_string());
            match one(path) {
                Ok(measured) => {
                    let index = files.iter().position(|file| file == path).unwrap_or(0);
                    results.lock().unwrap_or_else(PoisonError::into_inner).push((index, measured));
                }
                Err(Failure::Interrupted) => next.store(files.len(), Relaxed),
                Err(failure) => warn(&failure.text().unwrap_or_default()),
            }
            progress.advance(1);
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..workers(args.jobs).min(files.len()) {
            scope.spawn(worker);
        }
        worker();
    });
    interruption()?;
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_by_key(|(index, _)| *index);
    if results.is_empty() {
        return Err(Failure::Reported);
    }
    Ok(results.into_iter().flat_map(|(_, measured)| measured).collect())
}

/// Rows of all points, in the order in which they came.
pub fn rows(measured: &[Measurement]) -> Vec<Row> {
    let mut points: Vec<(&str, &str)> = Vec::new();
    for m in measured {
        if !points.contains(&(&m.codec, &m.point)) {
            points.push((&m.codec, &m.point));
        }
    }
    let row = |(codec, point): (&str, &str)| {
        let those: Vec<&Measurement> = measured.iter().filter(|m| m.codec == codec && m.point == point).collect();
        let mean = |value: &dyn Fn(&Measurement) -> Option<f64>| {
            let values: Vec<f64> = those.iter().filter_map(|m| value(m)).collect();
            (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
        };
        let (bits, seconds) = those.iter().fold((0.0, 0.0), |sum, m| (sum.0 + m.bits, sum.1 + m.seconds));
        Row {
            codec: codec.to_owned(),
            point: point.to_owned(),
            kilobits_per_second: bits / 1000.0 / seconds,
            si_sdr_db: mean(&|m| Some(m.distances.si_sdr_db)).unwrap_or(f64::NAN),
            log_mel: mean(&|m| Some(m.distances.log_mel)).unwrap_or(f64::NAN),
            noise_to_mask_db: mean(&|m| Some(m.distances.noise_to_mask_db)).unwrap_or(f64::NAN),
            pesq: mean(&|m| m.scores.pesq),
            estoi: mean(&|m| m.scores.estoi),
            visqol: mean(&|m| m.scores.visqol),
            files: those.len(),
        }
    };
    points.into_iter().map(row).collect()
}

/// Prints rows as a table, JSON or CSV.
///
/// # Errors
/// Where standard output takes nothing.
pub fn show(rows: &[Row], args: &MeasureArgs) -> Result<(), Failure> {
    if args.json {
        return print(&serde_json::to_string_pretty(rows).map_err(|error| Failure::about("JSON", error))?);
    }
    if args.csv {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let written = rows.iter().try_for_each(|row| writer.serialize(row));
        written.map_err(|error| Failure::about("CSV", error))?;
        let bytes = writer.into_inner().map_err(|error| Failure::about("CSV", error.error()))?;
        return print(String::from_utf8_lossy(&bytes).trim_end());
    }
    let optional = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.3}"));
    let mut text = format!(
        "{:<16} {:<12} {:>7} {:>10} {:>8} {:>7} {:>7} {:>7} {:>7} {:>6}\n",
        "codec", "point", "kb/s", "SI-SDR dB", "log-mel", "NMR dB", "PESQ", "ESTOI", "ViSQOL", "files"
    );
    for row in rows {
        text += &format!(
            "{:<16} {:<12} {:>7.2} {:>10.2} {:>8.3} {:>7.2} {:>7} {:>7} {:>7} {:>6}\n",
            row.codec,
            row.point,
            row.kilobits_per_second,
            row.si_sdr_db,
            row.log_mel,
            row.noise_to_mask_db,
            optional(row.pesq),
            optional(row.estoi),
            optional(row.visqol),
            row.files
        );
    }
    print(text.trim_end())
}
