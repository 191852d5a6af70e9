//! `vrvq figure`.

use super::args::{FigureCommand, RdArgs, UsageArgs};
use super::batch;
use super::failure::Failure;
use super::measured::{MEASURES, Measurement, Row, Ruler, each, rows, show};
use crate::codec::{Effort, Rate};
use crate::compare::Scores;
use crate::figure::FigureFormat;
use crate::figure::curves::{Curve, CurvesFigure, Point};
use crate::figure::usage::UsageFigure;
use crate::measure::{Analysis, read_mono};

/// Names of the two curves.
const VBR: &str = "VBR";
const CBR: &str = "CBR";

/// Runs the command.
///
/// # Errors
/// What couldn't be read, measured or drawn.
pub fn run(command: &FigureCommand) -> Result<(), Failure> {
    match command {
        FigureCommand::Usage(args) => usage(args),
        FigureCommand::Rd(args) => rate_distortion(args),
    }
}

fn usage(args: &UsageArgs) -> Result<(), Failure> {
    FigureFormat::of(&args.output)?;
    let model = args.model.open_variable()?;
    let card = model.card();
    let samples = read_mono(&args.file, card.sample_rate, args.start, args.duration)?;
    let analysis = Analysis::new(&model, samples, Effort::LATENT)?;
    let title = args.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut levels = args.levels.clone();
    levels.sort_by(f32::total_cmp);
    let figure = UsageFigure {
        analysis: &analysis,
        title: &title,
        subtitle: &format!(
            "{}: {} codebooks of {}, {:.2} frames/s; kb/s with the bits of the count",
            card.name,
            card.codebooks,
            card.codebook_size,
            card.frame_rate()
        ),
        start: args.start,
        levels: &levels,
        sample_rate: card.sample_rate,
        codebooks: card.codebooks,
        frame_rate: card.frame_rate(),
        delay: card.delay(),
    };
    Ok(figure.write(&args.output)?)
}

fn rate_distortion(args: &RdArgs) -> Result<(), Failure> {
    FigureFormat::of(&args.output)?;
    let files = batch::audio_files(&args.inputs)?;
    let model = args.model.open()?;
    let card = model.card();
    let ruler = Ruler::new(card.sample_rate);
    // Without an importance map there is constant bitrate alone.
    let levels =
        args.levels.iter().filter(|_| card.importance).map(|&level| (VBR, format!("l = {level}"), Rate::Level(level)));
    let counts = (1..=card.codebooks as u8).map(|number| (CBR, format!("n = {number}"), Rate::Codebooks(number)));
    let points: Vec<_> = levels.chain(counts).collect();
    let measured = each(&files, &args.measure, &model, |analysis| {
        points.iter().map(|(codec, point, rate)| Ok(ours(analysis, codec, point, *rate, &ruler)?.0)).collect()
    })?;
    let rows = rows(&measured);
    let files = rows.iter().map(|row| row.files).max().unwrap_or(0);
    let seconds: f64 = measured.iter().filter(|m| m.point == points[0].1).map(|m| m.seconds).sum();
    let figure = CurvesFigure {
        title: "Variable against constant bitrate".into(),
        subtitle: format!(
            "{}; {files} files, {seconds:.0} s; VBR with the bits of the count, CBR needs none",
            card.name
        ),
        measures: MEASURES.map(|(name, _)| name.to_owned()).into(),
        curves: [VBR, CBR].map(|codec| curve(codec, &rows, &MEASURES.map(|(_, value)| value))).into(),
    };
    figure.write(&args.output)?;
    show(&rows, &args.measure)
}

/// Our model at one rate, and what it decodes.
pub fn ours(
    analysis: &Analysis,
    codec: &str,
    point: &str,
    rate: Rate,
    ruler: &Ruler,
) -> Result<(Measurement, Vec<f32>), Failure> {
    super::failure::interruption()?;
    let decoded = analysis.decode(rate)?;
    let seconds = analysis.seconds();
    let bits = analysis.kilobits(rate) * 1000.0 * seconds;
    let measured = Measurement {
        codec: codec.to_owned(),
        point: point.to_owned(),
        bits,
        seconds,
        distances: ruler.measure(&analysis.samples, &decoded),
        scores: Scores::default(),
    };
    Ok((measured, decoded))
}

/// The rows of a codec as a curve, in order of bitrate.
pub fn curve(codec: &str, rows: &[Row], values: &[fn(&Row) -> Option<f64>]) -> Curve {
    let mut points: Vec<Point> = rows
        .iter()
        .filter(|row| row.codec == codec)
        .map(|row| Point {
            kilobits: row.kilobits_per_second,
            values: values.iter().map(|value| value(row)).collect(),
            label: row.point.trim_end_matches(" kb/s").rsplit(' ').next().unwrap_or_default().to_owned(),
        })
        .collect();
    points.sort_by(|a, b| a.kilobits.total_cmp(&b.kilobits));
    Curve { name: codec.to_owned(), points, dashed: codec == CBR }
}
