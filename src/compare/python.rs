//! Measures that exist as Python packages only, where Python has them: PESQ (`pesq`, wide-band), ESTOI (`pystoi`) and
//! ViSQOL in its audio mode (`visqol-python`). Nothing else needs Python.

use super::codecs::write_wav;
use crate::audio::{ResampleError, resample};
use serde::{Deserialize, Serialize};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// Environment variable with the Python to use in place of `python3`.
pub const PYTHON_VARIABLE: &str = "VRVQ_PYTHON";
const SCRIPT: &str = include_str!("score.py");
/// All measures, by the names of the script.
const MEASURES: [(&str, &str); 3] = [("pesq", "pesq"), ("estoi", "pystoi"), ("visqol", "visqol-python")];

/// Why scores can't be had.
#[derive(Debug, thiserror::Error)]
pub enum ScoringError {
    /// Python isn't there or breaks off.
    #[error("Python ({python}): {why}")]
    Python { python: String, why: String },
    /// The signals can't be handed over.
    #[error(transparent)]
    Codec(#[from] super::CodecError),
    /// The signals can't be brought to the measures' rates.
    #[error(transparent)]
    Resample(#[from] ResampleError),
}

/// Scores of a decoded signal; none where a measure isn't there or finds nothing to score.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// Wide-band PESQ (ITU-T P.862.2), 1 to 4.6; made for speech.
    #[serde(default)]
    pub pesq: Option<f64>,
    /// Extended short-time objective intelligibility, up to 1; made for speech.
    #[serde(default)]
    pub estoi: Option<f64>,
    /// ViSQOL v3's mean opinion score in audio mode, 1 to 5.
    #[serde(default)]
    pub visqol: Option<f64>,
}

/// A Python that scores, as long as it lives.
pub struct PythonScores {
    python: String,
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    measures: Vec<String>,
}

impl PythonScores {
    /// Starts Python and asks which measures it has.
    ///
    /// # Errors
    /// [`ScoringError::Python`] where it can't be started.
    pub fn start() -> Result<Self, ScoringError> {
        let python = std::env::var(PYTHON_VARIABLE).ok().filter(|p| !p.is_empty()).unwrap_or("python3".into());
        let failed = |why: String| ScoringError::Python { python: python.clone(), why };
        let mut child = Command::new(&python)
            .args(["-c", SCRIPT])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| failed(error.to_string()))?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(failed("it has no pipes".into()));
        };
        let mut scores =
            Self { python: python.clone(), child, input, output: BufReader::new(output), measures: vec![] };
        scores.measures = scores.answer()?;
        Ok(scores)
    }

    /// The measures that are there, and the packages of those that aren't.
    pub fn measures(&self) -> (Vec<&str>, Vec<&'static str>) {
        let missing = MEASURES.iter().filter(|(name, _)| !self.measures.iter().any(|there| there == name));
        (self.measures.iter().map(String::as_str).collect(), missing.map(|(_, package)| *package).collect())
    }

    fn answer<T: serde::de::DeserializeOwned>(&mut self) -> Result<T, ScoringError> {
        let failed = |why: String| ScoringError::Python { python: self.python.clone(), why };
        let mut line = String::new();
        match self.output.read_line(&mut line) {
            Ok(0) => Err(failed("it ended too early".into())),
            Ok(_) => serde_json::from_str(&line).map_err(|error| failed(error.to_string())),
            Err(error) => Err(failed(error.to_string())),
        }
    }

    /// Scores `decoded` against `original`, both of one channel at `sample_rate` Hz and aligned.
    ///
    /// # Errors
    /// [`ScoringError`] where Python breaks off or the signals can't be resampled or written.
    pub fn score(&mut self, original: &[f32], decoded: &[f32], sample_rate: u32) -> Result<Scores, ScoringError> {
        let folder = tempfile::tempdir().map_err(super::CodecError::Io)?;
        let mut pair = serde_json::Map::new();
        for (name, signal) in [("original", original), ("decoded", decoded)] {
            for (ending, rate) in [("16k", 16_000), ("48k", 48_000)] {
                let key = format!("{name}_{ending}");
                let path = folder.path().join(format!("{key}.wav"));
                let resampled = resample(&[signal.to_vec()], sample_rate, rate)?;
                write_wav(&path, &resampled[0], rate)?;
                pair.insert(key, path_text(&path).into());
            }
        }
        let line = serde_json::Value::Object(pair).to_string();
        let failed =
            |error: std::io::Error| ScoringError::Python { python: self.python.clone(), why: error.to_string() };
        writeln!(self.input, "{line}").and_then(|()| self.input.flush()).map_err(failed)?;
        self.answer()
    }
}

fn path_text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

impl Drop for PythonScores {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
