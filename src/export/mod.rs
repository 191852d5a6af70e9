//! What is on screen as files: the picture, and the frame reports as a table.

use crate::engine::{FrameReport, StereoMode};
use crate::picture::{self, PictureError};
use crate::saved;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why the frames can't be saved.
#[derive(Debug, Error)]
pub enum ExportError {
    /// The picture can't be drawn or written.
    #[error(transparent)]
    Picture(#[from] PictureError),
    /// The folder or the table can't be written.
    #[error("{path} can't be written: {source}")]
    Write { path: PathBuf, source: std::io::Error },
}

/// The files that were written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// The picture, PNG.
    pub picture: PathBuf,
    /// The table, CSV.
    pub table: PathBuf,
}

/// Writes `reports`, oldest first, at `frame_rate` frames a second, to `folder`, which is made where it is missing: a
/// picture under `title` and a table. Both are named by the time of now.
///
/// # Errors
/// [`ExportError`] where there are no frames or a file can't be written.
pub fn save(reports: &[FrameReport], frame_rate: f64, title: &str, folder: &Path) -> Result<Exported, ExportError> {
    std::fs::create_dir_all(folder).map_err(|source| ExportError::Write { path: folder.to_owned(), source })?;
    let name = format!("vrvq-{}", saved::file_stamp(time::OffsetDateTime::now_utc()));
    let exported = Exported { picture: folder.join(format!("{name}.png")), table: folder.join(format!("{name}.csv")) };
    picture::write_png(&exported.picture, reports, frame_rate, title)?;
    write_csv(&exported.table, reports, frame_rate)?;
    Ok(exported)
}

/// Writes a table of `reports`: a row for each channel of each frame, with the frame's number and time in seconds, the
/// channel, its importance p, the codebooks n, the bits, the level or codebooks it was packed at, whether it came too
/// late, whether its packet was lost on the simulated line, the noise-to-mask ratio of all channels in dB, and its codes, parted by spaces.
///
/// # Errors
/// [`ExportError::Write`] where the file can't be written.
pub fn write_csv(path: &Path, reports: &[FrameReport], frame_rate: f64) -> Result<(), ExportError> {
    let write = || -> Result<(), csv::Error> {
        let mut writer = csv::Writer::from_path(path)?;
        let columns = [
            "frame",
            "seconds",
            "channel",
            "importance",
            "codebooks",
            "bits",
            "rate",
            "late",
            "lost",
            "noise_to_mask_db",
            "codes",
        ];
        writer.write_record(columns)?;
        for report in reports {
            let noise = report.distortion.noise_to_mask_db();
            for (frame, channel) in report.channel_frames().iter().zip(channel_names(report)) {
                let codes: Vec<String> =
                    frame.codes.iter().take(usize::from(frame.count)).map(ToString::to_string).collect();
                writer.write_record([
                    report.index.to_string(),
                    format!("{:.5}", report.index as f64 / frame_rate),
                    (*channel).to_owned(),
                    format!("{:.4}", frame.importance),
                    frame.count.to_string(),
                    frame.bits.to_string(),
                    report.rate.to_string(),
                    report.late.to_string(),
                    report.lost.to_string(),
                    format!("{noise:.1}"),
                    codes.join(" "),
                ])?;
            }
        }
        writer.flush()?;
        Ok(())
    };
    write().map_err(|error| ExportError::Write { path: path.to_owned(), source: error.into() })
}

fn channel_names(report: &FrameReport) -> &'static [&'static str] {
    if report.channels == 1 { StereoMode::Mono.channel_names() } else { report.stereo.channel_names() }
}

/// [`save`] to the user's folder, with its outcome in words.
pub fn save_for_user(reports: &[FrameReport], frame_rate: f64, title: &str) -> String {
    match save(reports, frame_rate, title, &saved::folder()) {
        Ok(exported) => format!("Saved {} and the table beside it", exported.picture.display()),
        Err(error) => format!("Nothing was saved: {error}"),
    }
}
