//! `vrvq import`.

use super::args::ImportArgs;
use super::failure::{Failure, print};
use crate::model::Library;
use crate::model::checkpoint::{ImportOptions, import};

/// Runs the command: prints the path of the model file.
///
/// # Errors
/// What is wrong with the checkpoint, and where.
pub fn run(args: &ImportArgs) -> Result<(), Failure> {
    let options = ImportOptions { name: args.name.clone(), sample_rate: args.sample_rate };
    let path = import(&args.file, &options, Library::user().folder())
        .map_err(|error| Failure::about(args.file.display(), error))?;
    print(&path.display().to_string())
}
