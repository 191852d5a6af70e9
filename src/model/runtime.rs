//! One process, one inference runtime: ONNX Runtime where its library is found, else the built-in tract.
//!
//! `ort` keeps its environment in a process-wide place and may dead-lock where two threads start it at once, so it
//! is started here only, behind one lock. Relative paths would resolve against the host's folder, so only absolute
//! ones are tried.

use super::{Device, ModelError, interface, privacy};
use ort::environment::Environment;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// Environment variable with the path of ONNX Runtime's library; `builtin` asks for the built-in runtime.
pub const RUNTIME_LIBRARY_VARIABLE: &str = "VRVQ_ONNXRUNTIME";

/// Name of the runtime compiled in.
pub const BUILT_IN: &str = "built-in (tract)";

#[cfg(target_os = "windows")]
const LIBRARY: &str = "onnxruntime.dll";
#[cfg(target_os = "macos")]
const LIBRARY: &str = "libonnxruntime.dylib";
#[cfg(not(any(target_os = "windows", target_os = "macos")))]
const LIBRARY: &str = "libonnxruntime.so";

/// The runtime of this process.
pub struct Runtime {
    environment: Environment,
    name: &'static str,
    builtin: bool,
    notice: Option<String>,
}

impl Runtime {
    /// Name for people, e.g. "ONNX Runtime".
    pub fn name(&self) -> &str {
        self.name
    }

    /// Name with a device, e.g. "ONNX Runtime · CPU".
    pub fn on(&self, device: Device) -> String {
        format!("{} · {device}", self.name)
    }

    /// Whether this is the runtime compiled in.
    pub fn is_builtin(&self) -> bool {
        self.builtin
    }

    /// Why a library that was found or asked for isn't used.
    pub fn notice(&self) -> Option<&str> {
        self.notice.as_deref()
    }

    pub(super) fn environment(&self) -> &Environment {
        &self.environment
    }
}

/// The runtime of this process, started at the first call. Takes up to some hundred milliseconds then: never call it
/// on an audio thread.
///
/// # Errors
/// [`ModelError::Runtime`] where not even the built-in one starts.
pub fn runtime() -> Result<&'static Runtime, ModelError> {
    static RUNTIME: OnceLock<Result<Runtime, String>> = OnceLock::new();
    RUNTIME.get_or_init(start).as_ref().map_err(|e| ModelError::Runtime(e.clone()))
}

/// The folder of the user's data where `cargo xtask runtime` puts ONNX Runtime.
pub fn runtime_folder() -> Option<PathBuf> {
    directories::ProjectDirs::from("org", "VRVQ", "VRVQ live").map(|dirs| dirs.data_dir().join("runtime"))
}

/// Places where the library may lie: beside this plug-in or program, inside its bundle, in the user's data folder.
fn candidates() -> Vec<PathBuf> {
    let own = process_path::get_dylib_path().or_else(process_path::get_executable_path);
    let beside = own.and_then(|path| path.canonicalize().ok()).and_then(|path| path.parent().map(Path::to_path_buf));
    beside.into_iter().chain(runtime_folder()).map(|folder| folder.join(LIBRARY)).collect()
}

fn start() -> Result<Runtime, String> {
    let asked = std::env::var_os(RUNTIME_LIBRARY_VARIABLE).filter(|value| !value.is_empty());
    let library = match &asked {
        Some(value) if value == "builtin" => None,
        Some(value) => Some(PathBuf::from(value)),
        None => candidates().into_iter().find(|path| path.is_file()),
    };
    let mut notice = None;
    if let Some(path) = library {
        match start_onnx_runtime(&path) {
            Ok(runtime) => return Ok(runtime),
            Err(reason) => notice = Some(format!("{} can't be used: {reason}", path.display())),
        }
    }
    start_builtin(notice)
}

fn start_onnx_runtime(path: &Path) -> Result<Runtime, String> {
    let path = path.canonicalize().map_err(|e| e.to_string())?;
    privacy::forbid_telemetry();
    let builder = ort::init_from(&path).map_err(|e| e.to_string())?;
    interface::provide(interface::of_library(&path)?)?;
    let environment = builder.with_name("vrvq").with_telemetry(false).build().map_err(|e| e.to_string())?;
    Ok(Runtime { environment, name: "ONNX Runtime", builtin: false, notice: None })
}

#[cfg(not(feature = "tract"))]
fn start_builtin(notice: Option<String>) -> Result<Runtime, String> {
    let why = format!("this build has none inside; {RUNTIME_LIBRARY_VARIABLE} can name the library of ONNX Runtime");
    Err(notice.into_iter().chain([why]).collect::<Vec<_>>().join("; "))
}

#[cfg(feature = "tract")]
fn start_builtin(notice: Option<String>) -> Result<Runtime, String> {
    interface::provide(ort_tract::api())?;
    let environment = ort::init().with_name("vrvq").with_telemetry(false).build().map_err(|e| e.to_string())?;
    Ok(Runtime { environment, name: BUILT_IN, builtin: true, notice })
}
