//! The sum of the entries that a frame's codes name, which is written as one gathering and one mask a codebook.

use super::{Found, takers, two, uses};
use crate::model::graph::onnx::{AttributeProto, GraphProto, NodeProto};

/// The sum of each codebook's entry, of those codebooks that the frame has.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Lookup {
    /// Half-precision floats in bits, `[codebooks, entries, dims]`.
    pub entries: Vec<u16>,
    pub codebooks: usize,
    pub dims: usize,
}

impl Lookup {
    /// The operator's name.
    pub const NAME: &str = "Lookup";
}

/// The lookup whose last sum `node` is. Its inputs are codes, `[batch, frames, codebooks]`, and counts, `[batch, frames]`.
pub(super) fn read<'a>(graph: &'a GraphProto, node: &'a NodeProto) -> Option<Found<'a, Lookup>> {
    let mut terms = Vec::new();
    let mut sum = two(node, "Add")?;
    // Not part of a longer one.
    let follows = |next: &NodeProto| two(next, "Add").is_some_and(|[_, term]| self::term(graph, term).is_some());
    if takers(graph, &node.output[0]).any(follows) {
        return None;
    }
    loop {
        let [before, last] = sum;
        terms.push(term(graph, last)?);
        match graph.made_by(before).filter(|_| uses(graph, before) == 1).and_then(|before| two(before, "Add")) {
            Some(next) => sum = next,
            None => {
                terms.push(term(graph, before)?);
                break;
            }
        }
    }
    terms.reverse();
    let first = terms[0];
    let [size, dims] = graph.weight(first.table)?.dims.as_slice() else { return None };
    let (size, dims) = (usize::try_from(*size).ok()?, usize::try_from(*dims).ok()?);
    let count = size.checked_mul(dims).filter(|&count| count > 0)?;
    let mut entries = Vec::new();
    for (term, codebook) in terms.iter().zip(0..) {
        let table = graph.weight(term.table).filter(|table| table.dims == [size as i64, dims as i64])?;
        let alike = (term.codes, term.counts, term.codebook) == (first.codes, first.counts, codebook);
        entries.extend(table.to_halves().filter(|halves| alike && halves.len() == count)?);
    }
    let what = Lookup { entries, codebooks: terms.len(), dims };
    Some(Found { what, inputs: vec![first.codes, first.counts], last: node, second: None })
}

/// One codebook's: `table`'s entry of `codes` where the count is above `codebook`.
#[derive(Clone, Copy)]
struct Term<'a> {
    codes: &'a str,
    counts: &'a str,
    table: &'a str,
    codebook: i64,
}

fn term<'a>(graph: &'a GraphProto, value: &str) -> Option<Term<'a>> {
    let [entry, mask] = two(graph.made_by(value)?, "Mul")?;
    let [table, code] = gathered(graph, entry, 0)?;
    let [codes, codebook] = gathered(graph, code, 2)?;
    let [mask, _] = two(graph.made_by(mask)?, "Unsqueeze")?;
    let cast = graph.made_by(mask).filter(|cast| cast.op_type == "Cast")?;
    let [least, counts] = two(graph.made_by(cast.input.first()?)?, "Less")?;
    let integer = |name: &str| graph.initializer.iter().find(|tensor| tensor.name == name)?.to_integer();
    let codebook = integer(codebook).filter(|&codebook| integer(least) == Some(codebook))?;
    Some(Term { codes, counts, table, codebook })
}

/// What is gathered along `axis`, and by what.
fn gathered<'a>(graph: &'a GraphProto, value: &str, axis: i64) -> Option<[&'a str; 2]> {
    let node = graph.made_by(value)?;
    let along = |attribute: &AttributeProto| attribute.name == "axis" && attribute.i == Some(axis);
    two(node, "Gather").filter(|_| node.attribute.iter().any(along))
}

#[cfg(test)]
mod tests {
    use super::super::Operators;
    use super::*;
    use crate::model::graph::builder::Builder;
    use crate::model::graph::onnx::{FLOAT, HALF, INT64, ModelProto, Size, ValueInfo};

    /// A sum of `codebooks` codebooks of two entries of three dimensions; its masks compare with `shift` more.
    fn model(codebooks: i64, shift: i64) -> ModelProto {
        let mut graph = Builder::default();
        let mut sum: Option<String> = None;
        for codebook in 0..codebooks {
            let table = graph.weight(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0 + codebook as f32], &[2, 3]);
            let table = graph.cast(&table, FLOAT);
            let index = graph.integers(&[codebook]);
            let code = graph.add("Gather", &[&"codes".into(), &index], vec![AttributeProto::int("axis", 2)]);
            let entry = graph.add("Gather", &[&table, &code], vec![AttributeProto::int("axis", 0)]);
            let least = graph.integers(&[codebook + shift]);
            let more = graph.add("Less", &[&least, &"count".into()], vec![]);
            let more = graph.cast(&more, FLOAT);
            let axis = graph.integers(&[2]);
            let mask = graph.add("Unsqueeze", &[&more, &axis], vec![]);
            let term = graph.mul(&entry, &mask);
            sum = Some(sum.map_or(term.clone(), |sum| graph.plus(&sum, &term)));
        }
        let value = |name, kind| ValueInfo::new(name, kind, &[Size::Free("batch"), Size::Free("hops")]);
        let inputs = vec![value("codes", INT64), value("count", INT64)];
        let bytes = graph.finish("lookup", inputs, vec![(value("sum", FLOAT), sum.unwrap())]);
        let mut model = ModelProto::known(&bytes).unwrap();
        for tensor in &mut model.graph.as_mut().unwrap().initializer {
            if let Some(values) = tensor.to_floats() {
                tensor.data_type = HALF;
                tensor.raw_data = values.iter().flat_map(|&value| half::f16::from_f32(value).to_le_bytes()).collect();
            }
        }
        model
    }

    #[test]
    fn sums_of_entries_are_one_lookup() {
        let mut whole = model(3, 0);
        let [lookup] = Operators::take(&mut whole, false).lookups.try_into().unwrap();
        assert_eq!((lookup.codebooks, lookup.dims, lookup.entries.len()), (3, 3, 18));
        assert_eq!(half::f16::from_bits(lookup.entries[17]).to_f32(), 8.0);
        let graph = whole.graph.unwrap();
        assert_eq!((graph.node.len(), graph.initializer.len()), (2, 0), "the lookup and what names the output");
        assert!(Operators::take(&mut model(3, 1), false).lookups.is_empty(), "other masks than its own");
    }

    #[test]
    fn dimensions_that_a_file_makes_up_are_none() {
        for dims in [vec![i64::MAX, i64::MAX], vec![0, 3], vec![-1, -6], vec![2, 2]] {
            let mut model = model(3, 0);
            for tensor in model.graph.as_mut().unwrap().initializer.iter_mut().filter(|tensor| tensor.dims == [2, 3]) {
                tensor.dims.clone_from(&dims);
            }
            assert!(Operators::take(&mut model, false).lookups.is_empty(), "{dims:?}");
        }
    }
}
