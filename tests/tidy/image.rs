//! The image: what `.dockerignore` lets through must be enough for the build, and the build must
//! contain no private servers.

use std::io;
use std::path::Path;
use std::process::Command;

/// The files and folders of the project that are in the context: the exceptions of a
/// `.dockerignore` that excludes everything else.
pub fn context(dockerignore: &str) -> impl Iterator<Item = &str> {
    dockerignore.lines().filter_map(|line| line.strip_prefix('!'))
}

/// Fills a folder with the context of the project in `root`.
pub fn lay_out(root: &Path, dockerignore: &str, folder: &Path) -> io::Result<()> {
    for name in context(dockerignore) {
        let link = folder.join(name);
        std::fs::create_dir_all(link.parent().unwrap_or(folder))?;
        std::os::unix::fs::symlink(root.join(name), link)?;
    }
    Ok(())
}

/// The packages in the binary of the image, by Cargo in the folder of the context: those that the
/// build links, without its tools.
///
/// # Errors
/// What Cargo says if it cannot read the context. With a target whose path is not written out, it
/// would look for the file.
pub fn packages(folder: &Path) -> io::Result<Vec<String>> {
    let cargo = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--offline", "--no-default-features", "--edges=normal"])
        .args(["--prefix=none", "--format={p}"])
        .current_dir(folder)
        .output()?;
    if !cargo.status.success() {
        return Err(io::Error::other(String::from_utf8_lossy(&cargo.stderr)));
    }
    let text = String::from_utf8_lossy(&cargo.stdout);
    Ok(text.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect())
}

/// Files that a Dockerfile copies from the context, and that are not there.
pub fn missing_copies(dockerfile: &str, folder: &Path) -> Vec<String> {
    let copies = dockerfile.lines().filter_map(|line| line.strip_prefix("COPY "));
    let copies = copies.filter(|line| !line.starts_with("--from")).flat_map(|line| {
        let words: Vec<&str> = line.split(' ').collect();
        words[..words.len() - 1].to_vec()
    });
    copies.filter(|name| !folder.join(name).exists()).map(str::to_owned).collect()
}
