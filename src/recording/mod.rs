//! The live stream kept in two files: what the codec thread packed, as `.vrvq`, and what its decoder made of it, as WAV.
//!
//! Decisions:
//! - *A tap and a thread.* The codec thread hands frames and their sound to a ring; a thread of its own writes them. A slow
//!   disk costs gaps in the files, which are marked and counted, and never the sound.
//! - *Aligned.* Both files begin with the same sample, and the WAV goes through the resampler that decodes a file: decoding
//!   the `.vrvq` gives the WAV. The frames before the first are kept too, for the decoder's state, and dropped as delay.
//! - *What arrives.* Frames are those of the setting that is heard. A packet lost on the simulated line is a gap in the
//!   `.vrvq`; the WAV has what concealment made of it. Monitor and level match are how one listens, and in neither.
//! - *Kept.* The files have their names from the start and are of use unfinished, so that a crash leaves the take.

mod error;
mod files;

pub use error::RecordError;

use crate::audio::{Output, mend_wav};
use crate::engine::{TapReceiver, Telemetry};
use crate::saved;
use files::Files;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::Duration;

/// Seconds of the stream that wait for a slow disk.
const RING_SECONDS: f64 = 10.0;
/// How often the ring is emptied.
const PERIOD: Duration = Duration::from_millis(20);

/// How far a recording is.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Progress {
    /// Seconds of sound in the files.
    pub seconds: f64,
    /// Bytes of the `.vrvq` and of the WAV.
    pub bytes: u64,
    pub wav_bytes: u64,
    /// Frames that are missing because they came too late to be written, or at all.
    pub missing: u64,
}

/// A recording that has ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    pub vrvq: PathBuf,
    pub wav: PathBuf,
    pub progress: Progress,
    /// What else the user should know, in a sentence each.
    pub notes: Vec<String>,
}

impl std::fmt::Display for Recorded {
    /// What was kept, in words.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Progress { seconds, bytes, .. } = self.progress;
        write!(f, "Recorded {seconds:.1} s: {} ({}) and the WAV beside it.", self.vrvq.display(), size_text(bytes))?;
        self.notes.iter().try_for_each(|note| write!(f, " {note}"))
    }
}

/// A number of bytes for people: `340 kB`.
pub fn size_text(bytes: u64) -> String {
    match bytes {
        0..1_000_000 => format!("{:.0} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.2} GB", bytes as f64 / 1e9),
    }
}

#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    /// Bits of the seconds.
    seconds: AtomicU64,
    bytes: AtomicU64,
    wav_bytes: AtomicU64,
    missing: AtomicU64,
}

impl Shared {
    fn tell(&self, progress: Progress) {
        self.seconds.store(progress.seconds.to_bits(), Relaxed);
        self.bytes.store(progress.bytes, Relaxed);
        self.wav_bytes.store(progress.wav_bytes, Relaxed);
        self.missing.store(progress.missing, Relaxed);
    }

    fn progress(&self) -> Progress {
        Progress {
            seconds: f64::from_bits(self.seconds.load(Relaxed)),
            bytes: self.bytes.load(Relaxed),
            wav_bytes: self.wav_bytes.load(Relaxed),
            missing: self.missing.load(Relaxed),
        }
    }
}

struct Running {
    shared: Arc<Shared>,
    thread: JoinHandle<Result<Recorded, RecordError>>,
}

/// Records the stream of a live loop. Dropping it ends the recording; its files are whole.
pub struct Recorder {
    telemetry: Arc<Telemetry>,
    folder: PathBuf,
    running: Option<Running>,
}

impl Recorder {
    /// A recorder of the loop behind `telemetry`, into files in `folder`.
    pub fn new(telemetry: Arc<Telemetry>, folder: PathBuf) -> Self {
        Self { telemetry, folder, running: None }
    }

    /// Starts to record into files of the folder, named by the time of now.
    ///
    /// # Errors
    /// As [`Self::start_at`].
    pub fn start(&mut self) -> Result<(), RecordError> {
        std::fs::create_dir_all(&self.folder)
            .map_err(|source| RecordError::Create { path: self.folder.clone(), source })?;
        let name = format!("vrvq-{}", saved::file_stamp(time::OffsetDateTime::now_utc()));
        // A second recording in one second has the number 2.
        let named = |number: u32| {
            let name = if number == 1 { name.clone() } else { format!("{name}-{number}") };
            self.folder.join(name).with_extension("vrvq")
        };
        let path = (1..100).map(named).find(|path| !path.exists() && !path.with_extension("wav").exists());
        self.start_at(&path.unwrap_or_else(|| named(1)), None)
    }

    /// Starts to record into `path` and, with the ending "wav", a file beside it; at most `limit` samples of each channel. A
    /// recording that runs is finished before.
    ///
    /// # Errors
    /// [`RecordError::NoStream`] where no sound goes through a codec, [`RecordError::Create`] where a file is there or
    /// can't be made, [`RecordError::Thread`] without a thread.
    pub fn start_at(&mut self, path: &Path, limit: Option<u64>) -> Result<(), RecordError> {
        let _ = self.finish();
        let tap = self.telemetry.open_tap(RING_SECONDS).ok_or(RecordError::NoStream)?;
        let wav = path.with_extension("wav");
        if wav == path {
            return Err(RecordError::Name(path.to_owned()));
        }
        let create = |path: &Path| {
            Output::create_new(path).map_err(|source| RecordError::Create { path: path.to_owned(), source })
        };
        let vrvq = create(path)?;
        let files = match create(&wav).and_then(|output| Files::new(tap.format(), vrvq, output, limit)) {
            Ok(files) => files,
            Err(error) => {
                // Without its sound beside it, there is nothing in it.
                let _ = std::fs::remove_file(path);
                return Err(error);
            }
        };
        let shared = Arc::new(Shared::default());
        let (path, told) = (path.to_owned(), shared.clone());
        let work = move || record(tap, files, &told, path, wav);
        let thread = std::thread::Builder::new().name("vrvq recording".into()).spawn(work);
        self.running = Some(Running { shared, thread: thread.map_err(RecordError::Thread)? });
        Ok(())
    }

    /// How far the recording is; `None` where none runs.
    pub fn progress(&self) -> Option<Progress> {
        self.running.as_ref().map(|running| running.shared.progress())
    }

    /// Asks the recording to end; [`Self::poll`] tells when it has.
    pub fn stop(&mut self) {
        if let Some(running) = &self.running {
            running.shared.stop.store(true, Relaxed);
        }
    }

    /// A recording that has ended since the last call: because it was stopped, at its limit, because the stream is another
    /// one, or because the files couldn't be written.
    pub fn poll(&mut self) -> Option<Result<Recorded, RecordError>> {
        let ended = self.running.take_if(|running| running.thread.is_finished())?;
        Some(ended.thread.join().unwrap_or(Err(RecordError::Broken)))
    }

    /// Ends the recording and waits for its files; `None` where none runs.
    pub fn finish(&mut self) -> Option<Result<Recorded, RecordError>> {
        self.stop();
        let ended = self.running.take()?;
        Some(ended.thread.join().unwrap_or(Err(RecordError::Broken)))
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        // Whoever drops it doesn't ask how it went.
        let _ = self.finish();
    }
}

/// Writes what comes out of the tap until it is over, full or to be stopped.
fn record(
    mut tap: TapReceiver,
    mut files: Files,
    shared: &Shared,
    vrvq: PathBuf,
    wav: PathBuf,
) -> Result<Recorded, RecordError> {
    let mut sound = Vec::new();
    let mut result = Ok(());
    let mut notes = Vec::new();
    loop {
        // Asked before the ring is emptied: what came before is then in it.
        let (stop, over) = (shared.stop.load(Relaxed), tap.is_over());
        while let Some(frame) = tap.receive(&mut sound)
            && result.is_ok()
        {
            result = files.push(&frame, &sound);
        }
        shared.tell(files.progress());
        if over && !stop {
            notes.push("It ended because model or sound was set up anew.".to_owned());
        }
        if stop || over || files.full() || result.is_err() {
            break;
        }
        std::thread::sleep(PERIOD);
    }
    drop(tap);
    // What can still be completed of the files is, even where one of them failed.
    let finished = files.finish();
    shared.tell(finished.progress);
    notes.extend(finished.notes);
    let result = result.and(finished.result);
    if matches!(result, Err(RecordError::Wav(_))) {
        // Of a full disk nothing more can be asked than to be read.
        let _ = mend_wav(&wav);
    }
    result?;
    Ok(Recorded { vrvq, wav, progress: finished.progress, notes })
}
