//! Making bodies smaller on their way: one way to compress, for maps, pages and files alike.

use std::io::{Error, Write};

use brotli::CompressorWriter;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::negotiation::Encoding;

/// The base-2 logarithm of brotli's window, and its buffer.
const BROTLI_WINDOW: u32 = 22;
const BUFFER: usize = 64 * 1024;

/// How much work it is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// For what lives a moment. Brotli's quality 3 is as fast as gzip's fastest level on our
    /// bodies, and a fraction of its size.
    Little,
    /// For what is packed once and sent for as long as the process runs.
    Much,
}

/// `plain` as `encoding` has it.
///
/// # Errors
/// None that writing into memory can cause; the compressors' interfaces have one.
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
