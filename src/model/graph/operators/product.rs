//! Products with matrices in half precision, which are widened by a step of their own otherwise, with what is done to each frame
//! before and after.

use super::{Found, normalised, row, takers, two, uses};
use crate::model::graph::onnx::{AttributeProto, FLOAT, GraphProto, NodeProto, TensorProto};

/// Values from which a matrix is worth an operator of its own.
const LARGE: usize = 1024;

/// `x` · `values` + `bias`, along the last dimension of `x`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Product {
    /// Length of `x`.
    pub rows: usize,
    /// Length of the result.
    pub columns: usize,
    /// Half-precision floats in bits, all finite, `[rows, columns]`.
    pub values: Vec<u16>,
    /// Of each column.
    pub bias: Vec<f32>,
    /// Where `x` is divided by the root of its mean square first: what is added to that mean.
    pub epsilon: Option<f32>,
    /// Whether each y of the result becomes y · sigmoid(y).
    pub gated: bool,
}

impl Product {
    /// The operator's name.
    pub const NAME: &str = "Product";
}

/// The product that `node` is, with the normalisation before it, the bias that is added next and the gate after that.
pub(super) fn read<'a>(graph: &'a GraphProto, node: &'a NodeProto) -> Option<Found<'a, Product>> {
    let [input, matrix] = node.input.as_slice() else { return None };
    if node.op_type != "MatMul" || !node.domain.is_empty() || node.output.len() != 1 {
        return None;
    }
    let mut cast = graph.made_by(matrix)?;
    let transposed = cast.op_type == "Transpose";
    if transposed {
        let turned = cast.attribute.iter().any(|attribute| attribute.name == "perm" && attribute.ints == [1, 0]);
        cast = graph.made_by(cast.input.first().filter(|_| turned)?)?;
    }
    let to_single = |attribute: &AttributeProto| attribute.name == "to" && attribute.i == Some(i64::from(FLOAT));
    if cast.op_type != "Cast" || !cast.attribute.iter().any(to_single) {
        return None;
    }
    let halves = graph.initializer.iter().find(|tensor| Some(&tensor.name) == cast.input.first())?;
    let (mut rows, mut columns, mut values) = finite_halves(halves)?;
    if transposed {
        let turned = (0..columns).flat_map(|column| (0..rows).map(move |row| row * columns + column));
        values = turned.map(|at| values[at]).collect();
        (rows, columns) = (columns, rows);
    }
    let added = added_next(graph, &node.output[0]).and_then(|(add, other)| Some((add, row(graph, other, columns)?)));
    let (last, bias) = added.unwrap_or_else(|| (node, vec![0.0; columns]));
    let gate = gate(graph, last.output.first()?);
    let normal = graph.made_by(input).and_then(|divided| normalised(graph, divided));
    let (input, epsilon) = normal.map_or((input.as_str(), None), |(input, epsilon)| (input, Some(epsilon)));
    let what = Product { rows, columns, values, bias, epsilon, gated: gate.is_some() };
    Some(Found { what, inputs: vec![input], last: gate.unwrap_or(last), second: None })
}

/// The step that makes y · sigmoid(y) of the y `value`, which nothing else takes.
fn gate<'a>(graph: &'a GraphProto, value: &str) -> Option<&'a NodeProto> {
    let share = takers(graph, value).find(|node| node.op_type == "Sigmoid" && node.input.len() == 1)?.output.first()?;
    let gated = takers(graph, share).next().filter(|_| uses(graph, value) == 2 && uses(graph, share) == 1)?;
    two(gated, "Mul").filter(|inputs| inputs.contains(&value))?;
    Some(gated)
}

/// A matrix in half precision of a size that is worth it: rows, columns and values.
pub(super) fn finite_halves(tensor: &TensorProto) -> Option<(usize, usize, Vec<u16>)> {
    let [rows, columns] = tensor.dims.as_slice() else { return None };
    let (rows, columns) = (usize::try_from(*rows).ok()?, usize::try_from(*columns).ok()?);
    let values = tensor.to_halves()?;
    let whole = rows.checked_mul(columns) == Some(values.len()) && values.len() >= LARGE;
    (whole && values.iter().all(|&bits| half::f16::from_bits(bits).is_finite())).then_some((rows, columns, values))
}

/// The one node that takes `value`, if it adds something to it, and the name of that.
fn added_next<'a>(graph: &'a GraphProto, value: &str) -> Option<(&'a NodeProto, &'a str)> {
    let add = takers(graph, value).next().filter(|add| add.op_type == "Add" && uses(graph, value) == 1)?;
    Some((add, add.input.iter().find(|input| *input != value)?))
}

#[cfg(test)]
mod tests {
    use super::super::Operators;
    use super::*;
    use crate::model::graph::builder::Builder;
    use crate::model::graph::onnx::{HALF, ModelProto, Size, ValueInfo};

    fn take(model: &mut ModelProto) -> Vec<Product> {
        Operators::take(model, true).products
    }

    /// `x` times a half-precision matrix of 32 rows and 40 columns, turned where it is `transposed`, plus a bias where there is
    /// one.
    fn model(matrix: &[f32], transposed: bool, bias: Option<&[f32]>) -> ModelProto {
        let mut graph = Builder::default();
        let matrix = graph.weight(matrix, if transposed { &[40, 32] } else { &[32, 40] });
        let mut matrix = graph.add("Cast", &[&matrix], vec![AttributeProto::int("to", FLOAT.into())]);
        if transposed {
            matrix = graph.add("Transpose", &[&matrix], vec![AttributeProto::ints("perm", &[1, 0])]);
        }
        let mut y = graph.add("MatMul", &[&"x".into(), &matrix], vec![]);
        if let Some(bias) = bias {
            let bias = graph.weight(bias, &[bias.len()]);
            y = graph.add("Add", &[&bias, &y], vec![]);
        }
        let value = |name, length| ValueInfo::new(name, FLOAT, &[Size::Free("hops"), Size::Fixed(length)]);
        let bytes = graph.finish("product", vec![value("x", 32)], vec![(value("y", 40), y)]);
        let mut model = ModelProto::known(&bytes).unwrap();
        let halves = &mut model.graph.as_mut().unwrap().initializer[0];
        let values = halves.to_floats().unwrap();
        halves.data_type = HALF;
        halves.raw_data = values.iter().flat_map(|&value| half::f16::from_f32(value).to_le_bytes()).collect();
        model
    }

    fn kinds(model: &ModelProto) -> Vec<&str> {
        model.graph.as_ref().unwrap().node.iter().map(|node| node.op_type.as_str()).collect()
    }

    #[test]
    fn a_product_takes_its_cast_and_its_bias_along() {
        let matrix: Vec<f32> = (0..32 * 40).map(|i| i as f32 / 2.0).collect();
        let bias: Vec<f32> = (0..40).map(|i| i as f32).collect();
        let mut plain = model(&matrix, false, Some(&bias));
        let [product] = take(&mut plain).try_into().unwrap();
        assert_eq!((product.rows, product.columns), (32, 40));
        assert_eq!(product.bias, bias);
        let at = |row: usize, column: usize| half::f16::from_bits(product.values[row * 40 + column]).to_f32();
        assert_eq!((at(0, 1), at(31, 39)), (0.5, 639.5));
        assert_eq!(kinds(&plain), [Product::NAME, "Identity"]);
        assert!(plain.graph.unwrap().initializer.is_empty());

        let mut turned = model(&matrix, true, None);
        let [product] = take(&mut turned).try_into().unwrap();
        assert_eq!((product.rows, product.columns), (32, 40));
        assert_eq!(half::f16::from_bits(product.values[1]).to_f32(), 16.0, "the second column's first");
        assert_eq!(product.bias, [0.0; 40]);
    }

    #[test]
    fn other_additions_and_other_matrices_stay() {
        let matrix = vec![1.0; 32 * 40];
        let mut wide = model(&matrix, false, Some(&[1.0]));
        assert_eq!(take(&mut wide).len(), 1);
        assert_eq!(kinds(&wide), [Product::NAME, "Add", "Identity"], "one value for all columns is no bias of them");

        let mut infinite = matrix.clone();
        infinite[7] = f32::INFINITY;
        for mut model in [model(&infinite, false, None), {
            let mut single = model(&matrix, false, None);
            let tensor = &mut single.graph.as_mut().unwrap().initializer[0];
            *tensor = TensorProto::floats(&tensor.name, &[32, 40], &matrix);
            single
        }] {
            let before = model.clone();
            assert!(take(&mut model).is_empty());
            assert_eq!(model, before);
        }
    }
}
