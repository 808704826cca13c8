//! `provision` on machines that lack something, and on one whose Python and pip are scripts of the test.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "helpers of tests may fail loudly too")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A machine of its own: a clone's root and a folder that is the whole PATH.
struct Machine {
    root: PathBuf,
    bin: PathBuf,
}

impl Machine {
    fn new(name: &str) -> Self {
        let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::remove_dir_all(&home).ok();
        let (root, bin) = (home.join("clone"), home.join("bin"));
        fs::create_dir_all(root.join("xtask")).unwrap();
        fs::create_dir_all(&bin).unwrap();
        Self { root, bin }
    }

    fn with(self, tool: &str, script: &str) -> Self {
        let path = self.bin.join(tool);
        fs::write(&path, format!("#!/bin/sh\nPATH=/usr/bin:/bin\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        self
    }

    fn with_compiler(self) -> Self {
        self.with("c++", "cat > /dev/null")
    }

    fn provision(&self, libtorch: Option<&Path>) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command.arg("provision").env_remove("CXX").env_remove("PYTHON").env("PATH", &self.bin);
        command.env("CARGO_MANIFEST_DIR", self.root.join("xtask"));
        let place = self.root.join(".libtorch/torch"); // what .cargo/config.toml sets
        command.env("LIBTORCH", libtorch.unwrap_or(&place));
        command.output().unwrap()
    }

    /// Fails with exit code 1 and one line that says `words`.
    fn fails_with(&self, words: &[&str]) {
        let output = self.provision(None);
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{message}");
        let last = message.lines().last().unwrap_or_default();
        assert!(last.starts_with("error: "), "{message}");
        for word in words {
            assert!(last.contains(word), "`{word}` is missing in: {last}");
        }
        assert!(!self.root.join(".libtorch/torch").exists());
    }
}

/// A python3 with a pip that does `install` in the shell with the target folder as $target.
fn python(install: &str) -> String {
    format!(
        r#"case "$1 $2 $3" in
"-c import sys"*) exit 0;;
"-m pip --version") exit 0;;
"-m pip install")
  while [ "$1" != --target ]; do shift; done
  target=$2
  {install};;
*) exit 1;;
esac"#
    )
}

const WHEELS: &str = r#"case "$*" in
*torch==2.11.0*)
  mkdir -p "$target/torch/lib" "$target/torch/include/torch" "$target/nvidia/cu13/lib"
  for name in torch torch_cpu torch_cuda torch_cuda_linalg torch_python c10; do echo elf > "$target/torch/lib/lib$name.so"; done;;
*unidic-lite==1.0.8*)
  mkdir -p "$target/unidic_lite/dicdir"
  for name in sys.dic unk.dic matrix.bin char.bin; do echo data > "$target/unidic_lite/dicdir/$name"; done;;
esac"#;

#[test]
fn a_missing_compiler_is_said() {
    Machine::new("compiler").fails_with(&["C++ compiler", "apt install g++"]);
    Machine::new("headers").with("c++", "cat > /dev/null; exit 1").fails_with(&["C++ compiler"]);
}

#[test]
fn a_missing_python_is_said() {
    Machine::new("python").with_compiler().fails_with(&["Python", "apt install python3"]);
}

#[test]
fn a_missing_pip_is_said() {
    let python = r#"case "$1 $2" in "-c import sys"*) exit 0;; *) exit 1;; esac"#;
    Machine::new("pip").with_compiler().with("python3", python).fails_with(&["pip", "python3-pip"]);
}

#[test]
fn a_full_disk_is_said() {
    let df = "echo header; echo /dev/vda 1 1 1024000 22% /";
    let machine = Machine::new("disk").with_compiler().with("python3", &python("exit 1")).with("df", df);
    machine.fails_with(&["4000 MB", "1000 MB are left"]);
}

#[test]
fn pip_that_fails_is_said_and_a_second_run_goes_on() {
    let machine = Machine::new("network").with_compiler().with("python3", &python("exit 1"));
    machine.fails_with(&["pip could not install torch==2.11.0", "PyPI"]);
    let machine = machine.with("python3", &python(WHEELS));
    let output = machine.provision(None);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lib = machine.root.join(".libtorch/torch/lib");
    assert_eq!(fs::read_to_string(lib.join("libtorch.so")).unwrap(), "INPUT(-ltorch_cpu)\n");
    assert_eq!(fs::read_to_string(lib.join("libtorch_cuda.so")).unwrap(), "INPUT(-ltorch_cpu)\n");
    assert!(!lib.join("libtorch_python.so").exists() && lib.join("libtorch_cpu.so").exists());
    assert_eq!(fs::read_to_string(machine.root.join(".libtorch/torch/build-version")).unwrap(), "2.11.0");
    assert!(machine.root.join(".libtorch/nvidia/cu13/lib").exists());
    assert!(machine.root.join(".unidic/dicdir/sys.dic").exists());
    assert!(!machine.root.join(".libtorch/part").exists() && !machine.root.join(".unidic/part").exists());

    // Nothing is needed any more, not even Python.
    fs::remove_file(machine.bin.join("python3")).unwrap();
    let again = machine.provision(None);
    assert!(again.status.success(), "{}", String::from_utf8_lossy(&again.stderr));
}

#[test]
fn the_torch_of_python3_is_linked() {
    let machine = Machine::new("linked").with_compiler();
    let torch = machine.root.join("site-packages/torch");
    fs::create_dir_all(torch.join("lib")).unwrap();
    fs::create_dir_all(torch.join("include/torch")).unwrap();
    fs::write(torch.join("lib/libtorch_cpu.so"), "elf").unwrap();
    fs::write(torch.join("version.py"), "__version__ = '2.11.0+cu130'\n").unwrap();
    let script = python(WHEELS).replace(
        "*) exit 1;;\nesac",
        &format!(
            "\"-c import importlib\"*) echo 2.11.0+cu130; echo {};;\n*) exit 1;;\nesac",
            torch.display()
        ),
    );
    let machine = machine.with("python3", &script);
    let output = machine.provision(None);
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && message.contains("of python3"), "{message}");
    let place = machine.root.join(".libtorch/torch");
    assert_eq!(place.join("lib").canonicalize().unwrap(), torch.join("lib").canonicalize().unwrap());

    // Another torch in the same place: it is fetched anew, here from pip.
    fs::write(torch.join("version.py"), "__version__ = '2.12.0'\n").unwrap();
    let machine = machine.with("python3", &python(WHEELS));
    assert!(machine.provision(None).status.success());
    assert!(!place.join("lib").is_symlink());
}

#[test]
fn libtorch_of_the_environment_wins_and_is_checked() {
    let machine = Machine::new("own").with_compiler().with("python3", &python(WHEELS));
    let own = machine.root.join("own");
    fs::create_dir_all(own.join("lib")).unwrap();
    let missing = machine.provision(Some(&own));
    assert_eq!(missing.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&missing.stderr).contains("has no lib/libtorch_cpu.so"));
    fs::write(own.join("lib/libtorch_cpu.so"), "elf").unwrap();
    fs::write(own.join("build-version"), "2.13.0\n").unwrap();
    let wrong = machine.provision(Some(&own));
    assert_eq!(wrong.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("is version 2.13.0"));
    fs::write(own.join("build-version"), "2.11.0+cu130\n").unwrap();
    assert!(machine.provision(Some(&own)).status.success());
    assert!(!machine.root.join(".libtorch/torch").exists());
}
