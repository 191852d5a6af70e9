//! The devices in words.

use super::{Device, Provider, cores, probe};
use crate::model::runtime;
use std::sync::OnceLock;

/// GPUs that are looked for, of each provider.
const MOST_GPUS: u32 = 8;

/// The GPUs of a provider that work, and why the next one doesn't.
fn gpus(provider: Provider) -> (Vec<Device>, String) {
    let mut working = Vec::new();
    for number in 0..if provider.is_numbered() { MOST_GPUS } else { 1 } {
        let device = Device::Gpu(provider, number);
        match probe(device) {
            Ok(()) => working.push(device),
            Err(error) => return (working, error.to_string()),
        }
    }
    (working, String::new())
}

/// The GPUs that models can run on, looked for at the first call; that takes up to seconds.
pub fn working_gpus() -> &'static [Device] {
    static FOUND: OnceLock<Vec<Device>> = OnceLock::new();
    FOUND.get_or_init(|| match runtime() {
        Ok(runtime) if !runtime.is_builtin() => {
            Provider::ALL.into_iter().flat_map(|provider| gpus(provider).0).collect()
        }
        _ => Vec::new(),
    })
}

/// The inference devices in words, a line each: what runs on them, or why nothing can.
pub fn describe_devices() -> String {
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(error) => return format!("inference: {error}\n"),
    };
    let mut text = format!("inference by {}\n", runtime.name());
    if let Some(notice) = runtime.notice() {
        text += &format!("  {notice}\n");
    }
    text += &format!("  {:<11} {} cores\n", "cpu", cores());
    for provider in Provider::ALL {
        let (working, refused) = gpus(provider);
        for device in &working {
            text += &format!("  {:<11} works\n", device.to_string());
        }
        if working.is_empty() {
            text += &format!("  {:<11} {refused}\n", provider.name());
        }
    }
    text
}
