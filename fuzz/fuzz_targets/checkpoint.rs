//! Any bytes as a checkpoint, PyTorch's or safetensors: read, and made into a model file.

#![no_main]

use libfuzzer_sys::fuzz_target;
use vrvq::model::checkpoint::{StateDict, model_file};

fuzz_target!(|bytes: &[u8]| {
    let Ok(state) = StateDict::from_bytes(bytes.to_vec()) else { return };
    for name in state.names() {
        let Some(shape) = state.shape(name) else { continue };
        if let Ok(tensor) = state.tensor(name, shape) {
            assert_eq!(tensor.values.len(), shape.iter().product::<usize>());
        }
    }
    let _ = state.argument("sample_rate");
    let _ = model_file(&state, "fuzzed", None);
});
