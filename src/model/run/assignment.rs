//! Which nodes of a graph don't run on the device that was asked for: a fallback to the processor is silent by default.
//!
//! Runtimes list what they gave to the processor; what they gave to a GPU is listed by some of them only.

use ort::AsPointer;
use ort::session::Session;
use std::ffi::{CStr, c_char};
use std::ptr;

/// Operators that a GPU is there for, by the starts of their names.
const HEAVY: [&str; 4] = ["MatMul", "Gemm", "Conv", "Fused"];

/// What the processor has to do, in words; `None` where that is nothing, or the runtime doesn't tell.
pub(super) fn in_words(session: &Session) -> Option<String> {
    let operators = on_processor(session)?;
    let heavy = operators.iter().filter(|operator| HEAVY.iter().any(|heavy| operator.starts_with(heavy))).count();
    match (heavy, operators.len()) {
        (0, 0) => None,
        (0, small) => Some(format!("{small} small steps on the CPU")),
        (heavy, _) => Some(format!("{heavy} of its convolutions and matrix products on the CPU")),
    }
}

/// Operators of the nodes on the processor.
fn on_processor(session: &Session) -> Option<Vec<String>> {
    let api = ort::api();
    // SAFETY: the session lives through the calls, which ask about it only; what comes back are the runtime's own pointers
    // to what it keeps as long as the session, read here and not kept. An error is released, once.
    unsafe {
        let ok = |status: ort::sys::OrtStatusPtr| {
            let failed = !status.0.is_null();
            if failed {
                (api.ReleaseStatus)(status.0);
            }
            !failed
        };
        let text = |name: *const c_char| (!name.is_null()).then(|| CStr::from_ptr(name).to_string_lossy().into_owned());
        let (mut parts, mut count) = (ptr::null(), 0);
        if !ok((api.Session_GetEpGraphAssignmentInfo)(session.ptr(), &raw mut parts, &raw mut count)) || parts.is_null()
        {
            return None;
        }
        let mut operators = Vec::new();
        for part in std::slice::from_raw_parts(parts, count) {
            let (mut provider, mut nodes, mut count) = (ptr::null(), ptr::null(), 0);
            let told = ok((api.EpAssignedSubgraph_GetEpName)(*part, &raw mut provider))
                && ok((api.EpAssignedSubgraph_GetNodes)(*part, &raw mut nodes, &raw mut count));
            if !told || nodes.is_null() || text(provider)? != "CPUExecutionProvider" {
                continue;
            }
            for node in std::slice::from_raw_parts(nodes, count) {
                let mut operator = ptr::null();
                if ok((api.EpAssignedNode_GetOperatorType)(*node, &raw mut operator)) {
                    operators.push(text(operator)?);
                }
            }
        }
        Some(operators)
    }
}
