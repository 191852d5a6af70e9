//! `vrvq decode`.

use super::args::DecodeArgs;
use super::batch::{self, CODED, Job, JobProgress, Outcome};
use super::failure::{Failure, interruption};
use super::model::FileModels;
use super::progress::warn;
use crate::audio::{AudioFormat, AudioReader, AudioSpec, AudioWriter, Output, STDIO, SampleType};
use crate::coding::Decoder;
use crate::container::{ContainerError, Damage, Reader};
use std::fs::File;
use std::io::{BufReader, Read};

/// Damages that are named one by one.
const NAMED: usize = 10;

/// Runs the command.
///
/// # Errors
/// What couldn't be decoded; a file with damage is decoded and counts as failed.
pub fn run(args: &DecodeArgs) -> Result<(), Failure> {
    let format = match (args.format, args.output.as_deref()) {
        (Some(format), _) => format,
        (None, Some(output)) => AudioFormat::of(output).unwrap_or(AudioFormat::Wav),
        (None, None) => AudioFormat::Wav,
    };
    if format == AudioFormat::Flac && args.bits == SampleType::Float32 {
        return Err(Failure::Usage("FLAC holds 16 or 24 bits, not floating point".into()));
    }
    if let Some(output) = args.output.as_deref()
        && let (Some(named), Some(asked)) = (AudioFormat::of(output), args.format)
        && named != asked
    {
        return Err(Failure::Usage(format!("--format {} and the name {} differ", asked.extension(), output.display())));
    }
    let jobs = batch::plan(&args.inputs, args.output.as_deref(), CODED, format.extension())?;
    let models = args.model.open_for_files()?;
    let target = Target { format, samples: args.bits, force: args.batch.force };
    batch::run(&jobs, &args.batch, |job, progress| {
        if job.input.as_os_str() == STDIO {
            return decode(job, decoder(job, Reader::new(std::io::stdin().lock()), &models)?, target, progress);
        }
        let unreadable = |error| Failure::Failed(format!("can't open {}: {error}", job.input.display()));
        let file = File::open(&job.input).map_err(unreadable)?;
        // A pipe with a name can't be sought in.
        let seekable = file.metadata().is_ok_and(|data| data.is_file());
        let file = BufReader::new(file);
        if seekable {
            decode(job, decoder(job, Reader::open(file), &models)?, target, progress)
        } else {
            decode(job, decoder(job, Reader::new(file), &models)?, target, progress)
        }
    })
}

/// A decoder of the opened input, with the model that it names.
fn decoder<R: Read>(
    job: &Job,
    input: Result<Reader<R>, ContainerError>,
    models: &FileModels,
) -> Result<Decoder<R>, Failure> {
    let reader = input.map_err(|error| Failure::about(name(job), error))?;
    let model = models.of(&reader.header().model).map_err(|error| {
        Failure::about(name(job), format!("{error}: import it (\"vrvq import\") or name its file by --model"))
    })?;
    Decoder::of(reader, &model).map_err(|error| Failure::about(name(job), error))
}

fn name(job: &Job) -> String {
    if job.input.as_os_str() == STDIO { "standard input".into() } else { job.input.display().to_string() }
}

/// How a file is written.
#[derive(Clone, Copy)]
struct Target {
    format: AudioFormat,
    samples: SampleType,
    force: bool,
}

fn decode<R: Read>(
    job: &Job,
    mut decoder: Decoder<R>,
    target: Target,
    progress: &mut JobProgress<'_>,
) -> Result<Outcome, Failure> {
    let Target { format, samples, force } = target;
    let name = name(job);
    let (sample_rate, channels) = (decoder.sample_rate(), decoder.channels());
    if job.resumable && !force && job.output.exists() {
        return check_finished(job, sample_rate, channels);
    }
    let output = Output::create(&job.output).map_err(|error| Failure::writing(&job.output, error))?;
    let length = decoder.length();
    let mut writer = AudioWriter::new(output, AudioSpec { sample_rate, channels, samples, format, frames: length })?;
    let mut planes = Vec::new();
    loop {
        interruption()?;
        if decoder.read(&mut planes).map_err(|error| Failure::about(&name, error))? == 0 {
            break;
        }
        writer.write(&planes)?;
        progress.at(decoder.position() as f64 / length.unwrap_or(u64::MAX) as f64);
    }
    let written = writer.finish()?;
    if written.clipped > 0 {
        warn(&format!(
            "{name}: {} samples are louder than full scale and were clipped; --bits 32 keeps them",
            written.clipped
        ));
    }
    if decoder.damages() > 0 {
        return Err(Failure::Failed(damage_text(&name, decoder.damage(), decoder.damages())));
    }
    let seconds = written.frames as f64 / f64::from(sample_rate);
    Ok(Outcome::Done(format!("{}: {seconds:.1} s", job.output.display())))
}

/// Says what was damaged; what could be decoded was.
fn damage_text(name: &str, damage: &[Damage], number: u64) -> String {
    let mut lines: Vec<String> = damage.iter().take(NAMED).map(|damage| format!("{name}: {damage}")).collect();
    if number > lines.len() as u64 {
        lines.push(format!("{name}: {} more damages", number - lines.len() as u64));
    }
    lines.push(format!("{name}: damaged; what could be decoded was, with silence for the rest"));
    lines.join("\nvrvq: ")
}

/// Whether the output that exists is a whole file of the same kind.
fn check_finished(job: &Job, sample_rate: u32, channels: usize) -> Result<Outcome, Failure> {
    match AudioReader::open(&job.output) {
        Ok(audio) if (audio.sample_rate(), audio.channels()) == (sample_rate, channels) => Ok(Outcome::Skipped),
        _ => {
            Err(Failure::Failed(format!("{} exists and holds other audio; --force replaces it", job.output.display())))
        }
    }
}
