//! Opening a dump: what it is packed in is told by its first bytes, not by its name.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// As it is named in sentences.
pub fn name(path: &Path) -> String {
    if path == Path::new("-") { "standard input".to_owned() } else { path.display().to_string() }
}

/// Opens a file, or standard input for `-`; unpacks gzip and zstandard, and reads UTF-16 with its mark. The
/// error is a sentence.
pub fn open(path: &Path) -> Result<Box<dyn Read + Send>, String> {
    let cannot = |e: io::Error| match e.kind() {
        io::ErrorKind::NotFound => format!("there is no file {}", path.display()),
        io::ErrorKind::PermissionDenied => {
            format!("{} may not be read by this user: setfacl -m u:$(id -un):r {0}", path.display())
        }
        _ => format!("{} cannot be read: {e}", name(path)),
    };
    let mut file: Box<dyn Read + Send> = if path == Path::new("-") {
        Box::new(io::stdin())
    } else {
        let file = File::open(path).map_err(cannot)?;
        if file.metadata().map_err(cannot)?.is_dir() {
            return Err(format!("{} is a folder: name the files in it", path.display()));
        }
        Box::new(file)
    };
    let mut head = Vec::new();
    file.by_ref().take(4).read_to_end(&mut head).map_err(cannot)?;
    let packed = head.clone();
    let all = io::Cursor::new(head).chain(file);
    Ok(match packed.as_slice() {
        [0x1f, 0x8b, ..] => Box::new(flate2::read::MultiGzDecoder::new(io::BufReader::with_capacity(64 * 1024, all))),
        [0x28, 0xb5, 0x2f, 0xfd] => Box::new(zstd::Decoder::new(all).map_err(cannot)?),
        [0xff, 0xfe, ..] => Box::new(Wide::new(all, u16::from_le_bytes)),
        [0xfe, 0xff, ..] => Box::new(Wide::new(all, u16::from_be_bytes)),
        _ => Box::new(all),
    })
}

/// UTF-16 as UTF-8; what is no character becomes the sign for that.
struct Wide<R> {
    from: io::Bytes<io::BufReader<R>>,
    unit: fn([u8; 2]) -> u16,
    /// The first half of a pair.
    high: Option<u16>,
    ready: Vec<u8>,
    at: usize,
}

impl<R: Read> Wide<R> {
    fn new(from: R, unit: fn([u8; 2]) -> u16) -> Self {
        Self { from: io::BufReader::new(from).bytes(), unit, high: None, ready: Vec::new(), at: 0 }
    }

    fn put(&mut self, units: &[u16]) {
        for c in char::decode_utf16(units.iter().copied()) {
            let c = c.unwrap_or(char::REPLACEMENT_CHARACTER);
            if c != '\u{feff}' {
                self.ready.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
    }

    /// The next unit; an odd byte at the end is none.
    fn unit(&mut self) -> io::Result<Option<u16>> {
        let Some(a) = self.from.next().transpose()? else { return Ok(None) };
        let Some(b) = self.from.next().transpose()? else { return Ok(None) };
        Ok(Some((self.unit)([a, b])))
    }
}

impl<R: Read> Read for Wide<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.at == self.ready.len() {
            (self.at, self.ready) = (0, Vec::with_capacity(64 * 1024));
            while self.ready.len() < 60 * 1024 {
                let unit = self.unit()?;
                match (self.high.take(), unit) {
                    (None, None) => break,
                    (Some(high), None) => self.put(&[high]),
                    (None, Some(unit)) if (0xD800..0xDC00).contains(&unit) => self.high = Some(unit),
                    (None, Some(unit)) => self.put(&[unit]),
                    (Some(high), Some(unit)) => self.put(&[high, unit]),
                }
            }
        }
        let n = into.len().min(self.ready.len() - self.at);
        into[..n].copy_from_slice(&self.ready[self.at..self.at + n]);
        self.at += n;
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    const TEXT: &str = "one\ntwo – drei 🙂\n";

    fn read(bytes: &[u8]) -> io::Result<String> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        let mut out = Vec::new();
        open(file.path()).unwrap().read_to_end(&mut out)?;
        Ok(String::from_utf8(out).unwrap())
    }

    fn gzip(text: &str) -> Vec<u8> {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(text.as_bytes()).unwrap();
        packer.finish().unwrap()
    }

    #[test]
    fn every_packing_gives_the_same_text() {
        let wide = |unit: fn(u16) -> [u8; 2]| -> Vec<u8> {
            "\u{feff}".encode_utf16().chain(TEXT.encode_utf16()).flat_map(unit).collect()
        };
        for bytes in [
            TEXT.as_bytes().to_vec(),
            gzip(TEXT),
            [gzip("one\n"), gzip("two – drei 🙂\n")].concat(),
            zstd::encode_all(TEXT.as_bytes(), 1).unwrap(),
            wide(u16::to_le_bytes),
            wide(u16::to_be_bytes),
        ] {
            assert_eq!(read(&bytes).unwrap(), TEXT);
        }
        for short in ["", "a", "ab", "abc"] {
            assert_eq!(read(short.as_bytes()).unwrap(), short);
        }
    }

    #[test]
    fn a_half_archive_is_an_error_and_no_short_file() {
        let whole = gzip(&TEXT.repeat(1_000));
        assert!(read(&whole[..whole.len() / 2]).is_err());
        let whole = zstd::encode_all(TEXT.repeat(1_000).as_bytes(), 1).unwrap();
        assert!(read(&whole[..whole.len() / 2]).is_err());
    }

    #[test]
    fn what_cannot_be_opened_is_said_with_its_remedy() {
        let folder = tempfile::tempdir().unwrap();
        let says = |path: &Path| open(path).err().unwrap();
        assert!(says(folder.path()).contains("is a folder: name the files in it"));
        assert!(says(&folder.path().join("none")).starts_with("there is no file "));
    }
}
