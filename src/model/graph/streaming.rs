//! Non-causal convolutions as a stream, exactly.
//!
//! A convolution that looks ahead becomes a causal one with a cached past, and its output is late by what it looks
//! ahead; branches that meet are delayed to the later one; a transposed convolution keeps the overlap that its next
//! input completes (the idea of Caillon & Esling, "Streamable Neural Audio Synthesis With Non-Causal Convolutions",
//! 2022). Nothing is computed twice.
//!
//! The whole-file model pads every layer with zeros at both ends of the signal, and what the layers before make of
//! silence isn't zero. So each signal here knows its place in time, and what lies outside the signal's span is set to
//! zero before every layer that would pad: first and last frames come out as those of the whole file.
//!
//! A stream may also be given less right context than it needs: a convolution then knows nothing of what comes more
//! than a reach later, and its outermost taps are left out. One reach for all, in samples of the audio, because the
//! delay is made where samples are long: in the layers of the lowest rates.
//!
//! Each step of a graph is a launch on a GPU, and launches are what bounds a hop there. So a snake activation takes three
//! steps, or four, of five: the convolution before it makes its values α times as large where nothing else hears them, and
//! the one after it takes that back, both in their weights. And all masks of one rate are made at once.
//!
//! Signals are `[batch, channels, 1, samples]`: convolutions of four dimensions are the faster ones in ONNX Runtime.
//!
//! What is counted (places in time, codes) is counted in single precision, exact where it matters: GPUs' providers leave what is
//! computed with 64-bit integers to the processor, and each step that waits for it costs a trip over the bus.

use super::builder::{Builder, END, Value};
use super::onnx::AttributeProto;
use crate::model::checkpoint::{Convolution, Tensor};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// A stream of features and its place in time.
#[derive(Debug, Clone)]
pub(super) struct Signal {
    pub value: Value,
    pub channels: usize,
    /// Samples of it in a hop.
    pub per_hop: usize,
    /// Its sample `i` of the stream is sample `i - delay` of the whole file's.
    pub delay: i64,
    /// The whole file's ends so many samples before the last hop does.
    pub short: i64,
    /// How many times its own values the channels hold; its own where there is none.
    pub scale: Option<Vec<f32>>,
}

/// The least α that values are scaled by: they must be found again in what is scaled.
const LEAST_ALPHA: f32 = 1e-3;

/// Whether a signal may be held `alpha` times as large.
fn scales(alpha: &Tensor) -> bool {
    alpha.values.iter().all(|alpha| alpha.is_finite() && alpha.abs() >= LEAST_ALPHA)
}

/// How far ahead layers look.
#[derive(Debug, Clone, Copy)]
pub(super) struct Context {
    /// Samples of the audio in a hop.
    pub hop: usize,
    /// Samples of the audio that each convolution may look ahead.
    pub reach: usize,
}

impl Context {
    /// Taps that a convolution of `dilation` keeps of `taps` to the right, in a signal of `per_hop` samples a hop.
    pub fn kept(self, taps: usize, dilation: usize, per_hop: usize) -> usize {
        taps.min(self.reach / (dilation * (self.hop / per_hop)))
    }
}

/// A graph of streaming layers.
pub(super) struct Streaming {
    pub graph: Builder,
    context: Context,
    /// Delay and end of the signals that are masked, by their samples in a hop.
    masks: BTreeMap<usize, Vec<(i64, i64)>>,
}

/// The mask `index` of signals of `per_hop` samples.
fn mask_name(per_hop: usize, index: usize) -> Value {
    format!("mask_{per_hop}_{index}")
}

/// Masks `[batch, 1, 1, samples]` of signals with `per_hop` samples in a hop: 1 within the span of each of `spans`, 0 outside.
fn make_masks(graph: &mut Builder, per_hop: usize, spans: &[(i64, i64)]) {
    let samples: Vec<f32> = (0..per_hop).map(|sample| sample as f32).collect();
    let (samples, length) = (graph.numbers(&samples, &[per_hop]), graph.numbers(&[per_hop as f32], &[]));
    let [begin, end] = ["begin", "end"].map(|name| {
        let hops = graph.reshape(&name.into(), &[0, 0, 1]);
        graph.mul(&hops, &length)
    });
    // Samples since the whole signal began, and until it ends.
    let since = graph.add("Sub", &[&samples, &begin], vec![]);
    let until = graph.add("Sub", &[&end, &samples], vec![]);
    let late: Vec<f32> = spans.iter().map(|(delay, _)| (1 - delay) as f32).collect();
    let left: Vec<f32> = spans.iter().map(|(delay, short)| (delay - short) as f32).collect();
    // Whole numbers: 1 or more on this side, 0 or less outside.
    let [begun, unended] = [(since, late), (until, left)].map(|(places, offsets)| {
        let places = graph.reshape(&places, &[0, 1, 1, -1]);
        let offsets = graph.numbers(&offsets, &[offsets.len(), 1, 1]);
        let within = graph.plus(&places, &offsets);
        let [zero, one] = [0.0, 1.0].map(|bound| graph.numbers(&[bound], &[]));
        graph.add("Clip", &[&within, &zero, &one], vec![])
    });
    let all = graph.mul(&begun, &unended);
    let names: Vec<_> = (0..spans.len()).map(|index| (mask_name(per_hop, index), 1)).collect();
    graph.take_apart(&all, 1, &names);
}

impl Streaming {
    /// A graph that has inputs `begin` and `end`, `[batch, hops]`: the first hop of the signal and the one after its last,
    /// counted from each hop.
    pub fn new(context: Context) -> Self {
        Self { graph: Builder::default(), context, masks: BTreeMap::new() }
    }

    /// Sets to zero what lies outside the signal's span.
    pub fn mask(&mut self, x: &Signal) -> Signal {
        let spans = self.masks.entry(x.per_hop).or_default();
        let span = (x.delay, x.short);
        let index = spans.iter().position(|&other| other == span).unwrap_or_else(|| {
            spans.push(span);
            spans.len() - 1
        });
        Signal { value: self.graph.mul(&x.value, &mask_name(x.per_hop, index)), ..x.clone() }
    }

    /// The graph. What all masks are is known only here, and they come before all else.
    pub fn finish(mut self) -> Builder {
        self.graph.at_first(|graph| {
            self.masks.iter().for_each(|(&per_hop, spans)| make_masks(graph, per_hop, spans));
        });
        self.graph
    }

    /// The signal `samples` of its own samples later.
    pub fn delay(&mut self, x: &Signal, samples: usize) -> Signal {
        if samples == 0 {
            return x.clone();
        }
        let joined = self.graph.remember(&x.value, &[x.channels, 1, samples], 3);
        let value = self.graph.slice(&joined, 0, -(samples as i64), 3);
        Signal { value, delay: x.delay + samples as i64, ..x.clone() }
    }

    /// x + sin²(αx)/α for each channel; keeps zeros zero. Gives αx + sin²(αx), of scale α, where α allows it.
    pub fn snake(&mut self, x: &Signal, alpha: &Tensor) -> Signal {
        let shape = [1, x.channels, 1, 1];
        let scaled = match &x.scale {
            Some(scale) => {
                assert_eq!(scale, &alpha.values, "scaled for another snake");
                x.value.clone()
            }
            None => {
                let alpha = self.graph.weight(&alpha.values, &shape);
                self.graph.mul(&x.value, &alpha)
            }
        };
        let sine = self.graph.add("Sin", &[&scaled], vec![]);
        let square = self.graph.mul(&sine, &sine);
        if scales(alpha) {
            return Signal { value: self.graph.plus(&scaled, &square), scale: Some(alpha.values.clone()), ..x.clone() };
        }
        let inverse: Vec<f32> = alpha.values.iter().map(|a| (a + 1e-9).recip()).collect();
        let inverse = self.graph.weight(&inverse, &shape);
        let bump = self.graph.mul(&square, &inverse);
        Signal { value: self.graph.plus(&x.value, &bump), ..x.clone() }
    }

    /// A convolution of odd kernel that pads so that its output is as long as its input; `x` is zero outside its span. Its
    /// output is held at the scale of `snake`, the α of the one that alone hears it.
    pub fn convolution(&mut self, x: &Signal, layer: &Convolution, dilation: usize, snake: Option<&Tensor>) -> Signal {
        let snake = snake.filter(|alpha| scales(alpha));
        let layer = &layer.of_scale(x.scale.as_deref(), snake.map(|alpha| &*alpha.values));
        let [outputs, inputs, whole] = layer.shape();
        let half = whole / 2;
        let ahead = self.context.kept(half, dilation, x.per_hop);
        let kernel = half + 1 + ahead;
        let past = (kernel - 1) * dilation;
        let joined = self.graph.remember(&x.value, &[inputs, 1, past], 3);
        let attributes =
            vec![AttributeProto::ints("kernel_shape", &[1, kernel]), AttributeProto::ints("dilations", &[1, dilation])];
        let value = self.convolve(&joined, layer, kernel, attributes);
        let (delay, scale) = (x.delay + (ahead * dilation) as i64, snake.map(|alpha| alpha.values.clone()));
        Signal { value, channels: outputs, delay, scale, ..x.clone() }
    }

    /// A convolution of stride `stride`, kernel twice that, and padding half of it rounded up.
    pub fn strided(&mut self, x: &Signal, layer: &Convolution, stride: usize) -> Signal {
        let (padding, step) = (stride.div_ceil(2) as i64, stride as i64);
        // Its windows must end where a group of `stride` samples of the stream ends.
        let x = self.delay(x, (padding - x.delay).rem_euclid(step) as usize);
        let layer = &layer.of_scale(x.scale.as_deref(), None);
        let [outputs, inputs, kernel] = layer.shape();
        let joined = self.graph.remember(&x.value, &[inputs, 1, stride], 3);
        let attributes =
            vec![AttributeProto::ints("kernel_shape", &[1, kernel]), AttributeProto::ints("strides", &[1, stride])];
        Signal {
            value: self.convolve(&joined, layer, kernel, attributes),
            channels: outputs,
            per_hop: x.per_hop / stride,
            delay: 1 + (x.delay - padding) / step,
            short: 1 - (2 * padding - x.short).div_euclid(step),
            scale: None,
        }
    }

    /// A convolution with the first `kernel` taps of the layer.
    fn convolve(&mut self, x: &Value, layer: &Convolution, kernel: usize, attributes: Vec<AttributeProto>) -> Value {
        let [outputs, inputs, whole] = layer.shape();
        let values = &layer.weight.values;
        let shape = [outputs, inputs, 1, kernel];
        let weight = if kernel == whole {
            self.graph.weight(values, &shape)
        } else {
            let taps: Vec<f32> = values.chunks_exact(whole).flat_map(|taps| &taps[..kernel]).copied().collect();
            self.graph.weight(&taps, &shape)
        };
        let bias = self.graph.tensor(&layer.bias);
        self.graph.add("Conv", &[x, &weight, &bias], attributes)
    }

    /// A transposed convolution of stride `stride`, kernel twice that, and padding half of it rounded up. Each input
    /// makes two groups of `stride` samples; the second is added to the first of the next input.
    pub fn transposed(&mut self, x: &Signal, layer: &Convolution, stride: usize) -> Signal {
        let [inputs, outputs, kernel] = layer.shape();
        let mut taps = Cow::Borrowed(&layer.weight.values);
        if let Some(scale) = &x.scale {
            let inputs = taps.to_mut().chunks_exact_mut(outputs * kernel);
            inputs.zip(scale).for_each(|(taps, scale)| taps.iter_mut().for_each(|tap| *tap /= scale));
        }
        let padding = stride.div_ceil(2) as i64;
        // Both groups as channels of one transposed convolution without overlap: [inputs, 2 * outputs, stride].
        let mut halves = Vec::with_capacity(taps.len());
        for input in taps.chunks_exact(outputs * kernel) {
            for half in [0, stride] {
                input.chunks_exact(kernel).for_each(|taps| halves.extend_from_slice(&taps[half..half + stride]));
            }
        }
        let weight = self.graph.weight(&halves, &[inputs, 2 * outputs, 1, stride]);
        let attributes =
            vec![AttributeProto::ints("kernel_shape", &[1, stride]), AttributeProto::ints("strides", &[1, stride])];
        let both = self.graph.add("ConvTranspose", &[&x.value, &weight], attributes);
        let now = self.graph.slice(&both, 0, outputs as i64, 1);
        let next = self.graph.slice(&both, outputs as i64, END, 1);
        let joined = self.graph.remember(&next, &[outputs, 1, stride], 3);
        let due = self.graph.slice(&joined, 0, -(stride as i64), 3);
        let sum = self.graph.plus(&now, &due);
        let bias = self.graph.weight(&layer.bias.values, &[1, outputs, 1, 1]);
        let step = stride as i64;
        Signal {
            value: self.graph.plus(&sum, &bias),
            channels: outputs,
            per_hop: x.per_hop * stride,
            delay: x.delay * step + padding,
            short: x.short * step + 2 * padding - step,
            scale: None,
        }
    }

    /// DAC's residual unit: x + conv1(snake(conv7(snake(x)))), for x zero outside its span.
    pub fn residual(&mut self, x: &Signal, unit: &ResidualUnit) -> Signal {
        let active = self.snake(x, &unit.snakes[0]);
        let wide = self.convolution(&active, &unit.wide, unit.dilation, Some(&unit.snakes[1]));
        let active = self.snake(&wide, &unit.snakes[1]);
        let branch = self.convolution(&active, &unit.narrow, 1, None);
        let skip = self.delay(x, (branch.delay - x.delay) as usize);
        Signal { value: self.graph.plus(&skip.value, &branch.value), ..branch }
    }

    /// The frames of a signal of one sample a hop, `[batch, hops, channels]`.
    pub fn frames(&mut self, x: &Signal) -> Value {
        let axis = self.graph.integers(&[2]);
        let flat = self.graph.add("Squeeze", &[&x.value, &axis], vec![]);
        self.graph.transpose(&flat, &[0, 2, 1])
    }
}

/// Weights of a residual unit.
pub(super) struct ResidualUnit {
    pub snakes: [Tensor; 2],
    pub wide: Convolution,
    pub narrow: Convolution,
    pub dilation: usize,
}
