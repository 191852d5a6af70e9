//! `vrvq compare`.
//!
//! Each file is mixed to one channel at the model's rate, because PESQ, ESTOI and most of the codecs know nothing else.
//! Every other codec gets, for each file, the bits that our model spent on that file. Bits are those of packets,
//! without any container.

use super::args::CompareArgs;
use super::batch;
use super::failure::{Failure, interruption};
use super::figure::{curve, ours};
use super::measured::{MEASURES, Measure, Measurement, Row, Ruler, each, rows, show};
use super::progress::warn;
use crate::codec::Rate;
use crate::compare::{self, ExternalCodec, PythonScores, Scores};
use crate::figure::FigureFormat;
use crate::figure::curves::CurvesFigure;
use crate::measure::Analysis;
use std::sync::{Mutex, PoisonError};

/// Farther from the bitrate that was wanted than this, a codec can't do it: it is measured at what it can.
const FAR: f64 = 0.1;

/// What Python measures.
const SCORES: [Measure; 3] =
    [("PESQ-wb", |row| row.pesq), ("ESTOI", |row| row.estoi), ("ViSQOL, MOS-LQO", |row| row.visqol)];

/// Runs the command.
///
/// # Errors
/// Codecs that aren't there, what couldn't be read, measured or drawn.
pub fn run(args: &CompareArgs) -> Result<(), Failure> {
    if let Some(output) = &args.output {
        FigureFormat::of(output)?;
    }
    let files = batch::audio_files(&args.inputs)?;
    let codecs = codecs(args)?;
    let python = Mutex::new(python(args));
    let model = args.model.open_variable()?;
    let card = model.card();
    let ruler = Ruler::new(card.sample_rate);
    let score = |analysis: &Analysis, decoded: &[f32]| {
        let mut python = python.lock().unwrap_or_else(PoisonError::into_inner);
        let scored = python.as_mut().map(|python| python.score(&analysis.samples, decoded, card.sample_rate));
        match scored {
            None => Scores::default(),
            Some(Ok(scores)) => scores,
            Some(Err(error)) => {
                warn(&format!("{error}; its measures are left out from here on"));
                *python = None;
                Scores::default()
            }
        }
    };
    let measured = each(&files, &args.measure, &model, |analysis| {
        let mut measured = Vec::new();
        let mut wanted: Vec<(String, f64)> = Vec::new();
        for &level in &args.levels {
            let (rate, point) = (Rate::Level(level), format!("l = {level}"));
            let (mut own, decoded) = ours(analysis, &card.name, &point, rate, &ruler)?;
            own.scores = score(analysis, &decoded);
            wanted.push((format!("as {point}"), own.bits / 1000.0 / own.seconds));
            measured.push(own);
        }
        wanted.extend(args.kbps.iter().map(|&kbps| (format!("{kbps} kb/s"), kbps)));
        for &codec in &codecs {
            measured.extend(external(codec, analysis, card.sample_rate, &wanted, &ruler, &score)?);
        }
        Ok(measured)
    })?;
    let rows = rows(&measured);
    if let Some(output) = &args.output {
        draw(&rows, files.len(), &card.name).write(output)?;
    }
    show(&rows, &args.measure)
}

/// The codecs that are asked for, or all that are there.
fn codecs(args: &CompareArgs) -> Result<Vec<ExternalCodec>, Failure> {
    let (found, missing) = compare::find();
    let asked = |name: &str| args.codecs.is_empty() || args.codecs.iter().any(|codec| codec.eq_ignore_ascii_case(name));
    for (name, programs) in missing.iter().filter(|(name, _)| asked(name)) {
        warn(&format!("{name} is left out: it needs {programs}"));
    }
    let known = |codec: &String| {
        let found = found.iter().map(|codec| codec.name());
        found.chain(missing.iter().map(|(name, _)| *name)).any(|name| name.eq_ignore_ascii_case(codec))
    };
    if let Some(unknown) = args.codecs.iter().find(|codec| !known(codec)) {
        return Err(Failure::Usage(format!("--codecs {unknown}: known are Opus, Codec2 and MP3")));
    }
    Ok(found.into_iter().filter(|codec| asked(codec.name())).collect())
}

fn python(args: &CompareArgs) -> Option<PythonScores> {
    if args.no_python {
        return None;
    }
    match PythonScores::start() {
        Ok(python) => {
            let (there, missing) = python.measures();
            if !missing.is_empty() {
                warn(&format!("measures are left out whose Python packages are missing: {}", missing.join(", ")));
            }
            let any = !there.is_empty();
            any.then_some(python)
        }
        Err(error) => {
            warn(&format!("PESQ, ESTOI and ViSQOL are left out: {error}"));
            None
        }
    }
}

/// A codec at each of the bitrates; those that it can't be brought to become one point, at what it can.
fn external(
    codec: ExternalCodec,
    analysis: &Analysis,
    sample_rate: u32,
    wanted: &[(String, f64)],
    ruler: &Ruler,
    score: &dyn Fn(&Analysis, &[f32]) -> Scores,
) -> Result<Vec<Measurement>, Failure> {
    let mut measured: Vec<Measurement> = Vec::new();
    for (point, kilobits) in wanted {
        interruption()?;
        let coded = match codec.code(&analysis.samples, sample_rate, *kilobits) {
            Ok(coded) => coded,
            Err(error) => {
                warn(&format!("{}: {error}", codec.name()));
                continue;
            }
        };
        let seconds = analysis.seconds();
        let far = (coded.bits as f64 / 1000.0 / seconds / kilobits).ln().abs() > FAR;
        let point = match (codec, far) {
            (ExternalCodec::Codec2, _) => coded.setting,
            (_, false) => point.clone(),
            (_, true) => "lowest".to_owned(),
        };
        if measured.iter().any(|m| m.point == point) {
            continue;
        }
        let distances = ruler.measure(&analysis.samples, &coded.samples);
        let scores = score(analysis, &coded.samples);
        let codec = codec.name().to_owned();
        measured.push(Measurement { codec, point, bits: coded.bits as f64, seconds, distances, scores });
    }
    Ok(measured)
}

fn draw(rows: &[Row], files: usize, model: &str) -> CurvesFigure {
    let there: Vec<&Measure> =
        MEASURES.iter().chain(&SCORES).filter(|(_, value)| rows.iter().any(|row| value(row).is_some())).collect();
    let values: Vec<fn(&Row) -> Option<f64>> = there.iter().map(|(_, value)| *value).collect();
    let mut codecs: Vec<&str> = Vec::new();
    for row in rows {
        if !codecs.contains(&row.codec.as_str()) {
            codecs.push(&row.codec);
        }
    }
    CurvesFigure {
        title: format!("{model} and other codecs at the same measured bitrates"),
        subtitle: format!("{files} file(s), one channel; bits of packets, without containers"),
        measures: there.iter().map(|(name, _)| (*name).to_owned()).collect(),
        curves: codecs.into_iter().map(|codec| curve(codec, rows, &values)).collect(),
    }
}
