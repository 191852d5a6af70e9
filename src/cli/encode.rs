//! `vrvq encode`.

use super::args::{EncodeArgs, StereoChoice};
use super::batch::{self, Job, JobProgress, Outcome};
use super::failure::{Failure, interruption};
use super::progress::warn;
use super::target;
use crate::audio::{AUDIO_EXTENSIONS, AudioReader, Output, STDIO};
use crate::codec::{Effort, RateControl, StereoMode, Target};
use crate::coding::{EncodeSettings, Encoder, model_id};
use crate::container::{EXTENSION, Header, Payload, Reader, Tags};
use crate::model::Model;
use std::fs::File;
use std::io::BufReader;
use std::sync::Arc;

/// Tags that say what made a file, and how, where the header doesn't.
const ENCODER: &str = "ENCODER";
const OPTIONS: &str = "ENCODER_OPTIONS";

/// What all files of a run have in common.
struct Wanted {
    model: Arc<Model>,
    /// None where `kbps` is wanted.
    rate: Option<RateControl>,
    kbps: Option<f64>,
    stereo: StereoMode,
    effort: Effort,
    payload: Payload,
    force: bool,
}

/// Runs the command.
///
/// # Errors
/// What couldn't be encoded.
pub fn run(args: &EncodeArgs) -> Result<(), Failure> {
    let jobs = batch::plan(&args.inputs, args.output.as_deref(), AUDIO_EXTENSIONS, EXTENSION)?;
    let model = args.model.open()?;
    let asked = args.rate.control(model.card()).unwrap_or(RateControl::Target(Target::default()));
    model.card().check_rate(asked)?;
    let wanted = Wanted {
        rate: args.rate.control(model.card()),
        kbps: args.rate.kbps,
        stereo: match args.stereo {
            StereoChoice::LeftRight => StereoMode::LeftRight,
            StereoChoice::MidSide => StereoMode::MidSide,
            StereoChoice::Mono => StereoMode::Mono,
        },
        effort: args.search.effort(&model)?,
        payload: if args.plain { Payload::Plain } else { Payload::Entropy },
        force: args.batch.force,
        model,
    };
    batch::run(&jobs, &args.batch, |job, progress| encode(job, &wanted, progress))
}

fn open(job: &Job) -> Result<AudioReader, Failure> {
    Ok(if job.input.as_os_str() == STDIO { AudioReader::stdin()? } else { AudioReader::open(&job.input)? })
}

fn encode(job: &Job, wanted: &Wanted, progress: &mut JobProgress<'_>) -> Result<Outcome, Failure> {
    let mut audio = open(job)?;
    if job.resumable && !wanted.force && job.output.exists() {
        return wanted.check_finished(job, &audio);
    }
    let rate = match (wanted.rate, wanted.kbps) {
        (Some(rate), _) => rate,
        (None, Some(kbps)) if job.input.is_file() => {
            let first = target::level_for(audio, &wanted.model, kbps, wanted.stereo, wanted.payload, progress)?;
            audio = open(job)?;
            first
        }
        (None, kbps) => {
            let kilobits = kbps.unwrap_or_default() as f32;
            RateControl::Target(Target { kilobits, ..Target::default() }).clamped()
        }
    };
    let name = audio.name().to_owned();
    let failed = |error| Failure::about(&name, error);
    let settings = EncodeSettings {
        rate: Some(rate),
        stereo: wanted.stereo,
        effort: wanted.effort,
        payload: wanted.payload,
        tags: wanted.tags(&audio).map_err(|error| Failure::about(&name, error))?,
        ..EncodeSettings::default()
    };
    let output = Output::create(&job.output).map_err(|error| Failure::writing(&job.output, error))?;
    let mut encoder =
        Encoder::new(output, &wanted.model, audio.sample_rate(), audio.channels(), settings).map_err(failed)?;
    let total = audio.frames().unwrap_or(u64::MAX) as f64;
    let (sample_rate, before) = (audio.sample_rate(), if wanted.kbps.is_some() { 0.5 } else { 0.0 });
    while let Some(planes) = audio.read()? {
        interruption()?;
        encoder.push(planes).map_err(|error| coding_failure(&name, job, error))?;
        progress.at(before + (1.0 - before) * encoder.length() as f64 / total);
    }
    for note in audio.notes() {
        warn(&format!("{name}: {note}"));
    }
    let length = encoder.length();
    let output = encoder.finish().map_err(|error| coding_failure(&name, job, error))?;
    output.finish().map_err(|error| Failure::writing(&job.output, error))?;
    let seconds = length as f64 / f64::from(sample_rate);
    Ok(Outcome::Done(wanted.summary(job, rate, seconds)))
}

/// An error of the encoder; where it is the output's, it is about that.
fn coding_failure(input: &str, job: &Job, error: crate::coding::CodingError) -> Failure {
    match error {
        crate::coding::CodingError::Container(crate::container::ContainerError::Io(error)) => {
            Failure::writing(&job.output, error)
        }
        other => Failure::about(input, other),
    }
}

impl Wanted {
    /// What of it the header doesn't tell.
    fn options(&self) -> Option<String> {
        let kbps = self.kbps.map(|kbps| format!("--kbps {kbps}"));
        let search = match self.effort {
            _ if self.model.most_candidates() == 1 => None,
            Effort::SOUND => None,
            Effort::LATENT => Some("--search latent".to_owned()),
            Effort::REFINED => Some("--search refined".to_owned()),
            Effort { candidates, rounds: 0 } => Some(format!("--candidates {candidates}")),
            Effort { candidates, .. } => Some(format!("--search refined --candidates {candidates}")),
        };
        let options: Vec<String> = kbps.into_iter().chain(search).collect();
        (!options.is_empty()).then(|| options.join(" "))
    }

    /// The tags of the input and what made the file.
    fn tags(&self, audio: &AudioReader) -> Result<Tags, crate::container::ContainerError> {
        let mut tags = Tags::default();
        // Of the input, what made it isn't what made the output.
        let replaced = |key: &str| [ENCODER, OPTIONS].iter().any(|own| own.eq_ignore_ascii_case(key));
        for (key, value) in audio.tags().iter().filter(|(key, _)| !replaced(key)) {
            tags.push(key, value)?;
        }
        tags.push(ENCODER, concat!("vrvq ", env!("CARGO_PKG_VERSION")))?;
        if let Some(options) = self.options() {
            tags.push(OPTIONS, &options)?;
        }
        Ok(tags)
    }

    /// Whether the output that exists is what this run would make of `audio`.
    ///
    /// # Errors
    /// Where it is something else, which isn't replaced without being asked to.
    fn check_finished(&self, job: &Job, audio: &AudioReader) -> Result<Outcome, Failure> {
        let other =
            |what: &str| Failure::Failed(format!("{} exists and {what}; --force replaces it", job.output.display()));
        let file = File::open(&job.output).map_err(|error| Failure::about(job.output.display(), error))?;
        let mut reader =
            Reader::open(BufReader::new(file)).map_err(|error| other(&format!("is no whole .vrvq file ({error})")))?;
        // The tags come before the first frames, which nothing is asked of here.
        let _ = reader.next();
        let Header { model, sample_rate, channels, stereo, rate, payload, .. } = reader.header();
        let same_options = reader.tags().get(OPTIONS) == self.options().as_deref();
        let same_rate = same_options && self.rate.is_none_or(|wanted| *rate == Some(wanted));
        let same_stereo = *channels != 2 || *stereo == self.stereo;
        if reader.end().is_none() {
            return Err(other("is no whole .vrvq file"));
        }
        if (*sample_rate, usize::from(*channels)) != (audio.sample_rate(), audio.channels()) {
            return Err(other("holds other audio"));
        }
        if *model != model_id(&self.model) || !same_rate || !same_stereo || *payload != self.payload {
            return Err(other("was made with other settings"));
        }
        Ok(Outcome::Skipped)
    }

    fn summary(&self, job: &Job, rate: RateControl, seconds: f64) -> String {
        let bytes = std::fs::metadata(&job.output).map_or(0, |data| data.len());
        let kilobits = bytes as f64 * 8.0 / 1000.0 / seconds.max(1e-9);
        let how = match self.kbps {
            Some(kbps) => format!("{rate} for {kbps} kb/s"),
            None => rate.to_string(),
        };
        if job.output.as_os_str() == STDIO {
            return format!("{}: {seconds:.1} s, {how}", job.input.display());
        }
        format!("{}: {seconds:.1} s, {how}, {kilobits:.2} kb/s", job.output.display())
    }
}
