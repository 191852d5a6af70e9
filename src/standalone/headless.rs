//! The loop without window and sound device: a clip goes through it in real time and is written to a folder.

use super::args::RunArgs;
use super::clip::Clip;
use super::clock::Clock;
use super::meter::{Meter, StatusLine, clock_text};
use super::player::{Player, Transport};
use super::processor::{Processor, Source};
use super::say::say;
use super::session::{DEFAULT_BLOCK, Parts, start_loop};
use crate::engine::{FrameReport, LoopState, MAX_SAFETY_HOPS, ReportReceiver, Telemetry};
use crate::interrupt;
use crate::picture;
use crate::recording::{RecordError, Recorded, Recorder};
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Frames that the picture shows at most: ten minutes of them.
const MAX_PICTURE_FRAMES: usize = 52_000;
/// How often the output is fetched from the loop.
const PERIOD: Duration = Duration::from_millis(20);
/// Longest wait for the model.
const LOADING_PATIENCE: Duration = Duration::from_secs(60);

/// The folder that recordings go to where the user names none.
pub fn default_folder() -> PathBuf {
    let music = directories::UserDirs::new().and_then(|dirs| dirs.audio_dir().map(Path::to_path_buf));
    let data = || directories::BaseDirs::new().map(|dirs| dirs.data_local_dir().to_path_buf());
    music.filter(|folder| folder.is_dir()).or_else(data).unwrap_or_default().join("vrvq-live")
}

/// Runs `clip` (or --file, or the bundled one) through the loop and writes the decoded WAV and the picture.
///
/// # Errors
/// What can't be read, run or written, by name.
pub fn run(args: &RunArgs, parts: &Parts, mut reports: ReportReceiver) -> Result<()> {
    let clip = match args.file() {
        Some(path) => Clip::open(path)?,
        None => Clip::bundled()?,
    };
    for note in &clip.notes {
        say!("{}: {note}", clip.name);
    }
    let clip = Arc::new(clip.at_rate(args.sample_rate.unwrap_or(clip.sample_rate))?);
    let rate = clip.sample_rate;
    let frames = args.duration.map_or(clip.frames(), |d| (d.as_secs_f64() * f64::from(rate)).round() as usize);
    let folder = args.out.clone().unwrap_or_else(default_folder);
    std::fs::create_dir_all(&folder).with_context(|| format!("can't make the folder {}", folder.display()))?;
    let stem = Path::new(&clip.name).file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let wav_path = folder.join(format!("{stem}-decoded.wav"));
    let picture_path = folder.join(format!("{stem}-decoded.png"));
    let spec = hound::WavSpec {
        channels: clip.channels.len() as u16,
        sample_rate: rate,
        bits_per_sample: 32,
        sample_format: hound::SampleFormat::Float,
    };
    let cant_write = || format!("can't write {}", wav_path.display());
    let mut wav = hound::WavWriter::create(&wav_path, spec).with_context(cant_write)?;

    let player = Player::new(clip.clone(), Transport::new(true), frames > clip.frames());
    let block = args.buffer_size.unwrap_or(DEFAULT_BLOCK) as usize;
    let processor = start_loop(Source::Clip(player), parts, rate, block)?;
    let mut recorder = recorder(parts, args.record.as_deref(), Some(frames as u64))?;
    wait_for_model(&parts.telemetry)?;
    introduce(&clip, &processor, parts, rate);

    parts.telemetry.set_view_open(true);
    let model = parts.models.model()?;
    let card = model.card();
    let mut meter = Meter::new(card.frame_rate(), card.codebooks);
    let total = frames as f64 / f64::from(rate);
    let wanted_reports = (total * card.frame_rate()).ceil() as u64;
    let mut kept: Vec<FrameReport> = Vec::new();
    let mut line = StatusLine::new();
    let mut written = 0;
    let (clock, mut output) = Clock::record(processor, rate, frames)?;
    loop {
        // Asked before the rings are emptied: what came before the end is then in them.
        let ended = clock.finished() || interrupt::requested();
        while let Some(report) = reports.receive() {
            if report.index < wanted_reports {
                meter.push(&report);
                if kept.len() < MAX_PICTURE_FRAMES {
                    kept.push(report);
                }
            }
        }
        while let Ok(sample) = output.pop() {
            wav.write_sample(sample).with_context(cant_write)?;
            written += 1;
        }
        let played = (written / clip.channels.len()) as f64 / f64::from(rate);
        if ended {
            break;
        }
        line.show(|| format!("{}/{}  {}", clock_text(played), clock_text(total.ceil()), meter.line(&parts.telemetry)));
        std::thread::sleep(PERIOD);
    }
    drop(clock);
    line.leave();
    wav.finalize().with_context(cant_write)?;
    let recorded = recorder.as_mut().and_then(Recorder::finish);
    let seconds = (written / clip.channels.len()) as f64 / f64::from(rate);
    finish(&meter, parts, seconds, interrupt::requested());
    say!("decoded audio: {}", wav_path.display());
    tell(recorded)?;
    if let LoopState::Failed(why) = parts.telemetry.status().state {
        bail!("the codec failed: {why}");
    }
    if kept.is_empty() {
        say!("no frame was decoded, so there is no picture");
        return Ok(());
    }
    let title = format!("{} · {}", clip.name, parts.settings.rate());
    picture::write_png(&picture_path, &kept, card.frame_rate(), &title)?;
    say!("picture: {}", picture_path.display());
    Ok(())
}

/// A recorder to `path`, where there is one.
///
/// # Errors
/// Where the files can't be made.
pub fn recorder(parts: &Parts, path: Option<&Path>, limit: Option<u64>) -> Result<Option<Recorder>> {
    let Some(path) = path else { return Ok(None) };
    let mut recorder = Recorder::new(parts.telemetry.clone(), PathBuf::new());
    recorder.start_at(path, limit)?;
    Ok(Some(recorder))
}

/// Tells how a recording went.
///
/// # Errors
/// Where it couldn't be written.
pub fn tell(recorded: Option<Result<Recorded, RecordError>>) -> Result<()> {
    if let Some(recorded) = recorded.transpose()? {
        say!("{recorded}");
    }
    Ok(())
}

/// Waits until the codec thread has loaded the model.
fn wait_for_model(telemetry: &Telemetry) -> Result<()> {
    let started = Instant::now();
    loop {
        match telemetry.status().state {
            LoopState::Running => return Ok(()),
            LoopState::Failed(why) => bail!("the model can't run: {why}"),
            LoopState::Loading | LoopState::Stopped => {}
        }
        if started.elapsed() > LOADING_PATIENCE {
            bail!("the model isn't loaded after {} seconds", LOADING_PATIENCE.as_secs());
        }
        if interrupt::requested() {
            bail!("stopped while the model was being loaded");
        }
        std::thread::sleep(PERIOD);
    }
}

fn introduce(clip: &Clip, processor: &Processor, parts: &Parts, rate: u32) {
    let status = parts.telemetry.status();
    let channels = if clip.channels.len() == 1 { "mono" } else { "stereo" };
    say!("source: {}, {:.1} s, {rate} Hz, {channels}", clip.name, clip.seconds());
    say!("model: {} ({})", status.model, status.runtime);
    let latency = processor.latency();
    let ms = f64::from(latency) * 1000.0 / f64::from(rate);
    say!("{}, latency {latency} samples ({ms:.1} ms)", parts.settings.rate());
}

fn finish(meter: &Meter, parts: &Parts, seconds: f64, interrupted: bool) {
    let bitrate = meter.bitrate();
    let late = parts.telemetry.late_frames();
    let how = if interrupted { "stopped" } else { "done" };
    say!(
        "{how} after {seconds:.1} s: mean {:.2} kb/s, peak {:.2} kb/s, {late} late frames",
        bitrate.mean(),
        bitrate.peak()
    );
    if late > 0 {
        let needed = parts.telemetry.safety_needed();
        let remedy = match parts.settings.safety() {
            hops if hops >= MAX_SAFETY_HOPS || needed > MAX_SAFETY_HOPS => {
                "a smaller model or another --device".to_owned()
            }
            hops => format!("--safety {}", needed.max(hops + 2).min(MAX_SAFETY_HOPS)),
        };
        say!("late frames are silent: this machine is too busy or too slow; try {remedy}");
    }
}
