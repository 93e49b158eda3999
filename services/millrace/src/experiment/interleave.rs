//! `millrace experiment interleave`: rankings as JSON lines.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, stdin, stdout};

use anyhow::{Context as _, Result};
use millrace_experiments::files::interleave::InterleaveOptions;
use millrace_experiments::files::interleave_lines;

use crate::cli::InterleaveArgs;

/// Writes one list a line to standard output.
pub fn run(args: &InterleaveArgs) -> Result<()> {
    let standard = args.input.as_os_str() == "-";
    let name = if standard { "standard input".to_owned() } else { args.input.display().to_string() };
    let reader: Box<dyn BufRead> = if standard {
        Box::new(stdin().lock())
    } else {
        Box::new(BufReader::new(
            File::open(&args.input).with_context(|| format!("{name}: cannot be opened"))?,
        ))
    };
    let options = InterleaveOptions {
        method: args.method,
        salt: args.salt.clone(),
        length: args.length,
        skip_common_prefix: args.skip_common_prefix,
    };
    let written = interleave_lines(reader, BufWriter::new(stdout().lock()), &options);
    let written = written.with_context(|| name.clone())?;
    if let Some(line) = written.first_stray {
        let clicks = if written.not_in_list == 1 {
            "1 click is"
        } else {
            &format!("{} clicks are", written.not_in_list)
        };
        eprintln!(
            "millrace: {name}: {clicks} on items that their lists do not hold, first on line {line}, and earned nothing"
        );
    }
    Ok(())
}
