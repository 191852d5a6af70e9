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
    let mut entries = Vec::with_capacity(terms.len() * size * dims);
    for (term, codebook) in terms.iter().zip(0..) {
        let table = graph.weight(term.table).filter(|table| table.dims == [size as i64, dims as i64])?;
        let alike = (term.codes, term.counts, term.codebook) == (first.codes, first.counts, codebook);
        entries.extend(table.to_halves().filter(|halves| alike && halves.len() == size * dims)?);
    }
    let what = Lookup { entries, codebooks: terms.len(), dims };
    Some(Found { what, inputs: vec![first.codes, first.counts], last: node })
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
