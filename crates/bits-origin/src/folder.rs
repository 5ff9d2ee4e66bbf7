//! Serving a folder, and nothing outside it.

use std::path::{Path, PathBuf};

use crate::content::Content;

/// The file that `path` below a folder's prefix names; `None` when there is no such file or it
/// lies outside the folder.
pub(crate) fn find(folder: &Path, path: &str) -> Option<Content> {
    let folder = folder.canonicalize().ok()?;
    let mut file = folder.clone();
    for segment in path.split('/').filter(|segment| !segment.is_empty()) {
        let name = percent_decoded(segment)?;
        // Windows reads a colon as a drive or a stream and a backslash as a separator.
        if name == "." || name == ".." || name.contains(['/', '\\', ':', '\0']) {
            return None;
        }
        file.push(name);
    }
    // Links are followed, so that one which leads out of the folder is seen.
    let file = file.canonicalize().ok().filter(|file| file.starts_with(&folder))?;
    content(file)
}

fn content(file: PathBuf) -> Option<Content> {
    let metadata = file.metadata().ok().filter(std::fs::Metadata::is_file)?;
    Some(Content::file(file, metadata.len(), metadata.modified().ok().map(Into::into)))
}

fn percent_decoded(segment: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        let decoded = match byte {
            b'%' => hex_digit(rest.next()?)? << 4 | hex_digit(rest.next()?)?,
            plain => plain,
        };
        bytes.push(decoded);
    }
    String::from_utf8(bytes).ok()
}

fn hex_digit(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_found_by_their_encoded_names() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("sub")).unwrap();
        std::fs::write(folder.path().join("sub/a b.bin"), "12345").unwrap();
        let found = find(folder.path(), "/sub/a%20b.bin").unwrap();
        assert_eq!(found.length(), 5);
        assert!(found.stamp().is_some());
        assert!(find(folder.path(), "/sub").is_none(), "a folder is no file");
        assert!(find(folder.path(), "/nothing").is_none());
    }

    #[test]
    fn no_path_leads_out_of_the_folder() {
        let outer = tempfile::tempdir().unwrap();
        let folder = outer.path().join("inner");
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(outer.path().join("secret"), "x").unwrap();
        let absolute = outer.path().join("secret").display().to_string().replace('/', "%2F");
        for path in ["/../secret", "/%2e%2e/secret", "/..%2Fsecret", "/..%5Csecret", "/%00", "/%", "/%zz", &absolute] {
            assert!(find(&folder, path).is_none(), "{path}");
        }
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(outer.path().join("secret"), folder.join("link")).unwrap();
            assert!(find(&folder, "/link").is_none());
        }
    }
}
