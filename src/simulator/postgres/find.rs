//! Where PostgreSQL is on this machine.
//!
//! Owns the places that are looked into: every `/usr/lib/postgresql/*/bin`, the folders of `PATH`, and those
//! in `WARROOM_PG_BINS` (separated by `:`), which come first. May not know: what is started from there.

use std::path::{Path, PathBuf};

/// Folders with a PostgreSQL that is not where distributions put it.
pub const PLACES: &str = "WARROOM_PG_BINS";

/// A folder with `initdb` and `postgres` in it, or a sentence with the remedy.
pub fn binaries() -> Result<PathBuf, String> {
    let of = |name: &str| std::env::var(name).unwrap_or_default();
    first(&of(PLACES), Path::new("/usr/lib/postgresql"), &of("PATH")).ok_or_else(|| {
        format!(
            "PostgreSQL is not on this machine: neither /usr/lib/postgresql/*/bin nor PATH has initdb and postgres. \
             Install it (apt-get install postgresql), or name its folder in {PLACES}"
        )
    })
}

fn first(named: &str, distribution: &Path, path: &str) -> Option<PathBuf> {
    let folders = |list: &str| list.split(':').filter(|p| !p.is_empty()).map(PathBuf::from).collect::<Vec<_>>();
    let mut versions: Vec<(u32, PathBuf)> = std::fs::read_dir(distribution)
        .map(|entries| entries.flatten().map(|e| (major(&e.path()), e.path().join("bin"))).collect())
        .unwrap_or_default();
    // The newest of the distribution's.
    versions.sort_by_key(|(major, _)| std::cmp::Reverse(*major));
    let installed = versions.into_iter().map(|(_, bin)| bin);
    folders(named).into_iter().chain(installed).chain(folders(path)).find(|bin| complete(bin))
}

fn major(folder: &Path) -> u32 {
    folder.file_name().and_then(|n| n.to_str()?.parse().ok()).unwrap_or(0)
}

fn complete(bin: &Path) -> bool {
    ["initdb", "postgres"].iter().all(|program| bin.join(program).is_file())
}

/// Whether this installation has the library of `pg_stat_statements`.
pub fn has_statements(bin: &Path) -> bool {
    ["../lib", "../lib/postgresql", "../lib64", "../lib64/pgsql"]
        .iter()
        .any(|lib| bin.join(lib).join("pg_stat_statements.so").is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn install(at: &Path, programs: &[&str]) {
        std::fs::create_dir_all(at).unwrap();
        for program in programs {
            std::fs::write(at.join(program), "").unwrap();
        }
    }

    #[test]
    fn the_named_folder_comes_before_the_newest_of_the_distribution_and_that_before_the_path() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let text = |name: &str| at(name).display().to_string();
        install(&at("dist/9/bin"), &["initdb", "postgres"]);
        install(&at("dist/15/bin"), &["initdb", "postgres"]);
        install(&at("dist/16/bin"), &["postgres"]);
        install(&at("own"), &["initdb", "postgres"]);
        let find = |named: &str, dist: &str, path: &str| first(named, &at(dist), path);
        assert_eq!(find(&text("own"), "dist", ""), Some(at("own")));
        assert_eq!(find("", "dist", &text("own")), Some(at("dist/15/bin")), "16 has no initdb, 9 is older");
        assert_eq!(find(&text("gone"), "nowhere", &format!("{}:{}", text("dist"), text("own"))), Some(at("own")));
        assert_eq!(find("", "nowhere", ""), None);
    }
}
