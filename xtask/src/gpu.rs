//! What a GPU takes beside the runtime: a driver, CUDA and cuDNN, which are the machine's, by name and version.

use anyhow::{Result, bail};
use std::path::Path;
use std::process::Command;

/// The last one for CUDA 13; it asks for an interface that the app has too.
pub const PACKAGE: &str = "onnxruntime-gpu==1.31.1";

/// A part with the libraries that tell that it is there (Linux, Windows).
struct Part {
    name: &'static str,
    from: &'static str,
    libraries: &'static [&'static str],
}

const PARTS: [Part; 3] = [
    Part {
        name: "NVIDIA driver, 580 or later",
        from: "the system's packages, or https://www.nvidia.com/drivers",
        libraries: if cfg!(windows) { &["nvcuda.dll"] } else { &["libcuda.so.1"] },
    },
    Part {
        name: "CUDA 13 runtime libraries",
        from: "https://developer.nvidia.com/cuda-toolkit",
        libraries: if cfg!(windows) {
            &["cudart64_13.dll", "cublasLt64_13.dll", "cublas64_13.dll", "cufft64_12.dll"]
        } else {
            &[
                "libcudart.so.13",
                "libcublasLt.so.13",
                "libcublas.so.13",
                "libnvrtc.so.13",
                "libcurand.so.10",
                "libcufft.so.12",
            ]
        },
    },
    Part {
        name: "cuDNN 9",
        from: "https://developer.nvidia.com/cudnn",
        libraries: if cfg!(windows) { &["cudnn64_9.dll"] } else { &["libcudnn.so.9"] },
    },
];

/// What is missing where `found` tells which libraries are there: each part with its missing libraries.
fn missing(found: impl Fn(&str) -> bool) -> Vec<String> {
    let text = |part: &Part| {
        let libraries: Vec<&str> = part.libraries.iter().copied().filter(|library| !found(library)).collect();
        let Part { name, from, .. } = part;
        (!libraries.is_empty()).then(|| format!("{name} ({}), from {from}", libraries.join(", ")))
    };
    PARTS.iter().filter_map(text).collect()
}

/// A search like that of the system's loader.
fn loader() -> impl Fn(&str) -> bool {
    let cache = Command::new("ldconfig").arg("-p").output().map(|output| output.stdout).unwrap_or_default();
    let cache = String::from_utf8_lossy(&cache).into_owned();
    let variable = if cfg!(windows) { "PATH" } else { "LD_LIBRARY_PATH" };
    let folders = std::env::var_os(variable).unwrap_or_default();
    let folders: Vec<_> = std::env::split_paths(&folders).collect();
    move |library| {
        let listed = cache.lines().any(|line| line.split_whitespace().next() == Some(library));
        listed || folders.iter().any(|folder: &std::path::PathBuf| Path::new(folder).join(library).is_file())
    }
}

/// Before anything large is downloaded: whether there can be a GPU at all.
///
/// # Errors
/// Without a driver, with all that is needed.
pub fn check() -> Result<()> {
    if cfg!(target_os = "macos") {
        bail!("CUDA doesn't exist on macOS; the app computes on the processor there");
    }
    refuse(&missing(loader()))
}

fn refuse(missing: &[String]) -> Result<()> {
    match missing.first() {
        Some(first) if first.starts_with(PARTS[0].name) => {
            bail!("no GPU can be used on this machine, so nothing was downloaded. Missing:\n  {}", missing.join("\n  "))
        }
        _ => Ok(()),
    }
}

/// What the machine still needs, in words.
pub fn advice() -> String {
    let missing = missing(loader());
    if missing.is_empty() {
        return "Driver, CUDA and cuDNN are there: \"vrvq devices\" tells which GPUs work.".into();
    }
    format!("Before a GPU works this machine still needs:\n  {}", missing.join("\n  "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_driver_it_refuses_and_names_what_is_missing() {
        let all = missing(|_| false);
        let error = refuse(&all).unwrap_err().to_string();
        for named in ["driver, 580", "CUDA 13", "cuDNN 9", "nothing was downloaded"] {
            assert!(error.contains(named), "{error}");
        }
        assert!(error.contains(PARTS[1].libraries[0]) && error.contains(PARTS[2].libraries[0]), "{error}");
    }

    #[test]
    fn with_a_driver_it_goes_on_and_names_the_rest() {
        let driver = PARTS[0].libraries[0];
        let rest = missing(|library| library == driver);
        assert!(refuse(&rest).is_ok());
        assert_eq!(rest.len(), 2);
        assert!(rest[0].starts_with("CUDA 13") && rest[1].starts_with("cuDNN 9"));
        assert!(missing(|_| true).is_empty());
    }
}
