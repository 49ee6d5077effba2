//! Compresses the bodies of answers: seat maps, pages and files.

use std::io::{Error, Write};

use brotli::CompressorWriter;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::negotiation::Encoding;

/// Base-2 logarithm of brotli's window, in bytes.
const BROTLI_WINDOW: u32 = 22;
/// Brotli's buffer, in bytes.
const BUFFER: usize = 64 * 1024;

/// How much work to spend on a smaller result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// For a body that is soon replaced. Brotli's quality 3 is as fast as gzip's fastest level on
    /// our bodies, and its result is a fraction of the size.
    Little,
    /// For a body that is compressed once and sent for as long as the process runs.
    Much,
}

/// Compresses `plain` with `encoding`.
///
/// # Errors
/// Never in practice: writing to memory cannot fail, but the compressors' interfaces return errors.
pub fn pack(plain: &[u8], encoding: Encoding, effort: Effort) -> Result<Vec<u8>, Error> {
    let mut packed = Vec::with_capacity(plain.len() / 4);
    match encoding {
        Encoding::Plain => packed.extend_from_slice(plain),
        Encoding::Gzip => {
            let level =
                if effort == Effort::Much { Compression::best() } else { Compression::fast() };
            let mut gzip = GzEncoder::new(packed, level);
            gzip.write_all(plain)?;
            return gzip.finish();
        }
        Encoding::Brotli => {
            let quality = if effort == Effort::Much { 11 } else { 3 };
            CompressorWriter::new(&mut packed, BUFFER, quality, BROTLI_WINDOW).write_all(plain)?;
        }
    }
    Ok(packed)
}
