//! The program's operators as steps of the built-in runtime's plans.

use super::tensors::Run;
use super::{Size, Step};
use ort::value::TensorElementType;
use std::fmt;
use std::sync::Arc;
use tract_onnx::tract_core::{as_op, op_as_typed_op, op_out_of_plan};
use tract_onnx::tract_hir::internal::*;

impl Size for TDim {
    fn of(size: usize) -> Self {
        size.to_dim()
    }

    fn plus(&self, by: isize) -> Self {
        self.clone() + by as i64
    }
}

/// An operator as a graph is read with it.
pub(in crate::model::run) type Expanded = Box<dyn InferenceOp>;

/// That of this `index`.
pub(super) fn of<T: Step + 'static>(name: &'static str, all: &[Arc<T>], index: usize) -> Option<Expanded> {
    Some(expand(Planned { name, step: all.get(index)?.clone() }))
}

/// See the module.
struct Planned<T> {
    name: &'static str,
    step: Arc<T>,
}

impl<T> Clone for Planned<T> {
    fn clone(&self) -> Self {
        Self { name: self.name, step: self.step.clone() }
    }
}

impl<T> PartialEq for Planned<T> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.step, &other.step)
    }
}

impl<T> Eq for Planned<T> {}

impl<T> fmt::Debug for Planned<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl<T: Step> Planned<T> {
    fn shapes(&self, inputs: &[TVec<TDim>]) -> TractResult<Vec<TVec<TDim>>> {
        let inputs: Vec<&[TDim]> = inputs.iter().map(|shape| &shape[..]).collect();
        let shapes = self.step.shapes(&inputs).ok_or_else(|| format_err!("{} of other dimensions", self.name))?;
        Ok(shapes.into_iter().map(TVec::from_vec).collect())
    }
}

impl<T: Step + 'static> Op for Planned<T> {
    fn name(&self) -> StaticName {
        self.name.into()
    }

    op_as_typed_op!();
}

impl<T: Step + 'static> EvalOp for Planned<T> {
    op_out_of_plan!();

    fn eval(&self, _context: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let shape = |value: &TValue| value.shape().iter().map(|&size| size as i64).collect();
        let inputs: Vec<(Vec<i64>, &Tensor)> = inputs.iter().map(|value| (shape(value), &**value)).collect();
        let mut made = Vec::with_capacity(T::OUTPUTS);
        self.step
            .run(Run::Planned { inputs: &inputs, made: &mut made })
            .map_err(|error| format_err!("{}: {error}", self.name))?;
        Ok(made.into_iter().map(TValue::from).collect())
    }
}

impl<T: Step + 'static> TypedOp for Planned<T> {
    as_op!();

    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        let shapes: Vec<TVec<TDim>> = inputs.iter().map(|fact| fact.shape.to_tvec()).collect();
        Ok(self.shapes(&shapes)?.into_iter().map(|shape| f32::fact(&*shape)).collect())
    }
}

impl<T: Step + 'static> Expansion for Planned<T> {
    fn name(&self) -> StaticName {
        self.name.into()
    }

    fn nboutputs(&self) -> TractResult<usize> {
        Ok(T::OUTPUTS)
    }

    fn rules<'r, 'p: 'r, 's: 'r>(
        &'s self,
        solver: &mut Solver<'r>,
        inputs: &'p [TensorProxy],
        outputs: &'p [TensorProxy],
    ) -> InferenceResult {
        check_input_arity(inputs, T::INPUTS.len())?;
        check_output_arity(outputs, T::OUTPUTS)?;
        for (input, kind) in inputs.iter().zip(T::INPUTS) {
            let kind = if *kind == TensorElementType::Int64 { i64::datum_type() } else { f32::datum_type() };
            solver.equals(&input.datum_type, kind)?;
        }
        for output in outputs {
            solver.equals(&output.datum_type, f32::datum_type())?;
        }
        let shapes = inputs.iter().map(|input| &input.shape);
        solver.given_all(shapes, move |solver, shapes| {
            outputs
                .iter()
                .zip(self.shapes(&shapes)?)
                .try_for_each(|(output, shape)| solver.equals(&output.shape, shape))
        })
    }

    fn wire(&self, prefix: &str, model: &mut TypedModel, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        model.wire_node(prefix, self.clone(), inputs)
    }
}
