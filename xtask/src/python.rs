//! Python and its pip, used as a way to PyPI only: nothing is installed into the user's own Python.

use anyhow::{Context, Result, bail};
use std::path::Path;
use std::process::{Command, Stdio};

/// A Python 3 that runs.
pub(crate) struct Python {
    command: String,
}

impl Python {
    /// `PYTHON`, or `python3`.
    pub(crate) fn find() -> Result<Self> {
        let command = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
        let found = Command::new(&command)
            .args(["-c", "import sys; sys.exit(sys.version_info < (3, 8))"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        if found.is_ok_and(|status| status.success()) {
            return Ok(Self { command });
        }
        bail!(
            "no Python 3.8 or newer (`{command}`) was found; install it (Debian and Ubuntu: \
             `sudo apt install python3 python3-pip`) or name one with PYTHON=..., and run the command again"
        );
    }

    /// Standard output of a short program, or nothing where it fails.
    pub(crate) fn eval(&self, program: &str) -> Option<String> {
        let output = Command::new(&self.command).args(["-c", program]).stderr(Stdio::null()).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// A command of this Python.
    pub(crate) fn command(&self) -> Command {
        Command::new(&self.command)
    }

    /// Checks that pip is there.
    pub(crate) fn check_pip(&self) -> Result<()> {
        let found = self
            .command()
            .args(["-m", "pip", "--version"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        if found.is_ok_and(|status| status.success()) {
            return Ok(());
        }
        bail!(
            "`{} -m pip` does not work; install pip (Debian and Ubuntu: `sudo apt install python3-pip`, elsewhere \
             `{} -m ensurepip --user`) and run the command again",
            self.command,
            self.command
        );
    }

    /// `pip install --no-deps --target folder`. Temporary files go beside it, since /tmp is often small.
    ///
    /// A Python that its system manages (PEP 668) allows `--target`; settings that do not go with it are switched off.
    pub(crate) fn install(&self, folder: &Path, arguments: &[&str]) -> Result<()> {
        let temporary = folder.join("tmp");
        std::fs::create_dir_all(&temporary).with_context(|| cannot_write(&temporary))?;
        let status = self
            .command()
            .args(["-m", "pip", "install", "--no-deps", "--no-compile", "--disable-pip-version-check"])
            .arg("--target")
            .arg(folder)
            .args(arguments)
            .envs([("PIP_USER", "0"), ("PIP_REQUIRE_VIRTUALENV", "0"), ("PIP_ROOT_USER_ACTION", "ignore")])
            .env_remove("PIP_PREFIX")
            .env("TMPDIR", &temporary)
            .stdout(std::io::stderr()) // our standard output is the steps'
            .status()
            .with_context(|| format!("cannot run `{} -m pip`", self.command))?;
        if !status.success() {
            bail!(
                "pip could not install {} (its own words stand above); check that PyPI or your mirror of it can be \
                 reached and run the command again: what was downloaded is kept",
                arguments.iter().filter(|word| word.contains("==")).copied().collect::<Vec<_>>().join(", ")
            );
        }
        std::fs::remove_dir_all(&temporary).ok();
        Ok(())
    }
}

/// The message for a folder that cannot be written.
pub(crate) fn cannot_write(path: &Path) -> String {
    format!("cannot write {}; check the folder's permissions and the disk's free space", path.display())
}
