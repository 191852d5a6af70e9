//! Many files: which ones, where their outputs go, and workers that take one after the other.

use super::args::BatchArgs;
use super::failure::{Failure, interruption};
use super::model::workers;
use super::progress::{self, Progress};
use crate::audio::{AUDIO_EXTENSIONS, STDIO};
use crate::container::EXTENSION;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use walkdir::{DirEntry, WalkDir};

/// Extensions of the files that are taken from folders for decoding; for encoding and measuring, [`AUDIO_EXTENSIONS`].
pub const CODED: &[&str] = &[EXTENSION];

/// An input and its output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    pub input: PathBuf,
    pub output: PathBuf,
    /// Found in a folder, or one of several: finished outputs are no error then but work that is done.
    pub resumable: bool,
    /// Bytes of the input, for the progress.
    pub bytes: u64,
}

/// What became of a job.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Done; the text says how it went.
    Done(String),
    /// Had been done before.
    Skipped,
}

/// A file found and the folder it was found in, if any.
struct Found {
    path: PathBuf,
    folder: Option<PathBuf>,
}

fn hidden(entry: &DirEntry) -> bool {
    entry.depth() > 0 && entry.file_name().to_string_lossy().starts_with('.')
}

/// A path's extension in small letters.
fn ending(path: &Path) -> Option<String> {
    path.extension()?.to_str().map(str::to_ascii_lowercase)
}

fn find(inputs: &[PathBuf], endings: &[&str]) -> Result<Vec<Found>, Failure> {
    let mut found = Vec::new();
    for input in inputs {
        if !input.is_dir() {
            found.push(Found { path: input.clone(), folder: None });
            continue;
        }
        let before = found.len();
        let walk = WalkDir::new(input).follow_links(true).sort_by_file_name().into_iter();
        for entry in walk.filter_entry(|entry| !hidden(entry)) {
            let entry = entry.map_err(|error| Failure::about(input.display(), error))?;
            if entry.file_type().is_file() && ending(entry.path()).is_some_and(|ending| endings.contains(&&*ending)) {
                found.push(Found { path: entry.into_path(), folder: Some(input.clone()) });
            }
        }
        if found.len() == before {
            let text = format!("{}: the folder holds no .{} file", input.display(), endings.join(", ."));
            return Err(Failure::Failed(text));
        }
    }
    Ok(found)
}

/// Audio files among `inputs` and in the folders among them.
pub fn audio_files(inputs: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    Ok(find(inputs, AUDIO_EXTENSIONS)?.into_iter().map(|found| found.path).collect())
}

/// The jobs that `inputs` and `output` ask for: beside each input without an output; into the output where it is a
/// folder or there are several inputs, with the folders below it as they are below the input.
pub fn plan(inputs: &[PathBuf], output: Option<&Path>, endings: &[&str], extension: &str) -> Result<Vec<Job>, Failure> {
    let is_pipe = |path: &Path| path.as_os_str() == STDIO;
    if let [input] = inputs
        && !input.is_dir()
    {
        let output = match output {
            None if is_pipe(input) => PathBuf::from(STDIO),
            None => input.with_extension(extension),
            Some(output) if is_folder(output) && !is_pipe(input) => {
                output.join(input.file_name().unwrap_or_default()).with_extension(extension)
            }
            Some(output) => output.to_owned(),
        };
        let bytes = std::fs::metadata(input).map_or(0, |data| data.len());
        return Ok(vec![Job { input: input.clone(), output, resumable: false, bytes }]);
    }
    if inputs.iter().any(|input| is_pipe(input)) || output.is_some_and(is_pipe) {
        return Err(Failure::Usage("standard input and output take one stream, not several files".into()));
    }
    // "encode IN OUT", as other programs have it.
    let written = if endings == CODED { AUDIO_EXTENSIONS } else { CODED };
    if let Some(named) =
        inputs.iter().find(|path| !path.is_dir() && ending(path).is_some_and(|e| written.contains(&&*e)))
    {
        let text = format!("{} would be read, not written; --output names what comes out", named.display());
        return Err(Failure::Usage(text));
    }
    if let Some(file) = output.filter(|path| path.is_file()) {
        return Err(Failure::Usage(format!("several files can't go to the file {}", file.display())));
    }
    let mut jobs: Vec<Job> = Vec::new();
    for Found { path, folder } in find(inputs, endings)? {
        let below = match &folder {
            Some(folder) => path.strip_prefix(folder).unwrap_or(&path).to_owned(),
            None => PathBuf::from(path.file_name().unwrap_or_default()),
        };
        let to = output.map_or_else(|| path.clone(), |output| output.join(below)).with_extension(extension);
        let bytes = std::fs::metadata(&path).map_or(0, |data| data.len());
        jobs.push(Job { input: path, output: to, resumable: true, bytes });
    }
    let mut taken: HashMap<&Path, &Path> = HashMap::new();
    for job in &jobs {
        if let Some(other) = taken.insert(&job.output, &job.input) {
            return Err(Failure::Usage(format!(
                "{} and {} would both become {}",
                other.display(),
                job.input.display(),
                job.output.display()
            )));
        }
    }
    Ok(jobs)
}

/// A path that is a folder, or is written like one.
fn is_folder(path: &Path) -> bool {
    path.is_dir() || path.to_string_lossy().ends_with(['/', std::path::MAIN_SEPARATOR])
}

/// How far a job is; dropped, it is through.
pub struct JobProgress<'a> {
    progress: &'a Progress,
    bytes: u64,
    told: u64,
}

impl JobProgress<'_> {
    /// The share of the job that is done, 0 to 1.
    pub fn at(&mut self, share: f64) {
        let bytes = ((self.bytes as f64 * share.clamp(0.0, 1.0)) as u64).max(self.told);
        self.progress.advance(bytes - self.told);
        self.told = bytes;
    }
}

impl Drop for JobProgress<'_> {
    fn drop(&mut self) {
        self.at(1.0);
    }
}

/// Runs `work` on every job. What fails is reported and doesn't stop the rest.
///
/// # Errors
/// [`Failure::Reported`] where a job failed; [`Failure::Interrupted`] and [`Failure::BrokenPipe`], which stop all.
pub fn run<W>(jobs: &[Job], args: &BatchArgs, work: W) -> Result<(), Failure>
where
    W: Fn(&Job, &mut JobProgress<'_>) -> Result<Outcome, Failure> + Sync,
{
    let progress = Progress::new(jobs.iter().map(|job| job.bytes).sum(), args.quiet);
    let (next, done, skipped, failed) =
        (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    let stopped: Mutex<Option<Failure>> = Mutex::new(None);
    let stop = |failure| {
        next.store(jobs.len(), Relaxed);
        stopped.lock().unwrap_or_else(std::sync::PoisonError::into_inner).get_or_insert(failure);
    };
    let worker = || {
        while let Some(job) = jobs.get(next.fetch_add(1, Relaxed)) {
            let through = done.load(Relaxed) + skipped.load(Relaxed) + failed.load(Relaxed);
            progress.doing(format!("{}/{}  {}", through + 1, jobs.len(), job.input.display()));
            let mut its_progress = JobProgress { progress: &progress, bytes: job.bytes, told: 0 };
            let outcome =
                interruption().and_then(|()| prepare(job, args.force)).and_then(|()| work(job, &mut its_progress));
            drop(its_progress);
            match outcome {
                Ok(Outcome::Done(text)) => {
                    done.fetch_add(1, Relaxed);
                    if progress::wanted(args.quiet) {
                        progress::say(&text);
                    }
                }
                Ok(Outcome::Skipped) => {
                    skipped.fetch_add(1, Relaxed);
                }
                Err(failure @ (Failure::Interrupted | Failure::BrokenPipe)) => stop(failure),
                Err(failure) => {
                    failed.fetch_add(1, Relaxed);
                    if let Some(text) = failure.text() {
                        progress::warn(&text);
                    }
                }
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..workers(args.jobs).min(jobs.len()) {
            scope.spawn(worker);
        }
        worker();
    });
    drop(progress);
    let [done, skipped, failed] = [done, skipped, failed].map(AtomicUsize::into_inner);
    if jobs.len() > 1 && progress::wanted(args.quiet) {
        progress::say(&format!("{done} done, {skipped} done before, {failed} failed"));
    }
    match stopped.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
        Some(failure) => Err(failure),
        None if failed > 0 => Err(Failure::Reported),
        None => Ok(()),
    }
}

/// Makes the output's folder; refuses an output that is the input, or exists and was not asked to be replaced.
fn prepare(job: &Job, force: bool) -> Result<(), Failure> {
    if job.output.as_os_str() == STDIO {
        return Ok(());
    }
    if let (Ok(input), Ok(output)) = (job.input.canonicalize(), job.output.canonicalize())
        && input == output
    {
        return Err(Failure::Failed(format!("{}: input and output are the same file", job.input.display())));
    }
    if !job.resumable && !force && job.output.exists() && !job.output.is_dir() {
        return Err(Failure::Failed(format!("{} exists; --force replaces it", job.output.display())));
    }
    if let Some(folder) = job.output.parent().filter(|_| job.resumable) {
        std::fs::create_dir_all(folder).map_err(|error| Failure::writing(folder, error))?;
    }
    Ok(())
}
