//! What all sessions of a graph on the processor have in common.

#[cfg(feature = "tract")]
use super::plan::Plan;
use super::weights::Weights;
use crate::model::Runtime;

/// See the module.
pub enum Shared {
    /// In ONNX Runtime.
    Weights(Weights),
    /// In the runtime compiled in.
    #[cfg(feature = "tract")]
    Plan(Plan),
}

impl Shared {
    /// Those of the graph `bytes` in `runtime`; `None` where there is nothing. With `own` the program's operators take the place of
    /// steps of it, which they do by one thread.
    pub fn of(bytes: &[u8], own: bool, runtime: &Runtime) -> Option<Self> {
        #[cfg(feature = "tract")]
        if runtime.is_builtin() {
            return Plan::of(bytes, own).ok().map(Self::Plan);
        }
        let _ = runtime;
        Weights::of(bytes, own).map(Self::Weights)
    }
}
