//! The postfilter of a `live` decoder (`training/vrvq_training/postfilter.py`): all of its steps behind the pasts of what it looks at.

use super::product::finite_halves;
use super::template::Template;
use super::{Found, Product, row, two};
use crate::model::graph::builder::{Builder, END, Value};
use crate::model::graph::onnx::{AttributeProto, GraphProto, NodeProto};
use std::ops::Range;

/// Bins that a layer works on at once.
pub(crate) const GROUP: usize = 4;
/// Bins that a filter reaches over.
pub(crate) const SHIFTS: usize = 3;
/// What is added to the mean square of what is seen.
pub(crate) const FLOOR: f32 = 1e-6;
/// Most frames of the past, of a filter and most layers that are looked for.
const MOST: usize = 8;
/// Most bins: a file may make up any number.
const MOST_BINS: usize = 1 << 16;

/// Of a spectrum `[streams, frames, hop]`, the lowest bins companded with the frames before `[streams, frames + past, bins]`, the
/// lowest bins as they are with the frames before `[streams, frames + taps - 1, bins]`, and what is told of each frame
/// `[streams, frames, channels]`: the filtered spectrum.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Postfilter {
    /// The lowest ones, which are filtered.
    pub bins: usize,
    pub past: usize,
    /// Frames that a filter reaches over.
    pub taps: usize,
    /// `[groups, channels]`.
    pub place: Vec<f32>,
    /// Which of the products: the first, two for each layer, the last.
    pub products: Range<usize>,
}

impl Postfilter {
    /// The operator's name.
    pub const NAME: &str = "Postfilter";
}

/// The postfilter whose result `node` joins, and its products, which are to be among the others.
pub(super) fn read<'a>(graph: &'a GraphProto, node: &'a NodeProto) -> Option<Found<'a, (Postfilter, Vec<Product>)>> {
    let [filtered, above] = two(node, "Concat")?;
    let integers = |name: &String| graph.weight(name)?.to_integers();
    let above = graph.made_by(above).filter(|above| above.op_type == "Slice")?;
    let [bins] = integers(above.input.get(1)?)?.try_into().ok()?;
    // The shape in which the filters' products are added up.
    let [_, change] = two(graph.made_by(filtered)?, "Add")?;
    let sums = graph.made_by(graph.made_by(change)?.input.first()?)?;
    let shaped = graph.made_by(sums.input.first()?).filter(|shaped| shaped.op_type == "Reshape")?;
    let &[_, _, _, reach, _] = integers(shaped.input.get(1)?)?.as_slice() else { return None };
    let size = |length: i64| usize::try_from(length).ok().filter(|&length| length > 0);
    let (bins, taps) = (size(bins)?, size(reach)? / SHIFTS);
    if bins > MOST_BINS || !bins.is_multiple_of(GROUP) || !(1..=MOST).contains(&taps) {
        return None;
    }
    let result = node.output.first()?;
    let all = (0..=MOST).flat_map(|layers| (1..=MOST).map(move |past| (layers, past)));
    let (layers, past, found) = all
        .filter_map(|(layers, past)| Some((layers, past, template(bins, past, taps, layers)?)))
        .find_map(|(layers, past, template)| Some((layers, past, template.find(graph, result)?)))?;
    let product = |name: &str, gated| {
        let (rows, columns, values) = finite_halves(graph.weight(&found[&weight(name)])?)?;
        let bias = row(graph, &found[&bias(name)], columns)?;
        Some(Product { rows, columns, values, bias, epsilon: None, gated })
    };
    let of_layers = (0..layers).flat_map(|layer| [(widen(layer), true), (narrow(layer), false)]);
    let names = std::iter::once((FIRST.to_owned(), false)).chain(of_layers).chain([(LAST.to_owned(), false)]);
    let products = names.map(|(name, gated)| product(&name, gated)).collect::<Option<Vec<_>>>()?;
    let (channels, groups) = (products[0].columns, bins / GROUP);
    let place = graph.weight(&found[PLACE]).filter(|place| place.dims == [groups as i64, channels as i64])?;
    // What multiplies fits where the graph's own steps do; this is where the operator's do.
    let (first, layers, last) = (&products[0], &products[1..products.len() - 1], &products[products.len() - 1]);
    let fits = first.rows == 2 * SHIFTS * GROUP * (past + 1)
        && layers.as_chunks::<2>().0.iter().all(|[widen, narrow]| {
            widen.rows == 3 * channels && narrow.rows == widen.columns && narrow.columns == channels
        })
        && (last.rows, last.columns) == (channels, SHIFTS * taps * GROUP);
    let what = Postfilter { bins, past, taps, place: place.to_floats()?, products: 0..products.len() };
    let inputs = [SPECTRUM, LOW, REACHED, TOLD].map(|name| found.get(name));
    let inputs = inputs.into_iter().map(|name| graph.name_of(name?)).collect::<Option<Vec<_>>>()?;
    fits.then_some(Found { what: (what, products), inputs, last: node, second: None })
}

const SPECTRUM: &str = "spectrum";
const LOW: &str = "low";
const REACHED: &str = "reached";
const TOLD: &str = "told";
const PLACE: &str = "place";
const FIRST: &str = "first";
const LAST: &str = "last";

fn widen(layer: usize) -> String {
    format!("widen {layer}")
}

fn narrow(layer: usize) -> String {
    format!("narrow {layer}")
}

fn weight(name: &str) -> Value {
    format!("{name}, weight")
}

fn bias(name: &str) -> Value {
    format!("{name}, bias")
}

/// The steps that training exports, which takes the named values.
fn template(bins: usize, past: usize, taps: usize, layers: usize) -> Option<Template> {
    let mut g = Builder::default();
    let groups = bins / GROUP;
    let grouped = [0, -1, groups as i64, GROUP as i64];
    let [spectrum, low, reached, told, place] = [SPECTRUM, LOW, REACHED, TOLD, PLACE].map(Value::from);

    let near = g.reshape(&low, &grouped);
    let near = beside(&mut g, &near, groups);
    let seen = windows(&mut g, &[near], past);
    let square = g.mul(&seen, &seen);
    let over_all = vec![AttributeProto::ints("axes", &[2, 3]), AttributeProto::int("keepdims", 1)];
    let power = g.add("ReduceMean", &[&square], over_all);
    let (floor, root) = (g.numbers(&[FLOOR], &[]), g.numbers(&[-0.5], &[]));
    let power = g.plus(&power, &floor);
    let over = g.add("Pow", &[&power, &root], vec![]);
    let seen = g.mul(&seen, &over);
    let size = g.add("Abs", &[&seen], vec![]);
    let seen = g.concat(&[&seen, &size], 3);
    let x = linear(&mut g, &seen, FIRST);
    let axis = g.integers(&[2]);
    let told = g.add("Unsqueeze", &[&told, &axis], vec![]);
    let x = g.plus(&x, &place);
    let x = g.plus(&x, &told);
    let mut x = silu(&mut g, &x);
    for layer in 0..layers {
        let wide = beside(&mut g, &x, groups);
        let wide = linear(&mut g, &wide, &widen(layer));
        let wide = silu(&mut g, &wide);
        let more = linear(&mut g, &wide, &narrow(layer));
        x = g.plus(&x, &more);
    }

    let now = g.slice(&spectrum, 0, bins as i64, 2);
    let more = (SHIFTS / 2) as i64;
    let padding = g.integers(&[0, 0, more, 0, 0, more]);
    let padded = g.add("Pad", &[&reached, &padding], vec![]);
    let shifted: Vec<Value> = (0..SHIFTS)
        .map(|shift| {
            let shifted = g.slice(&padded, shift as i64, (shift + bins) as i64, 2);
            g.reshape(&shifted, &grouped)
        })
        .collect();
    let shifted = windows(&mut g, &shifted, taps - 1);
    let filters = linear(&mut g, &x, LAST);
    let parts = g.mul(&filters, &shifted);
    let parts = g.reshape(&parts, &[0, -1, groups as i64, (SHIFTS * taps) as i64, GROUP as i64]);
    let axis = g.integers(&[3]);
    let change = g.add("ReduceSum", &[&parts, &axis], vec![AttributeProto::int("keepdims", 0)]);
    let change = g.reshape(&change, &[0, -1, bins as i64]);
    let changed = g.plus(&now, &change);
    let above = g.slice(&spectrum, bins as i64, END, 2);
    let result = g.concat(&[&changed, &above], 2);
    Template::new(g, result)
}

/// Groups beside their neighbours.
fn beside(g: &mut Builder, x: &Value, groups: usize) -> Value {
    let padding = g.integers(&[0, 0, 1, 0, 0, 0, 1, 0]);
    let padded = g.add("Pad", &[x, &padding], vec![]);
    let parts: Vec<Value> = (0..3).map(|at| g.slice(&padded, at, at + groups as i64, 2)).collect();
    g.concat(&parts.iter().collect::<Vec<_>>(), 3)
}

/// Each of `parts` at every frame of the past and at this one.
fn windows(g: &mut Builder, parts: &[Value], past: usize) -> Value {
    let end = |frame: usize| if frame < past { frame as i64 - past as i64 } else { END };
    let each = parts.iter().flat_map(|part| (0..=past).map(move |frame| (part, frame)));
    let all: Vec<Value> = each.map(|(part, frame)| g.slice(part, frame as i64, end(frame), 1)).collect();
    g.concat(&all.iter().collect::<Vec<_>>(), 3)
}

fn linear(g: &mut Builder, x: &Value, name: &str) -> Value {
    let product = g.add("MatMul", &[x, &weight(name)], vec![]);
    g.plus(&product, &bias(name))
}

fn silu(g: &mut Builder, x: &Value) -> Value {
    let share = g.add("Sigmoid", &[x], vec![]);
    g.mul(x, &share)
}

#[cfg(test)]
mod tests {
    use super::super::Operators;
    use super::*;
    use crate::model::Model;
    use crate::model::graph::onnx::ModelProto;

    #[test]
    fn that_of_the_bundled_decoder_is_one_step() {
        let model = Model::builtin().unwrap();
        let mut decoder = ModelProto::known(model.decoder.bytes()).unwrap();
        let before = decoder.graph.as_ref().unwrap().node.len();
        let operators = Operators::take(&mut decoder, true);
        let [postfilter] = operators.postfilters.as_slice() else { panic!("there is one") };
        assert_eq!((postfilter.bins, postfilter.past, postfilter.taps), (256, 4, 3));
        let shapes: Vec<_> = operators.products[postfilter.products.clone()]
            .iter()
            .map(|product| (product.rows, product.columns, product.gated))
            .collect();
        let layer = [(96, 64, true), (64, 32, false)];
        assert_eq!(shapes, [&[(120, 32, false)][..], &layer, &layer, &[(32, 36, false)]].concat());
        assert_eq!(postfilter.place.len(), 64 * 32);
        let nodes = decoder.graph.unwrap().node;
        let kinds = nodes.iter().filter(|node| node.op_type == Postfilter::NAME).count();
        assert!(kinds == 1 && nodes.len() * 8 < before, "{} of {before} steps", nodes.len());
    }

    #[test]
    fn one_with_another_step_is_none() {
        let model = Model::builtin().unwrap();
        let whole = ModelProto::known(model.decoder.bytes()).unwrap();
        let postfilters = |change: &dyn Fn(&mut NodeProto)| {
            let mut model = whole.clone();
            model.graph.as_mut().unwrap().node.iter_mut().for_each(change);
            Operators::take(&mut model, true).postfilters.len()
        };
        assert_eq!(postfilters(&|_| ()), 1);
        // It stands before the companded spectrum too.
        let signs = |node: &mut NodeProto| {
            if node.op_type == "Unsqueeze" {
                node.op_type = "Neg".into();
            }
        };
        assert_eq!(postfilters(&signs), 0);
        let kept = |node: &mut NodeProto| {
            if node.op_type == "ReduceSum" {
                node.attribute.iter_mut().for_each(|attribute| attribute.i = Some(1));
            }
        };
        assert_eq!(postfilters(&kept), 0);
        for (of, made_up) in [(9, 1), (9, 3 << 40), (256, i64::MAX), (256, 255), (256, 1)] {
            let mut model = whole.clone();
            for tensor in &mut model.graph.as_mut().unwrap().initializer {
                let Some(mut values) = tensor.to_integers() else { continue };
                values.iter_mut().filter(|value| **value == of).for_each(|value| *value = made_up);
                tensor.raw_data = values.iter().flat_map(|value| value.to_le_bytes()).collect();
            }
            let found = Operators::take(&mut model, true).postfilters.len();
            assert_eq!(found, 0, "{made_up} in place of {of}");
        }
        let mut single = whole.clone();
        assert!(Operators::take(&mut single, false).postfilters.is_empty(), "products that stay");
    }
}
