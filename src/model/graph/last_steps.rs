//! What a decoder does with its latent at last, told by its graph.
//!
//! Decoders of the `live` architecture end in: shape = latent · synthesis + what the network adds; times a size that the gain
//! makes; over a weighting; companded the other way. With these weights it is known how the spectrum changes with the latent
//! where the network's part stays, without running the decoder (`model/synthesis/slopes.rs`). A postfilter behind that is taken
//! for one that leaves a change as it is.

use super::SPECTRUM;
use super::onnx::{GraphProto, ModelProto, NodeProto};

/// Name of the spectrum before the postfilter, in graphs that have one (`training/vrvq_training/export.py`).
const UNFILTERED: &str = "unfiltered";

/// See the module.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LastSteps {
    /// `[dims - 1, hop]`: what each dimension behind the first, the gain's, adds to the shape.
    pub synthesis: Vec<f32>,
    /// What the companded spectrum is over, `[hop]`, all above 0.
    pub weighting: Vec<f32>,
    /// That of companding, above 0: the spectrum is the companded one to the power of 1 over it.
    pub exponent: f32,
}

impl LastSteps {
    /// Of the decoder's graph `bytes`, which shows its spectrum of `hop` bins and has latents of `dims` dimensions; `None`
    /// where it ends in another way.
    pub(crate) fn of(bytes: &[u8], dims: usize, hop: usize) -> Option<Self> {
        let model = ModelProto::known(bytes)?;
        let graph = model.graph.as_ref()?;
        let [shown] = inputs(graph, SPECTRUM, "Identity")?;
        let [mdct] = inputs(graph, UNFILTERED, "Identity").unwrap_or([shown]);
        let [sign, power] = inputs(graph, mdct, "Mul")?;
        let [companded] = inputs(graph, sign, "Sign")?;
        let [_, exponent] = inputs(graph, power, "Pow")?;
        let [weighted, weighting] = inputs(graph, companded, "Div")?;
        let [shape, _] = inputs(graph, weighted, "Mul")?;
        let [linear, _] = inputs(graph, shape, "Add")?;
        let [_, synthesis] = inputs(graph, linear, "MatMul")?;
        let values = |name: &str, dims: &[usize]| {
            let tensor = graph.weight(name)?;
            let fits = tensor.dims.iter().map(|&length| usize::try_from(length).ok()).eq(dims.iter().map(|&d| Some(d)));
            tensor.to_floats().filter(|values| fits && values.iter().all(|value| value.is_finite()))
        };
        let positive = |values: &Vec<f32>| values.iter().all(|&value| value > 0.0);
        let exponent = values(exponent, &[]).filter(positive)?;
        Some(Self {
            synthesis: values(synthesis, &[dims.checked_sub(1)?, hop])?,
            weighting: values(weighting, &[hop]).filter(positive)?,
            exponent: 1.0 / exponent.first()?,
        })
    }
}

/// The inputs of the node that makes `value`, if it is of that kind and has so many.
fn inputs<'a, const N: usize>(graph: &'a GraphProto, value: &str, kind: &str) -> Option<[&'a str; N]> {
    let node: &NodeProto = graph.made_by(value).filter(|node| node.op_type == kind)?;
    let names: Vec<&str> = node.input.iter().map(String::as_str).collect();
    names.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::super::builder::Builder;
    use super::super::onnx::{FLOAT, Size, ValueInfo};
    use super::*;

    /// A decoder of a latent of two dimensions and two bins, companded by `power`, with `first` where the sign comes first and
    /// `filtered` with a filter behind.
    fn decoder(power: f32, first: bool, filtered: bool) -> Vec<u8> {
        let mut graph = Builder::default();
        let latent = String::from("latent");
        let synthesis = graph.weight(&[1.0, 2.0], &[1, 2]);
        let weighting = graph.weight(&[0.5, 4.0], &[2]);
        let exponent = graph.weight(&[power], &[]);
        let linear = graph.add("MatMul", &[&latent, &synthesis], vec![]);
        let shape = graph.add("Add", &[&linear, &latent], vec![]);
        let sized = graph.add("Mul", &[&shape, &latent], vec![]);
        let companded = graph.add("Div", &[&sized, &weighting], vec![]);
        let sign = graph.add("Sign", &[&companded], vec![]);
        let size = graph.add("Abs", &[&companded], vec![]);
        let size = graph.add("Pow", &[&size, &exponent], vec![]);
        let mdct = graph.add("Mul", &if first { [&sign, &size] } else { [&size, &sign] }, vec![]);
        let value = |name| ValueInfo::new(name, FLOAT, &[Size::Free("batch"), Size::Fixed(2)]);
        let mut outputs = vec![(value(SPECTRUM), mdct.clone())];
        if filtered {
            let spectrum = graph.add("Add", &[&mdct, &latent], vec![]);
            outputs = vec![(value(SPECTRUM), spectrum), (value(UNFILTERED), mdct)];
        }
        graph.finish("decoder", vec![value("latent")], outputs)
    }

    #[test]
    fn they_are_read_from_the_spectrum_backwards() {
        let steps = LastSteps::of(&decoder(2.0, true, false), 2, 2).unwrap();
        assert_eq!(steps, LastSteps { synthesis: vec![1.0, 2.0], weighting: vec![0.5, 4.0], exponent: 0.5 });
    }

    #[test]
    fn a_postfilter_is_looked_past() {
        let filtered = LastSteps::of(&decoder(2.0, true, true), 2, 2);
        assert_eq!(filtered, LastSteps::of(&decoder(2.0, true, false), 2, 2));
        assert!(filtered.is_some());
    }

    #[test]
    fn what_ends_otherwise_has_none() {
        assert_eq!(LastSteps::of(&decoder(2.0, false, false), 2, 2), None, "other steps");
        assert_eq!(LastSteps::of(&decoder(2.0, true, false), 3, 2), None, "of another latent");
        assert_eq!(LastSteps::of(&decoder(2.0, true, false), 2, 4), None, "of another hop");
        assert_eq!(LastSteps::of(&decoder(-2.0, true, false), 2, 2), None, "no companding");
        assert_eq!(LastSteps::of(&crate::model::graph::probe(), 2, 2), None);
        assert_eq!(LastSteps::of(b"no graph", 2, 2), None);
    }
}
