//! The graphs of a DAC or VRVQ model: encoder, residual quantizer with importance subnet, and decoder, streaming.

use super::builder::Value;
use super::onnx::{AttributeProto, FLOAT, INT32, Size, ValueInfo};
use super::streaming::{Context, ResidualUnit, Signal, Streaming};
use crate::model::checkpoint::{Architecture, ImportError, StateDict};

/// Dilations of a block's residual units.
const DILATIONS: [usize; 3] = [1, 3, 9];
/// Taps to the right of a residual unit's wide convolution, and of others.
const WIDE: usize = 3;
const NARROW: usize = 1;

/// A graph and its figures.
pub(crate) struct Graph {
    /// ONNX.
    pub bytes: Vec<u8>,
    /// Floats of its state.
    pub state: usize,
    /// Number of weights.
    pub parameters: usize,
    /// What a step gives out is that many of its own units (frames, samples) behind what it takes in.
    pub delay: usize,
}

/// Samples of the whole file before the first one that a stream is fed with, so that the last sample of some hop
/// completes a frame: negative of the delay that the encoder starts with. 0 where its strides need none.
pub(crate) fn advance(architecture: &Architecture, reach: usize) -> usize {
    let fits = |advance: usize| encoder_strides(architecture, reach, advance).1;
    (0..architecture.hop()).find(|&advance| fits(advance)).unwrap_or(0)
}

/// Frames by which the encoder's features are late, and whether no stride has to wait for the end of its group.
fn encoder_strides(architecture: &Architecture, reach: usize, advance: usize) -> (i64, bool) {
    let context = Context { hop: architecture.hop(), reach };
    let mut per_hop = architecture.hop();
    let mut delay = context.kept(WIDE, 1, per_hop) as i64 - advance as i64;
    let mut fits = true;
    for &stride in &architecture.encoder_strides {
        let late = delay + units_ahead(context, per_hop) - stride.div_ceil(2) as i64;
        let wait = (-late).rem_euclid(stride as i64);
        fits &= wait == 0;
        delay = 1 + (late + wait).div_euclid(stride as i64);
        per_hop /= stride;
    }
    (delay, fits)
}

/// Samples that a block's residual units look ahead.
fn units_ahead(context: Context, per_hop: usize) -> i64 {
    DILATIONS.iter().map(|&dilation| (context.kept(WIDE, dilation, per_hop) * dilation) as i64).sum()
}

/// Delay in samples, of both directions together, of streams whose convolutions look `reach` samples ahead, from the
/// structure alone.
pub(crate) fn delay(architecture: &Architecture, reach: usize) -> usize {
    let hop = architecture.hop();
    let context = Context { hop, reach };
    let advance = advance(architecture, reach);
    let latent = context.kept(NARROW, 1, 1);
    let subnet = if architecture.has_importance() { architecture.importance.len() + 1 } else { 0 };
    let frames = encoder_strides(architecture, reach, advance).0 as usize + latent * subnet.max(1);
    let (mut per_hop, mut late) = (1, context.kept(WIDE, 1, 1) as i64);
    for &stride in &architecture.decoder_strides {
        per_hop *= stride;
        late = late * stride as i64 + stride.div_ceil(2) as i64 + units_ahead(context, per_hop);
    }
    frames * hop + advance + late as usize + context.kept(WIDE, 1, per_hop)
}

/// The reaches that make a difference, the longest first: that of an exact stream.
pub(crate) fn reaches(architecture: &Architecture) -> Vec<usize> {
    let hop = architecture.hop();
    let encoder = architecture.encoder_strides.iter().scan(1, |scale, stride| {
        let here = *scale;
        *scale *= stride;
        Some(here)
    });
    let decoder = architecture.decoder_strides.iter().scan(hop, |scale, stride| {
        *scale /= stride;
        Some(*scale)
    });
    let scales: Vec<usize> = encoder.chain(decoder).collect();
    let units = scales.iter().flat_map(|scale| DILATIONS.map(|dilation| scale * dilation));
    let steps = units.chain([hop]).flat_map(|step| (1..=WIDE).map(move |taps| taps * step));
    let mut reaches: Vec<usize> = steps.chain([0]).collect();
    reaches.sort_unstable_by(|a, b| b.cmp(a));
    reaches.dedup();
    reaches
}

fn residual_unit(
    state: &StateDict,
    layer: &str,
    channels: usize,
    dilation: usize,
) -> Result<ResidualUnit, ImportError> {
    let part = |index: usize| format!("{layer}.block.{index}");
    Ok(ResidualUnit {
        snakes: [state.snake(&part(0), channels)?, state.snake(&part(2), channels)?],
        wide: state.convolution(&part(1), [channels, channels, 7], false)?,
        narrow: state.convolution(&part(3), [channels, channels, 1], false)?,
        dilation,
    })
}

/// The encoder up to codes and importance.
///
/// Its convolutions look `reach` samples ahead at most.
pub(crate) fn encoder(state: &StateDict, model: &Architecture, reach: usize) -> Result<Graph, ImportError> {
    let mut s = Streaming::new(Context { hop: model.hop(), reach });
    let value = s.graph.reshape(&"audio".into(), &[0, 1, 1, -1]);
    let audio = Signal {
        value,
        channels: 1,
        per_hop: model.hop(),
        delay: -(advance(model, reach) as i64),
        short: 0,
        scale: None,
    };
    let audio = s.mask(&audio);
    let first = state.convolution("encoder.block.0", [model.encoder_width, 1, 7], false)?;
    let mut x = s.convolution(&audio, &first, 1, None);
    for (index, &stride) in model.encoder_strides.iter().enumerate() {
        let (block, channels) = (format!("encoder.block.{}", index + 1), x.channels);
        for (unit, dilation) in DILATIONS.into_iter().enumerate() {
            let unit = residual_unit(state, &format!("{block}.block.{unit}"), channels, dilation)?;
            x = s.mask(&x);
            x = s.residual(&x, &unit);
        }
        x = s.mask(&x);
        x = s.snake(&x, &state.snake(&format!("{block}.block.3"), channels)?);
        let kernel = [2 * channels, channels, 2 * stride];
        x = s.strided(&x, &state.convolution(&format!("{block}.block.4"), kernel, false)?, stride);
    }
    let features = s.mask(&x);
    let last = model.encoder_strides.len() + 1;
    let active = s.snake(&features, &state.snake(&format!("encoder.block.{last}"), features.channels)?);
    let layer = format!("encoder.block.{}", last + 1);
    let latent =
        s.convolution(&active, &state.convolution(&layer, [model.latent, features.channels, 3], false)?, 1, None);
    let importance = importance(&mut s, state, model, &features)?;
    let delay = importance.as_ref().map_or(latent.delay, |importance| importance.delay);
    // The latent waits for the importance, which looks further ahead.
    let latent = s.delay(&latent, (delay - latent.delay) as usize);
    let codes = quantize(&mut s, state, model, &latent)?;
    let importance = match importance {
        Some(importance) => s.graph.reshape(&importance.value, &[0, -1]),
        // One for each frame, made of the codes, whose number it follows.
        None => {
            let first = s.graph.slice(&codes, 0, 1, 2);
            let flat = s.graph.reshape(&first, &[0, -1]);
            let equal = s.graph.add("Equal", &[&flat, &flat], vec![]);
            s.graph.cast(&equal, FLOAT)
        }
    };
    let (batch, hops) = (Size::Free("batch"), Size::Free("hops"));
    let mut inputs = vec![ValueInfo::new("audio", FLOAT, &[batch, hops, Size::Fixed(model.hop())])];
    let outputs = vec![
        (ValueInfo::new("codes", FLOAT, &[batch, hops, Size::Fixed(model.codebooks)]), codes),
        (ValueInfo::new("importance", FLOAT, &[batch, hops]), importance),
    ];
    Ok(close(s, "encoder", &mut inputs, outputs, delay as usize))
}

/// The importance p of each frame; `None` for a model without.
fn importance(
    s: &mut Streaming,
    state: &StateDict,
    model: &Architecture,
    features: &Signal,
) -> Result<Option<Signal>, ImportError> {
    if !model.has_importance() {
        return Ok(None);
    }
    let channels = features.channels;
    let subnet = "quantizer.imp_subnet";
    let inputs = std::iter::once(channels).chain(model.importance.iter().copied());
    let snakes = inputs.zip(0..model.importance.len());
    let snakes: Vec<_> = snakes
        .map(|(channels, index)| state.snake(&format!("{subnet}.blocks.{index}.0"), channels))
        .collect::<Result<_, _>>()?;
    let x = s.snake(features, &state.snake(&format!("{subnet}.in_block.0"), channels)?);
    // Its first convolution is as wide as the features.
    let layer = state.convolution(&format!("{subnet}.in_block.1"), [channels, channels, 3], false)?;
    let mut x = s.convolution(&x, &layer, 1, snakes.first());
    for (index, &outputs) in model.importance.iter().enumerate() {
        x = s.mask(&x);
        x = s.snake(&x, &snakes[index]);
        let layer = format!("{subnet}.blocks.{index}.1");
        let layer = state.convolution(&layer, [outputs, x.channels, 3], false)?;
        x = s.convolution(&x, &layer, 1, snakes.get(index + 1));
    }
    let value = s.graph.add("Sigmoid", &[&x.value], vec![]);
    Ok(Some(Signal { value, ..x }))
}

/// Codes `[batch, hops, codebooks]` of the latent: for each codebook the entry nearest by cosine in its own few
/// dimensions, which then is taken off.
fn quantize(s: &mut Streaming, state: &StateDict, model: &Architecture, latent: &Signal) -> Result<Value, ImportError> {
    let Architecture { latent: width, codebook_dims: dims, .. } = *model;
    let mut rest = s.frames(latent);
    let mut all = Vec::new();
    for k in 0..model.codebooks {
        let quantizer = format!("quantizer.quantizers.{k}");
        let project = state.convolution(&format!("{quantizer}.in_proj"), [dims, width, 1], false)?;
        let entries = state.tensor(&format!("{quantizer}.codebook.weight"), &[model.codebook_size, dims])?;
        let expand = state.convolution(&format!("{quantizer}.out_proj"), [width, dims, 1], false)?;
        // Of all directions the one that the projection points to; its own length changes nothing.
        let mut directions = entries.values.clone();
        for entry in directions.chunks_exact_mut(dims) {
            let norm = entry.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt().max(1e-12);
            entry.iter_mut().for_each(|v| *v = (f64::from(*v) / norm) as f32);
        }
        let projected = linear(s, &rest, &project.weight.values, &project.bias.values, width);
        let directions = s.graph.weight(&transposed(&directions, dims), &[dims, model.codebook_size]);
        let likeness = s.graph.add("MatMul", &[&projected, &directions], vec![]);
        let code = first_largest(s, &likeness, model.codebook_size);
        if k + 1 < model.codebooks {
            let flat = s.graph.reshape(&code, &[0, -1]);
            let index = s.graph.cast(&flat, INT32);
            let table = s.graph.tensor(&entries);
            let entry = s.graph.add("Gather", &[&table, &index], vec![AttributeProto::int("axis", 0)]);
            let expanded = linear(s, &entry, &expand.weight.values, &expand.bias.values, dims);
            rest = s.graph.add("Sub", &[&rest, &expanded], vec![]);
        }
        all.push(code);
    }
    Ok(s.graph.concat(&all.iter().collect::<Vec<_>>(), 2))
}

/// The place, in single precision, of the largest of the `size` values in dimension 2, the first one of equals: what `ArgMax`
/// gives as 64-bit integers. Always a place, whatever the values are.
fn first_largest(s: &mut Streaming, values: &Value, size: usize) -> Value {
    let along = || vec![AttributeProto::ints("axes", &[2]), AttributeProto::int("keepdims", 1)];
    let largest = s.graph.add("ReduceMax", &[values], along());
    let is_largest = s.graph.add("Equal", &[values, &largest], vec![]);
    let places: Vec<f32> = (0..size).map(|place| place as f32).collect();
    let (all, last) = (s.graph.numbers(&places, &[size]), s.graph.numbers(&[size as f32 - 1.0], &[]));
    let candidates = s.graph.add("Where", &[&is_largest, &all, &last], vec![]);
    s.graph.add("ReduceMin", &[&candidates], along())
}

/// `x · weightᵀ + bias`, weights `[outputs, inputs]`.
fn linear(s: &mut Streaming, x: &Value, weight: &[f32], bias: &[f32], inputs: usize) -> Value {
    let weight = s.graph.weight(&transposed(weight, inputs), &[inputs, bias.len()]);
    let product = s.graph.add("MatMul", &[x, &weight], vec![]);
    let bias = s.graph.weight(bias, &[bias.len()]);
    s.graph.plus(&product, &bias)
}

/// A matrix of `width` columns with rows and columns exchanged.
fn transposed(matrix: &[f32], width: usize) -> Vec<f32> {
    let height = matrix.len() / width;
    (0..width).flat_map(|column| (0..height).map(move |row| matrix[row * width + column])).collect()
}

/// The decoder from codes and counts on.
///
/// Its convolutions look `reach` samples ahead at most.
pub(crate) fn decoder(state: &StateDict, model: &Architecture, reach: usize) -> Result<Graph, ImportError> {
    let mut s = Streaming::new(Context { hop: model.hop(), reach });
    let latent = dequantize(&mut s, state, model)?;
    let latent = s.mask(&latent);
    let first = state.convolution("decoder.model.0", [model.decoder_width, model.latent, 7], false)?;
    let snake = state.snake("decoder.model.1.block.0", model.decoder_width)?;
    let mut x = s.convolution(&latent, &first, 1, Some(&snake));
    for (index, &stride) in model.decoder_strides.iter().enumerate() {
        let (block, inputs) = (format!("decoder.model.{}", index + 1), x.channels);
        let channels = model.decoder_width >> (index + 1);
        x = s.mask(&x);
        x = s.snake(&x, &state.snake(&format!("{block}.block.0"), inputs)?);
        let kernel = [inputs, channels, 2 * stride];
        x = s.transposed(&x, &state.convolution(&format!("{block}.block.1"), kernel, true)?, stride);
        for (unit, dilation) in DILATIONS.into_iter().enumerate() {
            let unit = residual_unit(state, &format!("{block}.block.{}", unit + 2), channels, dilation)?;
            x = s.mask(&x);
            x = s.residual(&x, &unit);
        }
    }
    let last = model.decoder_strides.len() + 1;
    x = s.mask(&x);
    x = s.snake(&x, &state.snake(&format!("decoder.model.{last}"), x.channels)?);
    let layer = state.convolution(&format!("decoder.model.{}", last + 1), [1, x.channels, 7], false)?;
    x = s.convolution(&x, &layer, 1, None);
    x.value = s.graph.add("Tanh", &[&x.value], vec![]);
    let x = s.mask(&x);
    let audio = s.graph.reshape(&x.value, &[0, -1, model.hop() as i64]);
    let (batch, hops) = (Size::Free("batch"), Size::Free("hops"));
    let mut inputs = vec![
        ValueInfo::new("codes", FLOAT, &[batch, hops, Size::Fixed(model.codebooks)]),
        ValueInfo::new("count", FLOAT, &[batch, hops]),
    ];
    let outputs = vec![(ValueInfo::new("audio", FLOAT, &[batch, hops, Size::Fixed(model.hop())]), audio)];
    Ok(close(s, "decoder", &mut inputs, outputs, x.delay as usize))
}

/// The latent: for each frame the sum of the expanded entries of its used codebooks.
fn dequantize(s: &mut Streaming, state: &StateDict, model: &Architecture) -> Result<Signal, ImportError> {
    let Architecture { latent: width, codebook_dims: dims, codebooks, .. } = *model;
    let count = s.graph.reshape(&"count".into(), &[0, 0, 1]);
    let numbers: Vec<f32> = (0..codebooks).map(|codebook| codebook as f32).collect();
    let numbers = s.graph.numbers(&numbers, &[codebooks]);
    let used = s.graph.add("Less", &[&numbers, &count], vec![]);
    let used = s.graph.cast(&used, FLOAT);
    let (mut tables, mut expand, mut bias) = (Vec::new(), Vec::new(), Vec::new());
    for k in 0..codebooks {
        let quantizer = format!("quantizer.quantizers.{k}");
        tables.extend(state.tensor(&format!("{quantizer}.codebook.weight"), &[model.codebook_size, dims])?.values);
        let layer = state.convolution(&format!("{quantizer}.out_proj"), [width, dims, 1], false)?;
        expand.extend(transposed(&layer.weight.values, dims));
        bias.extend(layer.bias.values);
    }
    // The codebooks one below the other, and where each begins.
    let table = s.graph.weight(&tables, &[codebooks * model.codebook_size, dims]);
    let starts: Vec<f32> = (0..codebooks).map(|codebook| (codebook * model.codebook_size) as f32).collect();
    let starts = s.graph.numbers(&starts, &[codebooks]);
    let rows = s.graph.plus(&"codes".into(), &starts);
    let rows = s.graph.cast(&rows, INT32);
    let entries = s.graph.add("Gather", &[&table, &rows], vec![AttributeProto::int("axis", 0)]);
    let mask = s.graph.reshape(&used, &[0, 0, codebooks as i64, 1]);
    let entries = s.graph.mul(&entries, &mask);
    let entries = s.graph.reshape(&entries, &[0, 0, (codebooks * dims) as i64]);
    // All codebooks' projections as one.
    let expand = s.graph.weight(&expand, &[codebooks * dims, width]);
    let bias = s.graph.weight(&bias, &[codebooks, width]);
    let sum = s.graph.add("MatMul", &[&entries, &expand], vec![]);
    let offset = s.graph.add("MatMul", &[&used, &bias], vec![]);
    let frames = s.graph.plus(&sum, &offset);
    let turned = s.graph.transpose(&frames, &[0, 2, 1]);
    let axis = s.graph.integers(&[2]);
    let value = s.graph.add("Unsqueeze", &[&turned, &axis], vec![]);
    Ok(Signal { value, channels: width, per_hop: 1, delay: 0, short: 0, scale: None })
}

fn close(
    s: Streaming,
    name: &str,
    inputs: &mut Vec<ValueInfo>,
    mut outputs: Vec<(ValueInfo, Value)>,
    delay: usize,
) -> Graph {
    let (batch, hops) = (Size::Free("batch"), Size::Free("hops"));
    let graph = s.finish();
    let (state, parameters) = (graph.state(), graph.parameters());
    let all = [batch, Size::Fixed(state)];
    inputs.extend([
        ValueInfo::new("state", FLOAT, &all),
        ValueInfo::new("begin", FLOAT, &[batch, hops]),
        ValueInfo::new("end", FLOAT, &[batch, hops]),
    ]);
    outputs.push((ValueInfo::new("next_state", FLOAT, &all), Value::new()));
    Graph { bytes: graph.finish(name, std::mem::take(inputs), outputs), state, parameters, delay }
}
