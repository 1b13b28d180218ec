//! Python with the packages of `tests/interop/requirements.txt`.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The Python of a virtual environment with the packages of `requirements.txt`; made once per build folder and list.
pub fn python() -> PathBuf {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/requirements.txt");
    let lock = File::create(cache.join("interop.lock")).expect("lock file in the build folder");
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive).expect("lock of the environment");
    let folder = cache.join("interop");
    let (python, installed) = (folder.join("bin/python"), folder.join("installed.txt"));
    let wanted = fs::read_to_string(&list).expect("the list of packages");
    if fs::read_to_string(&installed).is_ok_and(|installed| installed == wanted) {
        return python;
    }
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder));
    run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "--requirement"]).arg(&list));
    // Written last: a folder with it is a whole one.
    fs::write(&installed, wanted).expect("installed.txt");
    python
}

/// Runs a command to its end, which has to be a good one.
pub fn run(command: &mut Command) -> Output {
    let output = command.output().expect("python3 starts; the test needs Python 3 with venv and pip");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}
