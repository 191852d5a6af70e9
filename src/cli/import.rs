//! `vrvq import`.

use super::args::ImportArgs;
use super::delays;
use super::failure::{Failure, print};
use crate::model::Library;
use crate::model::checkpoint::{ImportOptions, import};

/// Runs the command: prints the path of the model file.
///
/// # Errors
/// What is wrong with the checkpoint, and where.
pub fn run(args: &ImportArgs) -> Result<(), Failure> {
    if let Some(hops) = args.delay {
        let stem = args.file.file_stem().unwrap_or_default().to_string_lossy();
        let name = args.name.clone().unwrap_or_else(|| format!("{stem}, {hops} hops"));
        return print(&delays::import(args, hops, &name)?.display().to_string());
    }
    let options = ImportOptions { name: args.name.clone(), sample_rate: args.sample_rate };
    let path = import(&args.file, &options, Library::user().folder())
        .map_err(|error| Failure::about(args.file.display(), error))?;
    print(&path.display().to_string())
}
