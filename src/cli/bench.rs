//! `vrvq bench`: how many times faster than real time this machine encodes and decodes.

use super::args::BenchArgs;
use super::failure::{Failure, interruption, print};
use crate::audio;
use crate::codec::Rate;
use crate::measure::{self, Analysis};
use crate::model::{EncoderStream, Model};
use serde::Serialize;
use std::sync::Arc;
use std::time::Instant;

/// Level that is measured: all codes are searched at any level, so it hardly matters.
const LEVEL: f32 = 16.0;

/// Speeds with a number of workers, each with a stream of its own.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Speed {
    workers: u16,
    /// Seconds of one channel that are coded in a second, all workers together.
    encode: f64,
    decode: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Report {
    runtime: String,
    model: String,
    seconds: f64,
    speeds: Vec<Speed>,
}

/// Runs the command.
///
/// # Errors
/// A model that can't run.
pub fn run(args: &BenchArgs) -> Result<(), Failure> {
    let model = args.model.open()?;
    let rate = model.card().sample_rate;
    let demo = audio::demo().map_err(|error| Failure::Failed(error.to_string()))?;
    let clip = measure::mono(demo, rate, 0.0, args.seconds)?;
    let samples = (args.seconds.max(1.0) * f64::from(rate)) as usize;
    let audio: Vec<f32> = clip.iter().copied().cycle().take(samples).collect();
    // The first run of a graph is slower; it isn't measured.
    let warm = Analysis::new(&model, audio[..rate as usize].to_vec())?;
    warm.decode(Rate::Level(LEVEL))?;
    let mut speeds = Vec::new();
    for &workers in &args.jobs {
        interruption()?;
        speeds.push(measure(&model, &audio, workers)?);
    }
    let report = Report {
        runtime: EncoderStream::new(&model, 1)?.runtime(),
        model: model.card().name.clone(),
        seconds: samples as f64 / f64::from(rate),
        speeds,
    };
    if args.json {
        return print(&serde_json::to_string_pretty(&report).map_err(|error| Failure::about("JSON", error))?);
    }
    let mut text = format!(
        "{}, {}; {:.0} s of one channel for each worker\n\n| workers | encode, x real time | decode, x real time |\n|---|---|---|\n",
        report.model, report.runtime, report.seconds
    );
    for Speed { workers, encode, decode } in &report.speeds {
        text += &format!("| {workers} | {encode:.1} | {decode:.1} |\n");
    }
    print(text.trim_end())
}

fn measure(model: &Arc<Model>, audio: &[f32], workers: u16) -> Result<Speed, Failure> {
    let seconds = audio.len() as f64 / f64::from(model.card().sample_rate) * f64::from(workers);
    let started = Instant::now();
    let analyses = together(workers, |_| Analysis::new(model, audio.to_vec()))?;
    let encode = seconds / started.elapsed().as_secs_f64();
    let started = Instant::now();
    together(workers, |worker| analyses[worker].decode(Rate::Level(LEVEL)))?;
    let decode = seconds / started.elapsed().as_secs_f64();
    Ok(Speed { workers, encode, decode })
}

/// Runs `work` on so many threads at once.
fn together<T: Send, E: Send + Into<Failure>>(
    workers: u16,
    work: impl Fn(usize) -> Result<T, E> + Sync,
) -> Result<Vec<T>, Failure> {
    std::thread::scope(|scope| {
        let work = &work;
        let threads: Vec<_> = (0..usize::from(workers)).map(|worker| scope.spawn(move || work(worker))).collect();
        let join = |thread: std::thread::ScopedJoinHandle<'_, Result<T, E>>| match thread.join() {
            Ok(result) => result.map_err(Into::into),
            Err(_) => Err(Failure::Failed("a worker broke off".into())),
        };
        threads.into_iter().map(join).collect()
    })
}
