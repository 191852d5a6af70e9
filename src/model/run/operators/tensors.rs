//! What a runtime hands to an operator, and what it takes from it.
//!
//! `ort` would wrap each such value in one of its own, with some calls and allocations for each: a seventh of a live hop's time
//! went into it (one run). So values are read by ONNX Runtime's own functions, of which none allocates.

use ort::AsPointer;
use ort::operator::ComputeContext;
use ort::sys::{ONNXTensorElementDataType as Kind, OrtApi, OrtStatusPtr, OrtValue};
use std::{ptr, slice};
#[cfg(feature = "tract")]
use tract_onnx::prelude::Tensor;

/// A type of values that operators have.
pub(super) trait Element: Copy {
    const KIND: Kind;

    /// The built-in runtime's values, where they are of this type.
    #[cfg(feature = "tract")]
    fn of(tensor: &Tensor) -> Option<&[Self]>;
}

impl Element for f32 {
    const KIND: Kind = Kind::ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT;

    #[cfg(feature = "tract")]
    fn of(tensor: &Tensor) -> Option<&[Self]> {
        tensor.as_plain_ram()?.as_slice().ok()
    }
}

impl Element for i64 {
    const KIND: Kind = Kind::ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64;

    #[cfg(feature = "tract")]
    fn of(tensor: &Tensor) -> Option<&[Self]> {
        tensor.as_plain_ram()?.as_slice().ok()
    }
}

/// One run of an operator.
pub(super) enum Run<'a> {
    /// In ONNX Runtime; to be made once for each time that it calls.
    Called(&'a ComputeContext),
    /// In the built-in runtime.
    #[cfg(feature = "tract")]
    Planned {
        /// Dimensions and values.
        inputs: &'a [(Vec<i64>, &'a Tensor)],
        /// Empty, for the results.
        made: &'a mut Vec<Tensor>,
    },
}

impl<'a> Run<'a> {
    /// Dimensions and values of the input `at`.
    ///
    /// # Errors
    /// Where the operator wasn't given it, or of another type.
    pub fn input<T: Element>(&self, at: usize) -> ort::Result<(&'a [i64], &'a [T])> {
        match self {
            Self::Called(context) => called_with(context, at),
            #[cfg(feature = "tract")]
            Self::Planned { inputs, .. } => {
                let inputs: &'a [(Vec<i64>, &'a Tensor)] = inputs;
                let given = inputs.get(at).and_then(|(shape, tensor)| Some((&shape[..], T::of(tensor)?)));
                given.ok_or_else(|| ort::Error::new(format!("an operator without its input {at}")))
            }
        }
    }

    /// The values of all results, of the dimensions `shapes`; there are none where the input's don't fit.
    ///
    /// # Errors
    /// Without dimensions, or where the runtime refuses them.
    pub fn results<const N: usize>(self, shapes: Option<Vec<Vec<i64>>>) -> ort::Result<[&'a mut [f32]; N]> {
        let shapes = shapes.and_then(|shapes| <[_; N]>::try_from(shapes).ok());
        let shapes =
            shapes.ok_or_else(|| ort::Error::new("an operator's input has other dimensions than its weights"))?;
        match self {
            Self::Called(context) => to_be_given(context, shapes),
            #[cfg(feature = "tract")]
            Self::Planned { made, .. } => planned(made, shapes),
        }
    }
}

/// The input `at` of an operator that ONNX Runtime calls.
fn called_with<T: Element>(context: &ComputeContext, at: usize) -> ort::Result<(&[i64], &[T])> {
    let mut value: *const OrtValue = ptr::null();
    // SAFETY: the context is the one that the operator runs in; ONNX Runtime checks the number.
    done(|api| unsafe { (api.KernelContext_GetInput)(context.ptr(), at, &mut value) })?;
    if value.is_null() {
        return Err(ort::Error::new(format!("an operator without its input {at}")));
    }
    // SAFETY: inputs outlive the run, and so the context.
    let shape = unsafe { shape::<T>(value) }?;
    let mut values = ptr::null();
    // SAFETY: as above.
    done(|api| unsafe { (api.GetTensorData)(value, &mut values) })?;
    // SAFETY: a tensor of this type holds as many values as its dimensions say, on the processor.
    Ok((shape, if length(shape) == 0 { &[] } else { unsafe { slice::from_raw_parts(values.cast(), length(shape)) } }))
}

/// Room for what an operator that ONNX Runtime calls gives.
#[expect(clippy::mut_from_ref, reason = "the results are ONNX Runtime's, and asked for once a run")]
fn to_be_given<const N: usize>(context: &ComputeContext, shapes: [Vec<i64>; N]) -> ort::Result<[&mut [f32]; N]> {
    let mut results = [(); N].map(|()| &mut [][..]);
    for (at, (result, shape)) in results.iter_mut().zip(shapes).enumerate() {
        let (context, mut value) = (context.ptr().cast_mut(), ptr::null_mut());
        // SAFETY: as for an input; the dimensions are copied.
        done(|api| unsafe { (api.KernelContext_GetOutput)(context, at, shape.as_ptr(), shape.len(), &mut value) })?;
        if value.is_null() {
            return Err(ort::Error::new(format!("an operator without its output {at}")));
        }
        // SAFETY: outputs outlive the run too.
        let shape = unsafe { self::shape::<f32>(value) }?;
        let mut values = ptr::null_mut();
        // SAFETY: as above.
        done(|api| unsafe { (api.GetTensorMutableData)(value, &mut values) })?;
        if length(shape) > 0 {
            // SAFETY: as for an input; each output is asked for once a run, so that nobody else has it.
            *result = unsafe { slice::from_raw_parts_mut(values.cast(), length(shape)) };
        }
    }
    Ok(results)
}

/// Room for results in the built-in runtime.
#[cfg(feature = "tract")]
fn planned<'a, const N: usize>(made: &'a mut Vec<Tensor>, shapes: [Vec<i64>; N]) -> ort::Result<[&'a mut [f32]; N]> {
    for shape in shapes {
        let shape: Vec<usize> = shape.into_iter().map(|size| size as usize).collect();
        made.push(Tensor::zero::<f32>(&shape).map_err(|error| ort::Error::new(error.to_string()))?);
    }
    let values = |tensor: &'a mut Tensor| tensor.to_plain_array_view_mut().ok()?.into_slice();
    let results: Vec<&mut [f32]> = made.iter_mut().filter_map(values).collect();
    results.try_into().map_err(|_| ort::Error::new("an operator has run already"))
}

/// Dimensions of a tensor.
///
/// # Safety
/// The value must live as long as `'a`.
unsafe fn shape<'a, T: Element>(value: *const OrtValue) -> ort::Result<&'a [i64]> {
    let (mut kind, mut sizes, mut count) = (Kind::ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED, ptr::null(), 0);
    // SAFETY: by the caller; the dimensions are the tensor's own.
    done(|api| unsafe { (api.GetTensorElementTypeAndShapeDataReference)(value, &mut kind, &mut sizes, &mut count) })?;
    if kind != T::KIND {
        return Err(ort::Error::new(format!("an operator's value is of type {kind:?}, not {:?}", T::KIND)));
    }
    // SAFETY: so many stand there; a scalar has none.
    Ok(if count == 0 { &[] } else { unsafe { slice::from_raw_parts(sizes, count) } })
}

/// How many values a tensor of these dimensions has.
fn length(shape: &[i64]) -> usize {
    shape.iter().map(|&size| size as usize).product()
}

/// What a function of ONNX Runtime says.
fn done(call: impl FnOnce(&OrtApi) -> OrtStatusPtr) -> ort::Result<()> {
    // SAFETY: the status is the call's own.
    unsafe { ort::Error::result_from_status(call(ort::api())) }
}
