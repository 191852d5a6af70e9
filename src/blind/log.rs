//! The log of a blind test as a CSV file.

use super::BlindTest;
use crate::saved::{file_stamp, stamp};
use std::path::{Path, PathBuf};
use thiserror::Error;
use time::OffsetDateTime;

/// Why a log can't be kept.
#[derive(Debug, Error)]
pub enum LogError {
    /// The folder or the file can't be made.
    #[error("the log can't be written to {path}: {source}")]
    Write { path: PathBuf, source: std::io::Error },
}

/// The row of a trial: how many were right, and how likely that is by chance, is counted over those of its pair so far.
fn row(index: usize, test: &BlindTest, model: &str) -> [String; 9] {
    let trial = &test.trials[index];
    let so_far = || test.trials[..=index].iter().filter(|other| other.pair == trial.pair);
    let right = so_far().filter(|trial| trial.right()).count();
    let [a, b] = trial.sides.clone();
    [
        (index + 1).to_string(),
        stamp(trial.time, ["-", "T", ":"]) + "Z",
        model.to_owned(),
        a,
        b,
        trial.x.name().to_owned(),
        trial.answer.name().to_owned(),
        right.to_string(),
        format!("{:.4}", super::chance(right, so_far().count())),
    ]
}

/// Writes the trials of `test`, of the model named `model`, to a new file in `folder`, which is made where it is
/// missing; returns its path. Columns: trial, time (UTC), model, what A and B were, what X was, the answer, how many of
/// these two were right so far, and the probability of that by guessing.
///
/// # Errors
/// [`LogError::Write`] where the folder or the file can't be written.
pub fn save(test: &BlindTest, model: &str, folder: &Path) -> Result<PathBuf, LogError> {
    let time = test.trials.last().map_or_else(OffsetDateTime::now_utc, |trial| trial.time);
    let path = folder.join(format!("abx-{}.csv", file_stamp(time)));
    let failed = |source| LogError::Write { path: path.clone(), source };
    std::fs::create_dir_all(folder).map_err(failed)?;
    let write = || -> Result<(), csv::Error> {
        let mut writer = csv::Writer::from_path(&path)?;
        writer.write_record(["trial", "time", "model", "a", "b", "x", "answer", "right", "chance"])?;
        for index in 0..test.trials.len() {
            writer.write_record(row(index, test, model))?;
        }
        writer.flush()?;
        Ok(())
    };
    write().map_err(|error| failed(error.into()))?;
    Ok(path)
}
