//! A graph with the program's operators in it, and its other weights where they were: for the runtime compiled in, whose
//! sessions share what they are made of without being told.

use super::onnx::ModelProto;
use super::operators::{DOMAIN, INDEX, Operators};
use prost::Message;

/// A step that is an operator of the program's.
pub(crate) struct OwnStep {
    /// The operator's name.
    pub name: String,
    /// Which of its kind.
    pub index: usize,
    /// Name of its first result.
    pub result: String,
}

/// The graph `bytes` with the program's operators, those that read halves where `halves` says that there are some; what they need,
/// and where they stand. `None` for graphs that hold what isn't known here, or nothing to take the place of.
pub(crate) fn own_steps(bytes: &[u8], halves: bool) -> Option<(Vec<u8>, Operators, Vec<OwnStep>)> {
    let mut model = ModelProto::known(bytes)?;
    let operators = Operators::take(&mut model, halves);
    let own = model.graph.as_ref()?.node.iter().filter(|node| node.domain == DOMAIN);
    let step = own.map(|node| {
        let index = node.attribute.iter().find(|attribute| attribute.name == INDEX)?.i?;
        let result = node.output.first()?.clone();
        Some(OwnStep { name: node.op_type.clone(), index: usize::try_from(index).ok()?, result })
    });
    let steps = step.collect::<Option<Vec<_>>>()?;
    (!steps.is_empty()).then(|| (model.encode_to_vec(), operators, steps))
}
